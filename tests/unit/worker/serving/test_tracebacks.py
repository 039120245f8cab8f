"""Errors as a person wants to read them."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from sagelet.worker.serving.tracebacks import describe, moved_line
from tests.serving_projects import serving, write


def load_error(tmp_path: Path, source: str) -> BaseException:
    with (
        pytest.raises(BaseException) as caught,  # noqa: PT011 - whatever the module raises
        serving(tmp_path, {"inference.py": source}),
    ):
        pass
    return caught.value


def test_an_import_error_shows_the_users_line_and_nothing_of_the_import_system(
    tmp_path: Path,
) -> None:
    failure = describe(load_error(tmp_path, "import os\nimport no_such_module_here\n"))
    assert failure.error == "ModuleNotFoundError: No module named 'no_such_module_here'"
    assert failure.where == f"{tmp_path.resolve()}/inference.py:2"
    assert "importlib" not in failure.traceback
    assert "/sagelet/" not in failure.traceback


def test_a_syntax_error_is_placed_in_the_file_that_has_it(tmp_path: Path) -> None:
    failure = describe(load_error(tmp_path, "x = 1\ny = = 2\n"))
    assert failure.error == "SyntaxError: invalid syntax"
    assert failure.where.endswith("inference.py:2")


def test_the_place_is_the_users_own_even_where_a_library_raised(tmp_path: Path) -> None:
    source = "import json\n\ndef model_fn(model_dir):\n    json.loads('{')\n"
    failure = describe(load_error(tmp_path, source))
    assert failure.where.endswith("inference.py:4")
    assert "json/decoder.py" in failure.traceback


def test_symbolic_links_are_resolved(tmp_path: Path) -> None:
    project = write(tmp_path / "project", {"serve.py": "raise RuntimeError('here')\n"})
    (tmp_path / "model").mkdir()
    (tmp_path / "model/inference.py").symlink_to(project / "serve.py")
    with (
        pytest.raises(RuntimeError) as caught,
        serving(tmp_path / "model", {}),
    ):
        pass
    failure = describe(caught.value)
    assert failure.where == f"{project.resolve()}/serve.py:1"
    assert f'File "{project.resolve()}/serve.py"' in failure.traceback


def test_what_an_error_was_raised_from_is_shown_without_our_frames(tmp_path: Path) -> None:
    source = """
        def model_fn(model_dir):
            try:
                {}["key"]
            except KeyError as error:
                raise ValueError("no key") from error
    """
    failure = describe(load_error(tmp_path, source))
    assert "The above exception was the direct cause" in failure.traceback
    assert "/sagelet/" not in failure.traceback


def test_a_long_traceback_is_cut_in_the_middle(tmp_path: Path) -> None:
    failure = describe(ValueError("x" * 100_000))
    assert len(failure.traceback) < 40_000
    assert "[...]" in failure.traceback


def test_an_error_without_frames_has_the_place_it_is_given() -> None:
    assert describe(ValueError("x"), otherwise="/a/b.py").where == "/a/b.py"


def test_moved_code_is_found_again(tmp_path: Path) -> None:
    old = b"def a():\n    return 1\n\ndef b():\n    x = 1\n    return x\n"
    path = tmp_path / "m.py"
    path.write_bytes(b"import os\n\n" + old)
    assert moved_line(old, str(path), 6) == 8
    path.write_bytes(old.replace(b"return x", b"return x + 1"))
    assert moved_line(old, str(path), 6) == 6
    path.write_bytes(b"def broken(")
    assert moved_line(old, str(path), 6) == 6


@pytest.mark.parametrize(
    ("source", "error"),
    [
        (
            "x = 1\n\ndef model_fn():\n    return x\n",
            "TypeError: model_fn takes 0 arguments but 1 were given.",
        ),
        (
            "def input_fn(a, b): pass\n\ndef transform_fn(a, b, c, d): pass\n",
            "ValueError: Cannot use transform_fn implementation in conjunction with "
            "input_fn, predict_fn, and/or output_fn implementation",
        ),
    ],
)
def test_a_function_that_cannot_be_called_is_shown_where_it_stands(
    tmp_path: Path, source: str, error: str
) -> None:
    failure = describe(load_error(tmp_path, source))
    assert failure.error == error
    assert failure.where == f"{tmp_path.resolve()}/inference.py:3"
    assert source.splitlines()[2] in failure.traceback
    assert "/sagelet/" not in failure.traceback


def test_a_file_that_does_not_parse_is_shown_where_it_really_is(tmp_path: Path) -> None:
    real = tmp_path / "serve.py"
    real.write_text("retrn 1\n")
    link = tmp_path / "link.py"
    link.symlink_to(real)
    with pytest.raises(SyntaxError) as caught:
        ast.parse(link.read_bytes(), str(link))
    failure = describe(caught.value)
    assert failure.where == f"{real}:1"
    assert f'File "{real}", line 1' in failure.traceback
    assert "link.py" not in failure.traceback
    assert "ast.py" not in failure.traceback
