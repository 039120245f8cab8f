"""A person edits the code of an endpoint that serves, while requests keep coming in."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sagelet.domain.home import Home
from tests.end_to_end.local_aws import LocalAws, eventually

HANDLERS = """
import os
import pathlib

import torch

GREETING = "hello"


def model_fn(model_dir):
    with open(os.environ["LOADS"], "a") as file:
        file.write("loaded\\n")
    return pathlib.Path(model_dir, "weights.txt").read_text() + str(int(torch.ones(1).sum()))


def input_fn(body, content_type):
    return body


def predict_fn(data, model):
    return f"{GREETING} {model}"


def output_fn(prediction, accept):
    return prediction, "text/plain"
"""
WORKERS = 2


@dataclass(frozen=True)
class Heard:
    """An answer, and what its header says of an edit that is not served."""

    text: str
    reload_error: str | None


class Visitor(threading.Thread):
    """Invokes an endpoint again and again, and remembers what it heard."""

    def __init__(self, local: LocalAws, endpoint: str) -> None:
        super().__init__()
        self._client: Any = local.client("sagemaker-runtime")
        self._endpoint = endpoint
        self._over = threading.Event()
        self.heard: list[Heard] = []
        self.failures: list[Exception] = []

    def run(self) -> None:
        while not self._over.is_set():
            try:
                answer = self._client.invoke_endpoint(EndpointName=self._endpoint, Body=b"x")
            except Exception as error:  # noqa: BLE001  whatever it is, the test reports it
                self.failures.append(error)
                continue
            headers = answer["ResponseMetadata"]["HTTPHeaders"]
            self.heard.append(
                Heard(answer["Body"].read().decode(), headers.get("x-sagelet-reload-error"))
            )

    def leave(self) -> None:
        self._over.set()
        self.join()

    def hears(self, text: str) -> Heard:
        """Wait for an answer."""
        return eventually(
            lambda: self.heard[-1] if self.heard and self.heard[-1].text == text else None,
            f"the answer {text!r}",
        )


@dataclass(frozen=True)
class Edited:
    """An endpoint that serves a folder of the test's, and its visitor."""

    local: LocalAws
    name: str
    folder: Path
    visitor: Visitor

    @property
    def loads(self) -> int:
        """How many workers have loaded a model so far."""
        return len((self.folder.parent / "loads").read_text().splitlines())

    def edit(self, *changes: tuple[str, str]) -> None:
        """Save the handlers with these texts replaced."""
        code = HANDLERS
        for old, new in changes:
            assert old in code
            code = code.replace(old, new)
        (self.folder / "inference.py").write_text(code)

    def logs(self, *texts: str) -> str:
        """Wait until the endpoint's log has these texts; return the log."""

        def found() -> str | None:
            log = "\n".join(self.local.endpoint_log(self.name))
            return log if all(text in log for text in texts) else None

        return eventually(found, f"{texts} in the log")


@pytest.fixture
def edited(local: LocalAws, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Edited]:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "inference.py").write_text(HANDLERS)
    (folder / "weights.txt").write_text("v")
    name = request.node.originalname.removeprefix("test_").replace("_", "-")[:63].strip("-")
    local.deploy(
        name,
        folder,
        environment={
            "SAGEMAKER_MODEL_SERVER_WORKERS": str(WORKERS),
            "LOADS": str(tmp_path / "loads"),
        },
    )
    local.wait_in_service(name)
    visitor = Visitor(local, name)
    visitor.start()
    try:
        visitor.hears("hello v1")
        yield Edited(local, name, folder, visitor)
    finally:
        visitor.leave()
        local.sagemaker.delete_endpoint(EndpointName=name)
    assert visitor.failures == []


def test_an_edit_changes_the_answer_and_keeps_the_model(edited: Edited) -> None:
    edited.edit(("hello", "good morning"))
    edited.visitor.hears("good morning v1")
    edited.logs("reloaded inference.py in", "(model kept)")
    assert edited.loads == WORKERS
    texts = [heard.text for heard in edited.visitor.heard]
    assert set(texts) == {"hello v1", "good morning v1"}


def test_a_broken_edit_is_reported_while_the_last_good_version_serves_until_it_is_mended(
    edited: Edited,
) -> None:
    edited.edit(("hello", "good morning"))
    edited.visitor.hears("good morning v1")

    edited.edit(("return body", "return body)"))
    log = edited.logs("is not served, the last good version is", "SyntaxError: unmatched ')'")
    line = HANDLERS.splitlines().index("    return body") + 1
    assert f'inference.py", line {line}' in log
    told = eventually(
        lambda: next((each for each in reversed(edited.visitor.heard) if each.reload_error), None),
        "the header of a broken edit",
    )
    assert told.text == "good morning v1"
    assert told.reload_error is not None
    assert told.reload_error.startswith("SyntaxError: unmatched ')'")
    assert f"inference.py:{line}" in told.reload_error

    edited.edit(("hello", "good evening"))
    assert edited.visitor.hears("good evening v1").reload_error is None
    assert edited.loads == WORKERS


def test_an_edit_that_raises_when_it_is_imported_shows_the_traceback(edited: Edited) -> None:
    edited.edit(('GREETING = "hello"', 'GREETING = {}["hello"]'))
    log = edited.logs("KeyError: 'hello'")
    assert "Traceback (most recent call last):" in log
    assert 'GREETING = {}["hello"]' in log
    assert edited.visitor.hears("hello v1").text == "hello v1"
    assert edited.loads == WORKERS


