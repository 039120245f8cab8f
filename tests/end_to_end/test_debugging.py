"""`sagelet dev --debug`: breakpoint() in a handler stops on the terminal, and waits."""

from __future__ import annotations

import subprocess
import sys
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


def predict_fn(data, model):
    result = [each * model for each in data]
    breakpoint()
    return result


def input_fn(body, content_type):
    return json.loads(body)


def output_fn(prediction, accept):
    return json.dumps(prediction), "application/json"
"""
NAME = "stopped"


@pytest.fixture
def handlers(tmp_path: Path) -> Path:
    folder = tmp_path / NAME
    folder.mkdir()
    (folder / "serve.py").write_text(HANDLERS)
    return folder / "serve.py"


def debugging(local: LocalAws, handlers: Path, *arguments: str) -> Terminal:
    command = ("-m", "sagelet", "dev", "--debug", *arguments)
    return Terminal(*command, cwd=handlers.parent, environment=local.environment)


@contextmanager
def asking(local: LocalAws, payload: str) -> Iterator[subprocess.Popen[str]]:
    """Invoke the endpoint in another process, which waits for the answer."""
    command = [sys.executable, "-m", "sagelet", "invoke", NAME, "-d", payload, "--timeout", "60"]
    with subprocess.Popen(
        command, env=local.environment, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_a_breakpoint_stops_on_the_terminal_and_the_answer_comes_when_it_goes_on(
    local: LocalAws, handlers: Path
) -> None:
    with debugging(local, handlers) as terminal:
        terminal.shows(f"{NAME} serves after")
        with asking(local, "[1, 2]") as asked:
            terminal.shows(r"-> return result\n\(Pdb\) ")
            terminal.press("p result\n")
            terminal.shows(r"\n\[3, 6\]\n\(Pdb\) ")
            terminal.press("result.append(9)\nc\n")
            assert asked.communicate(timeout=30)[0] == "[3, 6, 9]"
        terminal.press("\x03")
        assert terminal.ends() == 130
        assert f"removed endpoint {NAME}" in terminal.text
        assert "req/s" not in terminal.text  # the terminal is pdb's, too
    eventually(lambda: NAME not in str(local.state()), "everything of it is removed")


def test_an_edit_at_a_breakpoint_is_live_once_the_request_has_gone_on(
    local: LocalAws, handlers: Path
) -> None:
    with debugging(local, handlers) as terminal:
        terminal.shows(f"{NAME} serves after")
        with asking(local, "[1]") as asked:
            terminal.shows(r"\(Pdb\) ")
            handlers.write_text(HANDLERS.replace("    breakpoint()\n", "    result *= 2\n"))
            terminal.press("c\n")
            assert asked.communicate(timeout=30)[0] == "[3]"
        terminal.shows(r"reloaded serve\.py in \d+ ms \(model kept\)")
        with asking(local, "[1]") as asked:
            assert asked.communicate(timeout=30)[0] == "[3, 3]"

        # What makes another model makes another process, on the same terminal.
        handlers.write_text(HANDLERS.replace("return 3", "return 5"))
        terminal.shows(r"\(model reloaded")
        with asking(local, "[1]") as asked:
            terminal.shows(r"\(Pdb\) ")
            terminal.press("p model\nc\n")
            terminal.shows(r"\n5\n")
            assert asked.communicate(timeout=30)[0] == "[5]"
        terminal.press("\x03")
        assert terminal.ends() == 130


def test_a_debugger_that_is_not_installed_is_said_so(local: LocalAws, handlers: Path) -> None:
    refused = local.sagelet("dev", "--debug", "--debugpy", "5678", cwd=handlers.parent, code=2)
    assert "debugpy is not installed in" in refused.stderr
    refused = local.sagelet("dev", "--debugpy", "5678", cwd=handlers.parent, code=2)
    assert "--debugpy goes with --debug" in refused.stderr
