"""The toolkit's stand-in: what handlers import from it."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sagelet.worker.serving import stand_in

IMPORTED = [
    ("sagemaker_inference.content_types", "JSON CSV NPY NPZ OCTET_STREAM ANY UTF8_TYPES"),
    ("sagemaker_inference.decoder", "decode json_to_numpy csv_to_numpy npy_to_numpy _decoder_map"),
    (
        "sagemaker_inference.encoder",
        "encode array_to_json array_to_csv array_to_npy SUPPORTED_CONTENT_TYPES",
    ),
    (
        "sagemaker_inference.errors",
        "UnsupportedFormatError BaseInferenceToolkitError GenericInferenceToolkitError",
    ),
    ("sagemaker_inference.default_inference_handler", "DefaultInferenceHandler"),
    ("sagemaker_inference.default_handler_service", "DefaultHandlerService"),
    ("sagemaker_inference.transformer", "Transformer"),
    ("sagemaker_inference.environment", "Environment base_dir model_dir code_dir"),
    ("sagemaker_inference.parameters", "USER_PROGRAM_ENV"),
    ("sagemaker_inference.logging", "get_logger configure_logger"),
    ("sagemaker_inference.utils", "parse_accept retrieve_content_type_header read_file write_file"),
    (
        "sagemaker_pytorch_serving_container.default_pytorch_inference_handler",
        "DefaultPytorchInferenceHandler ModelLoadError",
    ),
    (
        "sagemaker_pytorch_serving_container.default_inference_handler",
        "DefaultPytorchInferenceHandler",
    ),
    ("sagemaker_pytorch_serving_container.handler_service", "HandlerService"),
]


@pytest.fixture(autouse=True)
def _offered() -> Iterator[None]:
    """The stand-in is importable here, and forgotten afterwards."""
    stand_in.offer()
    yield
    stand_in.withdraw()


@pytest.mark.parametrize(("module", "names"), IMPORTED)
def test_what_handlers_import_is_there(module: str, names: str) -> None:
    imported = importlib.import_module(module)
    assert [name for name in names.split() if not hasattr(imported, name)] == []


def test_it_is_offered_once_the_real_packages_are_not_there_and_comes_last() -> None:
    assert Path(sys.path[-1]) == Path(stand_in.__file__).resolve().parent


def test_real_packages_come_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = tmp_path / "sagemaker_inference"
    real.mkdir()
    (real / "__init__.py").write_text("REAL = True\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert importlib.import_module("sagemaker_inference").REAL
    importlib.import_module("sagemaker_pytorch_serving_container.handler_service")


def test_a_module_that_extends_a_handler_service_imports_and_it_refuses_to_run() -> None:
    service = importlib.import_module("sagemaker_pytorch_serving_container.handler_service")
    extended = type("MyService", (service.HandlerService,), {})()
    with pytest.raises(NotImplementedError, match="Sagelet calls the functions of your module"):
        extended.handle([], None)


def test_the_folders_follow_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", "/here")
    environment = importlib.import_module("sagemaker_inference.environment")
    assert environment.code_dir == "/here/model/code"
    monkeypatch.setenv("SAGEMAKER_MULTI_MODEL", "true")
    assert environment.model_dir == "/here/models"
    with pytest.raises(AttributeError, match="no_such_dir"):
        _ = environment.no_such_dir


def test_the_environment_is_that_of_the_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAGEMAKER_PROGRAM", "serve.py")
    monkeypatch.setenv("SAGEMAKER_MODEL_SERVER_TIMEOUT", "90")
    seen = importlib.import_module("sagemaker_inference.environment").Environment()
    assert (seen.module_name, seen.model_server_timeout) == ("serve", 90)
    assert (seen.default_accept, seen.inference_http_port) == ("application/json", "8080")


def test_the_handlers_of_an_older_blog_post_import_and_encode(tmp_path: Path) -> None:
    from tests.serving_projects import serving

    source = """
        from sagemaker_inference import decoder, content_types, encoder

        def model_fn(model_dir):
            pass

        def input_fn(request_body, request_content_type):
            return [{"text": request_body}]

        def predict_fn(input_data, model):
            return [{"probabilities": {"Sports": 0.5}, "raw": 1} for _ in input_data]

        def output_fn(prediction, content_type):
            res = [{"probabilities": result["probabilities"]} for result in prediction]
            return encoder.encode(res, content_type)
    """
    with serving(tmp_path, {"code/inference.py": source}) as project:
        assert project.says() == '[{"probabilities": {"Sports": 0.5}}]'
