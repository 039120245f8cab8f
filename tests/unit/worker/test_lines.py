"""Lines out of bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagelet.worker.lines import LONGEST_LINE_BYTES, UPDATE_EVERY_S, LineSplitter


def _split(*pieces: bytes) -> list[str]:
    splitter = LineSplitter()
    lines = [line for piece in pieces for line in splitter.feed(piece, 0.0)]
    return lines + splitter.finish()


@pytest.mark.parametrize(
    ("pieces", "lines"),
    [
        ((b"a\nb\n",), ["a", "b"]),
        ((b"a\n\n\nb",), ["a", "", "", "b"]),
        ((b"  x \t\n",), ["  x \t"]),
        ((b"hal", b"f\nrest"), ["half", "rest"]),
        ((b"\xc3", b"\xa9\n"), ["é"]),
        ((b"\xff\n\xe2\n",), ["\ufffd", "\ufffd"]),
        ((b"dos\r\nline\r\n",), ["dos", "line"]),
        ((b"dos\r", b"\nline"), ["dos", "line"]),
        ((b"1%\r2%\r3%\n",), ["3%"]),
        ((b"\r1%", b"\r2%", b"\r3%\ndone\n"), ["3%", "done"]),
        ((b"1%\r", b"2%\r", b"3%"), ["3%"]),
        ((b"a\r\r\n",), ["a"]),
        ((b"",), []),
        ((b"\n",), [""]),
    ],
)
def test_bytes_become_lines(pieces: tuple[bytes, ...], lines: list[str]) -> None:
    assert _split(*pieces) == lines


@given(st.text(alphabet=st.characters(exclude_characters="\r", codec="utf-8")), st.integers(1, 9))
def test_lines_do_not_depend_on_how_the_bytes_are_cut(text: str, piece: int) -> None:
    data = text.encode()
    pieces = [data[start : start + piece] for start in range(0, len(data), piece)]
    expected = text.split("\n")
    assert _split(*pieces) == (expected if expected[-1] else expected[:-1])


@given(st.binary(max_size=200), st.integers(1, 9))
def test_any_bytes_are_taken(data: bytes, piece: int) -> None:
    pieces = [data[start : start + piece] for start in range(0, len(data), piece)]
    assert len(_split(*pieces)) <= data.count(b"\n") + 1


def test_an_overwritten_line_is_told_every_half_second_as_it_stands() -> None:
    splitter = LineSplitter()
    told: list[tuple[float, str]] = []
    for tick in range(13):
        now = tick * UPDATE_EVERY_S / 5
        splitter.feed(b"\r%d%%" % tick, now)
        told += [(now, line) for line in splitter.updates(now)]

    assert [line for _, line in told] == ["\r5%", "\r10%"]
    assert splitter.feed(b"\r99%\n", 9.0) == ["99%\r"]
    assert not splitter.is_updating


def test_a_state_is_told_once_and_again_as_the_lines_end() -> None:
    splitter = LineSplitter()
    splitter.feed(b"\r100%", 0.0)
    assert splitter.updates(1.0) == ["\r100%"]
    assert splitter.updates(2.0) == []
    assert splitter.feed(b"\nnext\n", 3.0) == ["100%\r", "next"]


def test_an_overwritten_line_that_nothing_ended_is_told_as_its_end() -> None:
    splitter = LineSplitter()
    splitter.feed(b"\r 7%", 0.0)
    assert splitter.updates(1.0) == ["\r 7%"]
    assert splitter.finish() == [" 7%\r"]


def test_a_partial_line_that_nothing_overwrites_waits_for_its_end() -> None:
    splitter = LineSplitter()
    splitter.feed(b"Loading ...", 0.0)
    assert splitter.updates(60.0) == []
    assert splitter.feed(b" done\n", 61.0) == ["Loading ... done"]


def test_a_long_line_is_cut_between_characters() -> None:
    text = "é" * LONGEST_LINE_BYTES
    parts = _split(text.encode(), b"\n")
    assert "".join(parts) == text
    assert max(len(part.encode()) for part in parts) <= LONGEST_LINE_BYTES


def test_an_endless_progress_bar_takes_no_room() -> None:
    splitter = LineSplitter()
    for number in range(1000):
        splitter.feed(b"\r" + b"#" * 1000 + b"%d" % number, 0.0)
    assert splitter.finish() == ["#" * 1000 + "999"]
