"""Each snippet, pasted into a shell or an interpreter, returns what the endpoint answers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from sagelet.web.snippets import KEY_VARIABLE, Called, Snippet, snippets_of
from tests.end_to_end.local_aws import PATIENCE_S, REPOSITORY, LocalAws

AWS_PROGRAMS = REPOSITORY / ".venv-aws" / "bin"
NAME = "by-snippet"
TYPE = "text/x-any; charset=utf-8"
PROGRAMS: Mapping[str, tuple[str, str | Path]] = {
    "sh": ("it.sh", "bash"),
    "python": ("it.py", AWS_PROGRAMS / "python"),
    "js": ("it.mjs", "node"),
}
EXECUTED = ("curl", "requests", "fetch", "sagelet", "aws", "boto3")

# Answers with the very bytes that came, and what they were said to be.
ECHO = """
def model_fn(model_dir):
    return "echo"

def transform_fn(model, data, content_type, accept):
    return b"<" + bytes(data) + b">" + content_type.encode(), "application/octet-stream"
"""

BODIES = {
    "example": b'[["The Wimbledon tennis tournament starts next week!"]]',
    "nasty": (
        'it\'s "so" $(touch hacked) `id` $HOME \\ \\n 100% %s !! 🙂 日本語 </script>\n'
        "next 'line'\n\ttab\r\n\x1b[31m \u202e @"
    ).encode(),
    "at": b"@payload.bin",
    "dash": b"-n --help",
    "empty": b"",
    "binary": bytes(range(256)),
}


@dataclass(frozen=True)
class Shell:
    """Where a snippet is pasted: a folder, and a shell after `sagelet env` and `sagelet keys`."""

    local: LocalAws
    folder: Path
    variables: dict[str, str]

    def paste(self, snippet: Snippet, *, code: int = 0) -> bytes:
        """Run a snippet as a person would; return what it printed."""
        name, program = PROGRAMS[snippet.language]
        file = self.folder / name
        file.write_text(snippet.code + "\n")
        done = subprocess.run(
            [program, file],
            cwd=self.folder,
            env=self.local.environment | self.variables,
            capture_output=True,
            timeout=PATIENCE_S,
            check=False,
        )
        assert done.returncode == code, done.stderr.decode()
        return done.stdout


@pytest.fixture(scope="module")
def endpoint(local: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    model = tmp_path_factory.mktemp("model")
    (model / "inference.py").write_text(ECHO)
    with local.deployed(NAME, model):
        yield NAME


@pytest.fixture(scope="module")
def api_key(local: LocalAws) -> str:
    made = local.sagelet("keys", "create", "snippets", "--endpoint", NAME, "--json").stdout
    key: str = json.loads(made)["key"]
    return key


@pytest.fixture(scope="module")
def variables(local: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What a shell has after `sagelet env`, with the programs that snippets name in its path."""
    programs = tmp_path_factory.mktemp("programs")
    own = programs / "sagelet"
    own.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m sagelet "$@"\n')
    own.chmod(0o755)
    (programs / "aws").symlink_to(AWS_PROGRAMS / "aws")
    found: dict[str, str] = json.loads(local.sagelet("env", "--format", "json").stdout)
    return found | {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}


@pytest.fixture
def shell(local: LocalAws, api_key: str, variables: dict[str, str], tmp_path: Path) -> Shell:
    return Shell(local, tmp_path, variables | {KEY_VARIABLE: api_key})


CASES = [
    *((way, body) for way in EXECUTED for body in ("nasty", "binary")),
    ("curl", "example"),
    ("curl", "at"),
    ("curl", "empty"),
    ("sagelet", "dash"),
    ("fetch", "empty"),
]


@pytest.mark.parametrize(("way", "body"), CASES)
def test_a_pasted_snippet_sends_the_very_body(
    local: LocalAws, endpoint: str, shell: Shell, way: str, body: str
) -> None:
    called = Called(local.info.address, endpoint, BODIES[body], TYPE)
    if called.text is None:
        (shell.folder / called.file).write_bytes(called.body)
    snippet = next(each for each in snippets_of(called) if each.key == way)
    assert shell.paste(snippet).endswith(answer(local, called))
    assert not (shell.folder / "hacked").exists()


def test_a_snippet_of_the_sdk_sends_the_very_body(
    local: LocalAws, endpoint: str, shell: Shell
) -> None:
    if not list(AWS_PROGRAMS.parent.glob("lib/python3*/site-packages/sagemaker/predictor.py")):
        pytest.skip("the SageMaker SDK is not installed: its snippet's syntax is tested alone")
    called = Called(local.info.address, endpoint, BODIES["nasty"], TYPE)
    snippet = next(each for each in snippets_of(called) if each.key == "sagemaker")
    assert shell.paste(snippet).endswith(answer(local, called))


def test_a_wrong_key_is_told_by_a_snippets_exit(
    local: LocalAws, endpoint: str, shell: Shell
) -> None:
    called = Called(local.info.address, endpoint, b"[]", TYPE)
    curl = next(each for each in snippets_of(called) if each.key == "curl")
    shell.variables[KEY_VARIABLE] = "sgl_live_wrong"
    assert b'"status":401' in shell.paste(curl, code=22)


def answer(local: LocalAws, called: Called) -> bytes:
    """Return what boto3 gets for the same call."""
    answered = local.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=called.endpoint, Body=called.body, ContentType=called.content_type
    )
    body: bytes = answered["Body"].read()
    assert body == b"<" + called.body + b">" + called.content_type.encode()
    return body
