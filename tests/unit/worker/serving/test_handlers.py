"""Which functions serve, and how they are called."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

from sagelet.worker.serving.defaults import PyTorchDefaults
from sagelet.worker.serving.handlers import Handler, bind, module_name
from tests.serving_projects import ECHO, serving


def a_module(**functions: object) -> ModuleType:
    module = ModuleType("inference")
    module.__dict__.update(functions)
    return module


def test_the_module_is_the_program_without_its_suffix() -> None:
    assert module_name("serve.py") == "serve"
    assert module_name("pkg.serve") == "pkg.serve"


def test_a_function_with_one_parameter_more_gets_the_context_last() -> None:
    handler = Handler("input_fn", lambda data, kind, anything: (data, kind, anything), 2)
    assert handler("context", "data", "kind") == ("data", "kind", "context")


def test_a_function_with_its_own_parameters_gets_no_context() -> None:
    handler = Handler("input_fn", lambda data, kind: (data, kind), 2)
    assert handler("context", "data", "kind") == ("data", "kind")


def test_a_defaulted_parameter_counts_as_one() -> None:
    def input_fn(data: str, kind: str = "x", **options: str) -> str:
        return data

    with pytest.raises(TypeError, match=r"takes from 1 to 2 positional arguments but 3 were given"):
        Handler("input_fn", input_fn, 2)("context", "data", "kind")


def test_another_number_of_parameters_is_refused_when_called_with_the_toolkits_words() -> None:
    def input_fn(data: str) -> str:
        return data

    handler = Handler("input_fn", input_fn, 2)
    with pytest.raises(TypeError, match=r"^input_fn takes 1 arguments but 2 were given\.$"):
        handler("context", "data", "kind")


def test_transform_fn_beside_input_fn_is_refused() -> None:
    module = a_module(transform_fn=print, input_fn=print)
    with pytest.raises(ValueError, match="Cannot use transform_fn implementation in conjunction"):
        bind(module, PyTorchDefaults())


def test_functions_that_are_missing_are_defaults() -> None:
    handlers = bind(a_module(predict_fn=lambda data, model: data), PyTorchDefaults())
    assert handlers.defined == ("predict_fn",)
    assert handlers.transform is None
    assert handlers.before_model is None
    assert handlers.warm_up is None


def test_the_model_is_loaded_once_between_the_functions_around_it(tmp_path: Path) -> None:
    source = """
        calls = []
        def pre_model_fn(model_dir):
            calls.append(("pre", model_dir))
        def model_fn(model_dir, context):
            calls.append(("model", context.system_properties["model_dir"]))
            return calls
        def model_warmup_fn(model_dir, model):
            calls.append(("warm", len(model)))
        def transform_fn(model, data, content_type, accept):
            return str([name for name, _ in model])
    """
    with serving(tmp_path, {"code/inference.py": source}) as project:
        assert project.says() == "['pre', 'model', 'warm']"
        assert project.model[:2] == [("pre", str(tmp_path)), ("model", str(tmp_path))]


def test_the_program_may_have_another_name(tmp_path: Path) -> None:
    with serving(tmp_path, {"code/serve.py": ECHO}, program="serve.py") as project:
        assert project.says("a") == "bytearray(b'a') model"


def test_modules_at_the_root_of_the_model_are_importable_after_those_of_the_code(
    tmp_path: Path,
) -> None:
    files = {
        "code/inference.py": ECHO + "    from text_kit import NAME\n    from both import WHERE\n",
        "text_kit/__init__.py": "NAME = 'kit'\n",
        "code/both.py": "WHERE = 'code'\n",
        "both.py": "WHERE = 'root'\n",
    }
    with serving(tmp_path, files) as project:
        module = project.responder.loaded.handlers.module
        assert module is not None
        assert (module.NAME, module.WHERE) == ("kit", "code")


def test_a_missing_module_means_defaults_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ValueError, match="Exactly one"), serving(tmp_path, {"code/x.py": ""}):
        pass
    assert "no module 'inference' in" in capsys.readouterr().err


def test_a_dotted_program_with_a_missing_parent_is_an_error(tmp_path: Path) -> None:
    with (
        pytest.raises(ModuleNotFoundError),
        serving(tmp_path, {"x.py": ""}, program="no_such_package.serve"),
    ):
        pass


def test_no_bytecode_is_written_beside_the_users_code(tmp_path: Path) -> None:
    with serving(tmp_path, {"code/inference.py": ECHO}):
        assert not list(tmp_path.rglob("__pycache__"))
