"""An edit on its way in: prepared, tried on a sample, committed or forgotten."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sagelet.worker.serving.preparing import Preparing
from tests.serving_projects import ECHO, Project, serving

SAMPLE = {"content_type": "text/plain", "accept": "text/plain"}


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    files = {"inference.py": ECHO, "words.py": "WORD = 'old'\n"}
    with serving(tmp_path, files) as loaded:
        yield loaded


def preparing(project: Project, **options: Any) -> Preparing:  # noqa: ANN401
    return Preparing(project.reloader, project.responder, **options)


def prepare(
    project: Project, edits: Preparing, sample: bytes | None = b"a sample"
) -> dict[str, Any]:
    header: dict[str, Any] = {
        "op": "prepare",
        "generation": 2,
        "changed": [str(project.root / "inference.py")],
    }
    if sample is not None:
        header["sample"] = SAMPLE
    said = edits.reply(header, sample or b"")
    assert said is not None
    return said


def test_a_sample_that_is_answered_lets_the_edit_in(project: Project) -> None:
    edits = preparing(project)
    project.change("inference.py", '" ".join(prediction)', '"new " + prediction[0]')
    said = prepare(project, edits)
    assert (said["op"], said["generation"], said["batches"]) == ("prepared", 2, False)
    assert project.says() == "bytearray(b'hello') model"
    assert edits.reply({"op": "commit"}, b"") == {
        "op": "committed",
        "generation": 2,
        "batches": False,
    }
    assert project.says() == "new bytearray(b'hello')"


def test_a_sample_that_fails_keeps_the_edit_out(project: Project) -> None:
    edits = preparing(project)
    project.change("inference.py", "return body", "return body['text']")
    said = prepare(project, edits)
    assert said["op"] == "prepare_failed"
    assert said["error"] == "TypeError: bytearray indices must be integers or slices, not str"
    assert said["where"] == f"{project.root.resolve()}/inference.py:6"
    assert "Traceback (most recent call last)" in said["traceback"]
    assert edits.reply({"op": "commit"}, b"") is None
    assert project.says() == "bytearray(b'hello') model"


def test_a_sample_that_the_handler_refuses_keeps_the_edit_out(project: Project) -> None:
    project.edit(
        "inference.py",
        textwrap.dedent(ECHO).replace("prediction, accept):", "prediction, accept, context):")
        .replace('return " "', 'context.set_response_status(422)\n    return " "'),
    )  # fmt: skip
    said = prepare(project, preparing(project))
    assert said["op"] == "prepare_failed"
    assert said["error"] == ("the sample was answered with 422: bytearray(b'a sample') model")
    assert said["where"] == f"{project.root}/inference.py"


def test_a_sample_that_takes_long_is_for_a_fresh_worker(project: Project) -> None:
    project.change("inference.py", "return body", "import time; time.sleep(30); return body")
    said = prepare(project, preparing(project, sample_s=0.05))
    assert said["op"] == "needs_fresh"
    assert said["why"] == "the sample takes longer than 0.05 s"
    assert project.says() == "bytearray(b'hello') model"


@pytest.mark.parametrize("contract", ["sane", "strict"])
def test_a_sample_that_exits_is_a_failed_edit_and_no_end(tmp_path: Path, contract: str) -> None:
    with serving(tmp_path, {"inference.py": ECHO}, contract=contract) as project:
        project.change("inference.py", "return body", "raise SystemExit(3)")
        said = prepare(project, preparing(project))
        assert (said["op"], said["error"]) == ("prepare_failed", "SystemExit: 3")
        assert project.says() == "bytearray(b'hello') model"


def test_a_handler_that_imports_when_called_finds_the_edited_module(tmp_path: Path) -> None:
    source = ECHO.replace(
        'return " ".join(prediction)', "from words import shown; return shown(prediction)"
    )
    files = {
        "inference.py": "    import words\n" + source,
        "words.py": "def shown(words):\n    return 'old'\n",
    }
    with serving(tmp_path, files) as project:
        edits = preparing(project)
        project.edit("words.py", "def shown(words):\n    return 'new ' + words[0]\n")
        assert prepare(project, edits)["op"] == "prepared"
        assert project.says() == "old"
        edits.reply({"op": "commit"}, b"")
        assert project.says() == "new bytearray(b'hello')"


def test_an_edit_that_brings_a_batch_function_says_so(project: Project) -> None:
    edits = preparing(project)
    more = "\n    def predict_batch_fn(inputs, model):\n        return inputs\n"
    project.edit("inference.py", ECHO + more)
    assert prepare(project, edits, None)["batches"] is True
    said = edits.reply({"op": "commit"}, b"")
    assert said is not None
    assert said["batches"] is True


def test_a_late_cancel_forgets_no_edit(project: Project) -> None:
    edits = preparing(project)
    project.change("inference.py", "return body", "return body + b'!'")
    prepare(project, edits)
    assert edits.reply({"op": "cancel", "id": 1}, b"") is None
    said = edits.reply({"op": "commit"}, b"")
    assert said is not None
    assert said["op"] == "committed"


def test_a_discarded_edit_cannot_be_committed(project: Project) -> None:
    edits = preparing(project)
    project.change("inference.py", "return body", "return body + b'!'")
    prepare(project, edits)
    assert edits.reply({"op": "discard"}, b"") is None
    assert edits.reply({"op": "commit"}, b"") is None
