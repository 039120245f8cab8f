"""What serves where the user's module has no function of its own: PyTorch's default handlers.

One thing differs from the real ones on purpose: a body that is a single number is refused. There
it becomes the size of a tensor of uninitialised memory, which is then sent to the client.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from sagelet.worker.serving import media_types
from sagelet.worker.serving.codecs import CODECS
from sagelet.worker.serving.toolkit_errors import UnsupportedFormatError

_MODEL_FILE = "model.pt"
_SUFFIXES = (".pt", ".pth")


class ModelLoadError(Exception):
    """A model's file is not TorchScript."""


class PyTorchDefaults:
    """The default handlers; with `strict`, content types are compared as the real ones do."""

    def __init__(self, *, strict: bool = False) -> None:
        """Import nothing yet."""
        self._strict = strict

    def model_fn(self, model_dir: str) -> Any:
        """Load the one TorchScript file in a folder.

        Raises:
            ValueError: there is not exactly one.
            ModelLoadError: it is not TorchScript.
        """
        import torch

        path = Path(model_dir, _MODEL_FILE)
        if not path.exists():
            files = sorted(file.name for file in Path(model_dir).iterdir() if _is_model(file))
            if len(files) != 1:
                raise ValueError(
                    f"Exactly one .pth or .pt file is required for PyTorch models: {files}"
                )
            path = Path(model_dir, files[0])
        device = _device()
        try:
            model = torch.jit.load(str(path), map_location=device)  # type: ignore[no-untyped-call]
        except RuntimeError as error:
            raise ModelLoadError(
                f"Failed to load {path}. Please ensure model is saved using torchscript."
            ) from error
        return model.to(device)

    def input_fn(self, data: Any, content_type: str | None) -> Any:
        """Read a body into a tensor: float32 from text.

        Raises:
            UnsupportedFormatError: no codec reads this content type.
            ValueError: the body is one bare number.
        """
        import torch

        if not self._strict:
            content_type = media_types.essence(content_type)
        array = CODECS.decode(data, content_type)
        if array.ndim == 0 and array.dtype.kind in "biufc":
            raise ValueError(
                f"The body is a single value ({array}); send a list, such as [{array}]."
            )
        is_text = content_type in media_types.UTF8_TYPES
        return (torch.FloatTensor(array) if is_text else torch.from_numpy(array)).to(_device())

    def predict_fn(self, data: Any, model: Any) -> Any:
        """Call the model on a tensor, without gradients."""
        import torch

        device = _device()
        with torch.no_grad():
            model = model.to(device)
            data = data.to(device)
            model.eval()
            return model(data)

    def output_fn(self, prediction: Any, accept: str) -> Any:
        """Write a prediction in the first acceptable type that there is a codec for.

        Raises:
            UnsupportedFormatError: there is none.
        """
        torch = sys.modules.get("torch")  # where it was never imported, nothing is its tensor
        if torch is not None and type(prediction) is torch.Tensor:
            prediction = prediction.detach().cpu().numpy().tolist()
        if self._strict:
            for wanted in accept.replace(" ", "").split(","):
                if wanted in CODECS.media_types:
                    return _as_sent(CODECS.encode(prediction, wanted), wanted)
            raise UnsupportedFormatError(accept)
        chosen = choose(accept)
        if chosen is None:
            raise UnsupportedFormatError(accept)
        return _as_sent(CODECS.encode(prediction, chosen), chosen), chosen


def choose(accept: str) -> str | None:
    """Return the media type that a codec writes and an Accept header likes best."""
    for wanted in media_types.preferences(accept):
        for media_type in CODECS.media_types:
            if media_types.matches(wanted, media_type):
                return media_type
    return None


def _as_sent(body: Any, media_type: str) -> Any:
    return body.encode("utf-8") if media_type == media_types.CSV else body


def _is_model(file: Path) -> bool:
    return file.suffix in _SUFFIXES and file.is_file()


def _device() -> Any:
    import torch

    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