def test_a_changed_model_fn_loads_the_model_again(edited: Edited) -> None:
    edited.edit(('"weights.txt").read_text()', '"weights.txt").read_text().upper()'))
    edited.visitor.hears("hello V1")
    edited.logs("reloaded inference.py in", "(model reloaded")
    assert edited.loads == 2 * WORKERS


def test_a_model_fn_that_raises_keeps_the_model_that_serves(edited: Edited) -> None:
    edited.edit(('"weights.txt"', '"weight.txt"'))
    log = edited.logs("FileNotFoundError", "is not served, the last good version is")
    assert "in model_fn" in log
    assert edited.visitor.hears("hello v1").text == "hello v1"
    edited.edit()
    edited.logs("(model kept)")
    edited.edit(("hello", "good night"))
    edited.visitor.hears("good night v1")


def test_new_weights_load_the_model_again(edited: Edited) -> None:
    (edited.folder / "weights.txt").write_text("w")
    edited.visitor.hears("hello w1")
    assert edited.loads == 2 * WORKERS


def test_both_ways_of_handlers_at_once_are_refused_in_the_toolkits_words(edited: Edited) -> None:
    edited.edit(("def input_fn", "def transform_fn(m, d, c, a):\n    return d\n\n\ndef input_fn"))
    edited.logs(
        "Cannot use transform_fn implementation in conjunction with input_fn, predict_fn, and/or "
        "output_fn implementation"
    )
    assert edited.visitor.hears("hello v1").reload_error is not None
    edited.edit()
    edited.logs("(model kept), mended")


def test_a_handler_module_that_is_deleted_is_missed_and_its_endpoint_serves_on(
    edited: Edited,
) -> None:
    (edited.folder / "inference.py").unlink()
    edited.logs("inference.py is not served", "Exactly one .pth or .pt file is required")
    assert edited.visitor.hears("hello v1").text == "hello v1"
    edited.edit(("hello", "welcome back"))
    edited.visitor.hears("welcome back v1")


def test_a_handler_that_is_removed_leaves_the_default_in_its_place(edited: Edited) -> None:
    edited.edit(('    return prediction, "text/plain"', '    return prediction, "text/html"'))
    edited.logs("reloaded inference.py in")
    code = (edited.folder / "inference.py").read_text()
    (edited.folder / "inference.py").write_text(code[: code.index("def output_fn")])
    edited.visitor.hears('"hello v1"')  # the default's JSON


def test_code_behind_links_and_editors_that_rename_are_edits_like_others(edited: Edited) -> None:
    kept = edited.folder.parent / "project"
    kept.mkdir()
    (edited.folder / "inference.py").replace(kept / "serve.py")
    (edited.folder / "inference.py").symlink_to(kept / "serve.py")
    for greeting in ("one", "two"):
        (kept / "serve.py.new").write_text(HANDLERS.replace("hello", greeting))
        (kept / "serve.py.new").replace(kept / "serve.py")
        edited.visitor.hears(f"{greeting} v1")
    assert edited.loads == WORKERS


SUMS = """
import json


def model_fn(model_dir):
    return 1


def input_fn(body, content_type):
    return json.loads(body)


def predict_fn(data, model):
    return sum(data) + model


def output_fn(prediction, accept):
    return json.dumps(prediction)
"""


def test_code_that_does_not_answer_the_projects_sample_is_not_served(
    local: LocalAws, tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "inference.py").write_text(SUMS)
    sample = tmp_path / "sample.json"
    sample.write_text("[1, 2]")
    with local.deployed("sampled", folder, environment={"SAGELET_SAMPLE": str(sample)}):
        for change, error in (('sum(data)["x"]', "TypeError"), ("sum(data, x)", "NameError")):
            (folder / "inference.py").write_text(SUMS.replace("sum(data)", change))
            eventually(
                lambda error=error: any(error in line for line in local.endpoint_log("sampled")),  # type: ignore[misc]
                f"{error} in the log",
            )
            assert local.invoke("sampled", "[2, 3]", ContentType="application/json") == "6"
        text = "\n".join(local.endpoint_log("sampled"))
        line = SUMS.splitlines().index("    return sum(data) + model") + 1
        assert f'inference.py", line {line}, in predict_fn' in text
        (folder / "inference.py").write_text(SUMS.replace("sum(data)", "2 * sum(data)"))
        eventually(
            lambda: local.invoke("sampled", "[2, 3]", ContentType="application/json") == "11",
            "the mended edit",
        )


def test_where_events_do_not_come_folders_are_looked_at(tmp_path: Path) -> None:
    local = LocalAws(Home(tmp_path / "home"), {"WATCHFILES_FORCE_POLLING": "1"})
    local.sagelet("up", "--port", "0")
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "weights.txt").write_text("v")
    (folder / "inference.py").write_text(HANDLERS)
    try:
        with local.deployed("polled", folder, environment={"LOADS": str(tmp_path / "loads")}):
            for greeting in ("polled", "quickly", "again"):
                (folder / "inference.py").write_text(HANDLERS.replace("hello", greeting))
                eventually(
                    lambda greeting=greeting: local.invoke("polled") == f"{greeting} v1",  # type: ignore[misc]
                    f"the answer of {greeting}",
                )
    finally:
        local.sagelet("down")
