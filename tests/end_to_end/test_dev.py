"""`sagelet dev`: a folder without a word of configuration, live on a terminal and off one."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.end_to_end.local_aws import LocalAws, eventually
from tests.end_to_end.terminals import Terminal

HANDLERS = """\
import json


def model_fn(model_dir):
    return 3


def input_fn(body, content_type):
    return json.loads(body)


def predict_fn(data, model):
    return [each * model for each in data]


def output_fn(prediction, accept):
    return json.dumps(prediction), "application/json"
"""
PREDICT = HANDLERS.splitlines().index("    return [each * model for each in data]") + 1


class Folder:
    """A folder with handlers, that is edited."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.name
        path.mkdir()
        self.edit()

    def edit(self, *changes: tuple[str, str]) -> None:
        """Save the handlers with these texts replaced."""
        code = HANDLERS
        for old, new in changes:
            assert old in code
            code = code.replace(old, new)
        (self.path / "serve.py").write_text(code)

    def payload(self, text: str) -> None:
        """Write the one payload."""
        file = self.path / "tests" / "payloads" / "one.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


@pytest.fixture
def folder(tmp_path: Path, request: pytest.FixtureRequest) -> Folder:
    name = request.node.originalname.removeprefix("test_").replace("_", "-")[:50].strip("-")
    return Folder(tmp_path / name)


def on_a_terminal(local: LocalAws, folder: Folder, *arguments: str) -> Terminal:
    command = ("-m", "sagelet", "dev", *arguments)
    return Terminal(*command, cwd=folder.path, environment=local.environment)


@contextmanager
def off_a_terminal(
    local: LocalAws, folder: Folder, *arguments: str
) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """Run dev with its output in pipes; yield it, and the lines of its standard output so far."""
    with subprocess.Popen(
        [sys.executable, "-m", "sagelet", "dev", str(folder.path), *arguments],
        cwd=folder.path.parent,
        env=local.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        lines: list[str] = []
        assert process.stdout is not None
        reader = threading.Thread(target=lines.extend, args=(process.stdout,))
        reader.start()
        try:
            yield process, lines
        finally:
            process.kill()
            reader.join(10)


def asked(local: LocalAws, folder: Folder, payload: str) -> str:
    """Ask as a user would; return the answer."""
    return local.sagelet("invoke", folder.name, "-d", payload, "--timeout", "60").stdout


def test_a_bare_folder_is_served_edited_and_tried_by_keys(local: LocalAws, folder: Folder) -> None:
    folder.payload("[1, 2]")
    with on_a_terminal(local, folder) as terminal:
        terminal.shows(rf"{folder.name} serves after [\d.]+ s")
        terminal.shows(rf"sagelet invoke {folder.name} -f tests/payloads/one\.json")
        terminal.shows("curl --aws-sigv4")
        terminal.shows("invoke_endpoint")
        terminal.shows(r"generation \d+ · \d+ workers? · \d+ req/s .*\[t\]est")

        terminal.press("t")
        terminal.shows(r"\[3, 6\]")

        folder.edit(("each * model", "each + model"))
        terminal.shows(r"reloaded serve\.py in \d+ ms \(model kept\)")
        terminal.press("t")
        terminal.shows(r"\[4, 5\]")

        folder.edit(("each * model", "each / 0"))
        terminal.shows(r"reloaded serve\.py")
        terminal.press("t")
        terminal.shows(
            rf"predict_fn failed at serve\.py:{PREDICT} \(status 500\): division by zero"
        )
        terminal.shows(rf'File "{folder.path}/serve\.py", line {PREDICT}, in predict_fn')
        terminal.shows("ZeroDivisionError: division by zero")

        terminal.press("l")
        terminal.shows("log lines off")
        terminal.press("r")
        terminal.shows("loading anew in fresh workers")
        terminal.press("q")
        assert terminal.ends() == 0
        assert f"removed endpoint {folder.name}" in terminal.text
    eventually(lambda: folder.name not in str(local.state()), "everything of it is removed")


def test_code_that_does_not_load_is_shown_and_served_when_an_edit_repairs_it(
    local: LocalAws, folder: Folder
) -> None:
    folder.edit(("return 3", "return nowhere"))
    with on_a_terminal(local, folder) as terminal:
        terminal.shows(r"does not serve yet: .*NameError: name 'nowhere' is not defined")
        terminal.shows("waiting for an edit that repairs it")
        folder.edit()
        terminal.shows("in service after an edit")
        terminal.shows(rf"{folder.name} serves\n")
        assert json.loads(asked(local, folder, "[2]")) == [6]

        folder.edit(("def predict_fn(data, model):", "def predict_fn(data, model)"))
        terminal.shows(r"serve\.py is not served, the last good version is: .*SyntaxError")
        assert json.loads(asked(local, folder, "[2]")) == [6]
        terminal.press("\x03")
        assert terminal.ends() == 130
    eventually(lambda: folder.name not in str(local.state()), "everything of it is removed")


def test_off_a_terminal_there_are_plain_lines_and_sigterm_removes_the_endpoint(
    local: LocalAws, folder: Folder
) -> None:
    folder.edit(("return [each", "print('asked'); return [each"))
    with off_a_terminal(local, folder) as (process, lines):
        eventually(lambda: any("serves after" in line for line in lines), "it serves")
        assert json.loads(asked(local, folder, "[1]")) == [3]
        eventually(lambda: "  asked\n" in lines, "the log line")
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 143
    assert not any("\x1b" in line for line in lines)
    eventually(lambda: folder.name not in str(local.state()), "everything of it is removed")


def test_with_json_each_line_is_a_document(local: LocalAws, folder: Folder) -> None:
    with off_a_terminal(local, folder, "--json", "--workers", "1") as (process, lines):
        eventually(lambda: lines, "it serves")
        folder.edit(("each * model", "each + model"))
        eventually(lambda: len(lines) > 1, "the reload")
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
    events = [json.loads(line) for line in lines]
    assert "serves after" in events[0]["event"]
    assert re.match(r"reloaded serve\.py", events[1]["event"])


def test_an_endpoint_that_was_there_before_and_one_to_keep_serve_on(
    local: LocalAws, folder: Folder
) -> None:
    with off_a_terminal(local, folder, "--keep", "--contract", "strict") as (process, lines):
        eventually(lambda: any("serves after" in line for line in lines), "it serves")
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
    try:
        described = json.loads(
            local.sagelet("describe", f"endpoint/{folder.name}", "--json").stdout
        )
        (variant,) = described["Sagelet"]["variants"]
        assert variant["contract"] == "strict"
        with off_a_terminal(local, folder, "--contract", "strict") as (process, lines):
            eventually(lambda: any("serves after" in line for line in lines), "it serves")
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 130
            assert process.stderr is not None
            assert "was there before" in process.stderr.read()
        assert json.loads(asked(local, folder, "[1]")) == [3]
    finally:
        local.sagelet("rm", folder.name, "--yes")


def test_a_folder_without_handlers_and_an_environment_of_awss_are_refused(
    local: LocalAws, tmp_path: Path
) -> None:
    refused = local.sagelet("dev", str(tmp_path), code=2)
    assert "looked for inference.py and serve.py" in refused.stderr
    (tmp_path / "sagelet.yml").write_text(
        "environments: {production: {instance_type: ml.m5.large}}\n"
    )
    refused = local.sagelet("dev", "-e", "production", cwd=tmp_path, code=2)
    assert "is AWS's" in refused.stderr
