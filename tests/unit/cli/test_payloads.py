from __future__ import annotations

import io
import sys
from pathlib import Path

import click
import pytest

from sagelet.cli.payloads import Payload, given


class Piped(io.TextIOWrapper):
    """A standard input that holds something, and is no terminal."""

    def __init__(self, content: bytes) -> None:
        super().__init__(io.BytesIO(content), encoding="utf-8")


def test_a_text_is_json_unless_it_is_said_otherwise() -> None:
    assert given("[1]", (), None) == [Payload(b"[1]", "application/json")]
    assert given("1,2", (), "text/csv") == [Payload(b"1,2", "text/csv")]


def test_files_are_taken_in_turn_and_known_by_their_suffix(tmp_path: Path) -> None:
    rows, image = tmp_path / "rows.csv", tmp_path / "image.png"
    rows.write_bytes(b"1,2")
    image.write_bytes(b"\x89PNG")
    assert given(None, (str(rows), str(image)), None) == [
        Payload(b"1,2", "text/csv", str(rows)),
        Payload(b"\x89PNG", "image/png", str(image)),
    ]
    assert given(None, (str(rows),), "text/plain")[0].content_type == "text/plain"


def test_what_is_piped_in_is_sent_where_nothing_else_is_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "stdin", Piped(b"[2]"))
    assert given(None, (), None) == [Payload(b"[2]", "application/json")]
    monkeypatch.setattr(sys, "stdin", Piped(b"3"))
    assert given(None, ("-",), "text/csv") == [Payload(b"3", "text/csv")]


def test_no_payload_two_payloads_and_a_missing_file_are_usage_errors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", Piped(b""))
    with pytest.raises(click.UsageError, match="no payload"):
        given(None, (), None)
    with pytest.raises(click.UsageError, match="once"):
        given("1", ("-",), None)
    with pytest.raises(click.UsageError, match=r"nowhere\.json: No such file"):
        given(None, (str(tmp_path / "nowhere.json"),), None)
