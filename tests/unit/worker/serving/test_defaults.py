"""Which file the default model_fn loads, and what it says where there is none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch

from sagelet.worker.serving import stand_in
from sagelet.worker.serving.codecs import to_npy
from sagelet.worker.serving.context import Context
from sagelet.worker.serving.defaults import ModelLoadError, PyTorchDefaults
from sagelet.worker.serving.handlers import bind
from sagelet.worker.serving.tracebacks import describe
from tests.serving_projects import serving, write


def test_a_folder_without_a_model_is_what_the_error_is_about(tmp_path: Path) -> None:
    write(tmp_path, {"weights.bin": "", "code/inference.py": "", "export/model.pth": ""})
    with pytest.raises(ValueError, match="Exactly one") as raised:
        PyTorchDefaults().model_fn(str(tmp_path))
    failure = describe(raised.value)
    assert str(raised.value) == (
        "Exactly one .pth or .pt file is required for PyTorch models: []\n"
        f"{tmp_path} holds code/, export/, weights.bin (too deep: export/model.pth). Expected is a "
        "TorchScript file named model.pt, or one other .pt or .pth file, or a model_fn of yours "
        "that loads what there is."
    )
    assert failure.where == str(tmp_path)
    assert "sagelet" not in failure.traceback.replace(str(tmp_path), "")


def test_two_models_are_named(tmp_path: Path) -> None:
    write(tmp_path, {"a.pt": "", "b.pth": ""})
    with pytest.raises(ValueError, match=r"PyTorch models: \['a.pt', 'b.pth'\]\n"):
        PyTorchDefaults().model_fn(str(tmp_path))


def test_a_folder_with_much_in_it_is_described_in_short(tmp_path: Path) -> None:
    write(tmp_path, {f"{number:02}.txt": "" for number in range(14)})
    with pytest.raises(ValueError, match=r"09.txt and 4 more\. Expected"):
        PyTorchDefaults().model_fn(str(tmp_path))


# torch deprecates TorchScript; the container's contract is still made of it.
@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_weights_alone_are_no_model(tmp_path: Path) -> None:
    torch.save({"a": torch.ones(1)}, tmp_path / "model.pth")
    with pytest.raises(ModelLoadError) as raised:
        PyTorchDefaults().model_fn(str(tmp_path))
    assert str(raised.value).startswith(
        f"Failed to load {tmp_path}/model.pth. Please ensure model is saved using torchscript.\n"
    )
    assert describe(raised.value).where == f"{tmp_path}/model.pth"


def test_an_array_without_dimensions_in_npy_is_a_tensor() -> None:
    tensor = PyTorchDefaults().input_fn(to_npy(np.float32(5)), "application/x-npy")
    assert (tensor.shape, tensor.item()) == (torch.Size([]), 5.0)


def test_a_default_handlers_own_error_is_not_blamed_on_a_line_of_ours(tmp_path: Path) -> None:
    files = {"inference.py": "def model_fn(model_dir):\n    return None\n"}
    with serving(tmp_path, files) as project:
        header, _ = project.ask(b"not json", "application/json")
    assert header["status"] == 500
    assert "sagelet" not in header["where"].replace(str(tmp_path), "")


def test_defaults_for_before_and_after_the_model_are_found_where_there_are_any() -> None:
    defaults = PyTorchDefaults()
    assert bind(None, defaults).before_model is None
    framework = SimpleNamespace(
        strict=False,
        model_fn=defaults.model_fn,
        input_fn=defaults.input_fn,
        predict_fn=defaults.predict_fn,
        output_fn=defaults.output_fn,
        pre_model_fn=lambda model_dir: model_dir,
        model_warmup_fn=lambda model_dir, model: model,
    )
    handlers = bind(None, framework)
    assert handlers.before_model is not None
    assert handlers.warm_up is not None
    assert handlers.before_model(Context("/m"), "/m") == "/m"


@pytest.mark.parametrize("name", ["model_fn", "predict_fn", "output_fn"])
def test_an_async_handler_is_refused_at_load_when_sane(name: str) -> None:
    module = ModuleType("inference")
    exec(f"async def {name}(a, b):\n    yield", module.__dict__)
    with pytest.raises(TypeError, match=f"^{name} is async, and nothing awaits it"):
        bind(module, PyTorchDefaults())
    assert bind(module, PyTorchDefaults(strict=True)).defined == (name,)


def test_an_async_handler_is_a_503_when_strict(tmp_path: Path) -> None:
    source = (
        "def model_fn(model_dir):\n    return None\n"
        "async def transform_fn(model, data, content_type, accept):\n    yield ''\n"
    )
    with serving(tmp_path, {"inference.py": source}, contract="strict") as project:
        header, body = project.ask()
    assert header["status"] == 503
    assert b"Unsupported model output data type." in body


@pytest.fixture
def toolkit_offered() -> Iterator[None]:
    """The stand-in for SageMaker's toolkit is on the path, and forgotten afterwards."""
    stand_in.offer()
    yield
    stand_in.withdraw()


@pytest.mark.usefixtures("toolkit_offered")
def test_a_module_that_makes_its_model_per_request_serves(tmp_path: Path) -> None:
    # The shape of many a tutorial's serve.py: model_fn does nothing, predict.py does it all.
    files = {
        "code/serve.py": """
            import json
            import logging
            import os

            import predict
            from sagemaker_inference import content_types, decoder, encoder

            log = logging.getLogger(__name__)

            def model_fn(model_dir):
                log.info("In model_fn(). DEPLOY_ENV=%s", os.environ.get("DEPLOY_ENV"))

            def input_fn(request_body, request_content_type):
                return [{"text": features[0]} for features in json.loads(request_body)]

            def predict_fn(input_data, model):
                return predict.predict(experiment_id="latest", inputs=input_data)

            def output_fn(prediction, accept):
                return encoder.encode([p["scores"] for p in prediction], content_types.JSON)
        """,
        "predict.py": """
            def predict(experiment_id, inputs):
                return [{"raw": item["text"], "scores": {"Sports": 0.5}} for item in inputs]
        """,
    }
    with serving(tmp_path, files, program="serve.py") as project:
        header, body = project.ask(b'[["The tournament starts"]]', "application/json", "*/*")
    assert (header["status"], header["content_type"]) == (200, "application/json")
    assert body == b'[{"Sports": 0.5}]'
