"""What serves where the user's module has no function of its own: PyTorch's default handlers.

One thing differs from the real ones on purpose: text that is a single number is refused. There it
becomes the size of a tensor of uninitialised memory, which is then sent to the client.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from sagelet.worker.serving import media_types
from sagelet.worker.serving.codecs import CODECS
from sagelet.worker.serving.context import Context
from sagelet.worker.serving.differences import Refused
from sagelet.worker.serving.formats import accept_differences
from sagelet.worker.serving.streams import is_stream
from sagelet.worker.serving.toolkit_errors import UnsupportedFormatError
from sagelet.worker.serving.tracebacks import place

_MODEL_FILE = "model.pt"
_SUFFIXES = (".pt", ".pth")
_SHOWN = 10
# Kinds of numpy's numbers; torch.FloatTensor takes a bare integer for a size.
_NUMBERS, _SIZES = "biufc", "iu"

JSON_LINES = "application/jsonlines"
"""What a stream of JSON values is in: one a line."""


class ModelLoadError(Exception):
    """A model's file is not TorchScript."""

    # As tracebacks name it in the container.
    __module__ = "sagemaker_pytorch_serving_container.default_pytorch_inference_handler"


class PyTorchDefaults:
    """The default handlers; with `strict`, content types are compared as the real ones do."""

    def __init__(self, *, strict: bool = False) -> None:
        """Import nothing yet."""
        self.strict = strict

    def model_fn(self, model_dir: str) -> Any:
        """Load the one TorchScript file in a folder.

        Raises:
            ValueError: there is not exactly one.
            ModelLoadError: it is not TorchScript.
        """
        path = _model_file(Path(model_dir))
        import torch

        device = _device()
        try:
            model = torch.jit.load(str(path), map_location=device)  # type: ignore[no-untyped-call]
        except RuntimeError as error:
            text = (
                f"Failed to load {path}. Please ensure model is saved using torchscript.\n"
                "Weights alone (a state_dict) say nothing of the model that they are for: they "
                "need a model_fn of yours that builds it."
            )
            raise place(ModelLoadError(text), str(path)) from error
        return model.to(device)

    def input_fn(self, data: Any, content_type: str | None, context: Context | None = None) -> Any:
        """Read a body into a tensor: float32 from text.

        Raises:
            UnsupportedFormatError: no codec reads this content type.
            Refused: the body is one bare number.
        """
        plain = content_type if self.strict else media_types.essence(content_type)
        array = CODECS.decode(data, plain)
        if plain != content_type:
            _differ(
                context, "media-type-parameters" if ";" in str(content_type) else "media-type-case"
            )
        import torch

        if plain not in media_types.UTF8_TYPES:
            return torch.from_numpy(array).to(_device())
        if array.ndim == 0 and array.dtype.kind in (_SIZES if self.strict else _NUMBERS):
            text = f"The body is a single value ({array}); send a list, such as [{array}]."
            raise Refused("scalar-body", text)
        return torch.FloatTensor(array).to(_device())

    def predict_fn(self, data: Any, model: Any) -> Any:
        """Call the model on a tensor, without gradients."""
        import torch

        device = _device()
        with torch.no_grad():
            model = model.to(device)
            data = data.to(device)
            model.eval()
            return model(data)

    def output_fn(self, prediction: Any, accept: str, context: Context | None = None) -> Any:
        """Write a prediction in the first acceptable type that there is a codec for.

        What a generator yields is written piece by piece, unless the contract is strict.

        Raises:
            UnsupportedFormatError: there is none.
        """
        exact = next(
            (t for t in accept.replace(" ", "").split(",") if t in CODECS.media_types), None
        )
        if self.strict:
            if exact is None:
                raise UnsupportedFormatError(accept)
            return _written(prediction, exact)
        chosen = choose(accept)
        if chosen is None:
            raise UnsupportedFormatError(accept)
        if chosen != accept:
            for difference in accept_differences(accept):
                _differ(context, difference)
        if is_stream(prediction):
            return _pieces(prediction, chosen), JSON_LINES if chosen == media_types.JSON else chosen
        return _written(prediction, chosen), chosen


def choose(accept: str) -> str | None:
    """Return the media type that a codec writes and an Accept header likes best."""
    for wanted in media_types.preferences(accept):
        for media_type in CODECS.media_types:
            if media_types.matches(wanted, media_type):
                return media_type
    return None


def _written(prediction: Any, media_type: str) -> Any:
    torch = sys.modules.get("torch")  # where it was never imported, nothing is its tensor
    if torch is not None and type(prediction) is torch.Tensor:
        prediction = prediction.detach().cpu().numpy().tolist()
    body = CODECS.encode(prediction, media_type)
    return body.encode("utf-8") if media_type == media_types.CSV else body


def _pieces(predictions: Iterator[Any], media_type: str) -> Iterable[Any]:
    """Write each item of a stream; JSON one a line, so that the pieces can be told apart."""
    for prediction in predictions:
        piece = _written(prediction, media_type)
        yield f"{piece}\n" if media_type == media_types.JSON else piece


def _differ(context: Context | None, difference: str) -> None:
    if context is not None:
        context.differ(difference)


def _model_file(folder: Path) -> Path:
    """Return the file to load.

    Raises:
        ValueError: it cannot be told which; the text says what there is.
    """
    path = folder / _MODEL_FILE
    if path.exists():
        return path
    files = sorted(file.name for file in folder.iterdir() if _is_model(file))
    if len(files) == 1:
        return folder / files[0]
    text = (
        f"Exactly one .pth or .pt file is required for PyTorch models: {files}\n"
        f"{folder} holds {_contents(folder)}. Expected is a TorchScript file named model.pt, or "
        "one other .pt or .pth file, or a model_fn of yours that loads what there is."
    )
    raise place(ValueError(text), str(folder))


def _contents(folder: Path) -> str:
    """Return what a folder holds in a few words, and a model's file in a folder below it."""
    names = sorted(f"{entry.name}/" if entry.is_dir() else entry.name for entry in folder.iterdir())
    shown = ", ".join(names[:_SHOWN]) or "nothing"
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    below = sorted(str(f.relative_to(folder)) for f in folder.glob("*/*") if _is_model(f))
    hint = f" (too deep: {', '.join(below)})" if below else ""
    return f"{shown}{more}{hint}"


def _is_model(file: Path) -> bool:
    return file.suffix in _SUFFIXES and file.is_file()


def _device() -> Any:
    import torch

    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
