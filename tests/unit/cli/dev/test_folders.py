from __future__ import annotations

from pathlib import Path

import click
import pytest

from sagelet.cli.dev.folders import bare_folder, endpoint_name

HANDLERS = "import json\n\n\ndef predict_fn(data, model):\n    return data\n"


def a_folder(root: Path, *names: str, text: str = HANDLERS) -> Path:
    for name in names:
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return root


@pytest.mark.parametrize(
    ("files", "chosen"),
    [
        (["inference.py"], "inference.py"),
        (["serve.py", "inference.py"], "inference.py"),
        (["serve.py", "train.py"], "serve.py"),
        (["code/inference.py"], "code/inference.py"),
        (["code/inference.py", "inference.py"], "code/inference.py"),
        (["code/serve.py", "inference.py"], "inference.py"),
        (["handlers.py"], "handlers.py"),
    ],
)
def test_handlers_are_found_by_name_and_then_by_what_they_define(
    tmp_path: Path, files: list[str], chosen: str
) -> None:
    found = bare_folder(a_folder(tmp_path, *files))
    assert found.entry_point == tmp_path / chosen
    assert found.program == Path(chosen).name


def test_a_file_without_handlers_is_not_taken_for_one(tmp_path: Path) -> None:
    a_folder(tmp_path, "model.py", text="def main():\n    model_fn = 1\n    predict_fn('x')\n")
    a_folder(tmp_path, "app.py")
    assert bare_folder(tmp_path).program == "app.py"


def test_a_folder_without_handlers_says_what_was_looked_for(tmp_path: Path) -> None:
    a_folder(tmp_path, "train.py", text="print('training')\n")
    with pytest.raises(click.UsageError) as raised:
        bare_folder(tmp_path)
    assert "looked for inference.py and serve.py" in str(raised.value)
    assert "model_fn, transform_fn or predict_fn" in str(raised.value)


def test_two_files_with_handlers_are_named(tmp_path: Path) -> None:
    with pytest.raises(click.UsageError, match=r"handlers in one\.py, two\.py"):
        bare_folder(a_folder(tmp_path, "one.py", "two.py"))


def test_a_folder_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(click.UsageError, match="there is no folder"):
        bare_folder(tmp_path / "nowhere")


def test_nothing_is_imported(tmp_path: Path) -> None:
    a_folder(tmp_path, "broken.py", text="def model_fn(model_dir):\n    return (\n")
    assert bare_folder(tmp_path).program == "broken.py"


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("line-fit", "line-fit"),
        ("My model (2)", "My-model-2"),
        ("_", "model"),
        ("a" * 80, "a" * 63),
    ],
)
def test_a_folders_name_becomes_the_endpoints(tmp_path: Path, folder: str, name: str) -> None:
    assert endpoint_name(tmp_path / folder) == name
