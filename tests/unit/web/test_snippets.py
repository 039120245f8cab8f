"""Any text in a shell, in Python and in JavaScript: each is asked what it read."""

from __future__ import annotations

import ast
import itertools
import json
import shutil
import subprocess
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagelet.web.literals import js_text, python_text, sh_text
from sagelet.web.snippets import INLINE_CHARACTERS, Called, snippets_of

NASTY = (
    "",
    "it's",
    'say "hi"',
    "$(touch hacked) `id` $HOME ${x}",
    "back\\slash \\n \\",
    "two\nlines\n",
    "\n",
    "tab\tand\rreturn",
    "emoji 🙂 and 日本語, é",
    "</script><script>alert(1)</script>",
    "@file.json",
    "-n -d --help",
    "%s %d 100%",
    "!history !!",
    "\x1b[31mred\x1b[0m",
    "hidden\u202ereversed\u200b\u2028end\ufeff",
    "'; rm -rf ~ #",
    "a\x7fb\x01c",
    "\U000e0041 tag",
)


def a_call(body: bytes = b"{}", **members: Any) -> Called:  # noqa: ANN401  Called's own
    return Called("http://127.0.0.1:7543", "sentiment", body, "application/json", **members)


def test_shells_read_what_was_written() -> None:
    script = "".join(f"printf %s {sh_text(text)}; printf '\\0'\n" for text in NASTY)
    read = subprocess.run(["bash", "-c", script], capture_output=True, check=True).stdout
    assert read.decode().split("\0")[:-1] == list(NASTY)


def test_plain_text_is_read_by_every_shell() -> None:
    plain = [text for text in NASTY if text.isprintable()]
    script = "".join(f"printf %s {sh_text(text)}; printf '\\0'\n" for text in plain)
    read = subprocess.run(["sh", "-c", script], capture_output=True, check=True).stdout
    assert read.decode().split("\0")[:-1] == plain


def test_node_reads_what_was_written() -> None:
    node = shutil.which("node")
    assert node is not None, "node is not there: .ci/run installs it"
    script = f"process.stdout.write(JSON.stringify([{', '.join(map(js_text, NASTY))}]))"
    read = subprocess.run([node, "-e", script], capture_output=True, check=True).stdout
    assert json.loads(read) == list(NASTY)


@given(st.text())
def test_python_reads_what_was_written(text: str) -> None:
    assert ast.literal_eval(python_text(text)) == text


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_what_nobody_sees_is_never_pasted(text: str) -> None:
    for written in (sh_text(text), js_text(text), python_text(text)):
        assert all(character.isprintable() or character == "\n" for character in written)


@pytest.mark.parametrize("body", [b"\xff\xfe\x00", b"a\x00b", b"x" * (INLINE_CHARACTERS + 1)])
def test_a_body_that_is_no_text_or_is_long_is_a_file(body: bytes) -> None:
    called = Called("http://127.0.0.1:7543", "digits", body, "application/x-npy")
    assert called.text is None
    for snippet in snippets_of(called):
        assert "payload.npy" in snippet.code


def test_what_is_asked_for_is_in_every_snippet() -> None:
    called = a_call(accept="text/csv", variant="green", model="one.tar.gz")
    for snippet, word in itertools.product(
        snippets_of(called), ("sentiment", "text/csv", "green", "one.tar.gz", "application/json")
    ):
        # The SDK's Predictor names its types in serializers of its own.
        assert word in snippet.code, (snippet.key, word)


@pytest.mark.parametrize("text", NASTY)
def test_python_snippets_are_python(text: str) -> None:
    for snippet in snippets_of(a_call(text.encode())):
        if snippet.language == "python":
            ast.parse(snippet.code)
