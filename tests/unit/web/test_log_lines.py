"""A log's events as lines: their level, their source, and those that were overwritten."""

from typing import Any

import pytest

from sagelet.journal.overwritten import Kind
from sagelet.web.ansi import Span
from sagelet.web.log_lines import (
    SHOWN_CHARACTERS,
    LineReader,
    LogLine,
    level_of,
    source_of,
    standing,
)

JOBS = "/aws/sagemaker/TrainingJobs"
STREAM = "train-1/algo-1-1732240000"


def an_event(message: str, stream: str = STREAM, ms: int = 1000) -> dict[str, Any]:
    return {"logStreamName": stream, "timestamp": ms, "message": message, "eventId": f"{ms}"}


def lines_of(*messages: str) -> list[LogLine]:
    reader = LineReader(JOBS)
    return [reader.line(an_event(message, ms=n)) for n, message in enumerate(messages)]


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("ERROR: no data", "error"),
        ("2026-01-02 03:04:05 [CRITICAL] gone", "error"),
        ("ValueError: the loss is nan", "error"),
        ("torch.cuda.OutOfMemoryError: no memory", "error"),
        ("KeyboardInterrupt", "error"),
        ("WARNING:root:slow", "warning"),
        ("/x/y.py:3: UserWarning: old", "warning"),
        ("[INFO] epoch 1", "info"),
        ("DEBUG grads", "debug"),
        ("error rate 0.1", ""),
        ("epoch 1 loss=0.2 INFORMATION", ""),
        ("", ""),
    ],
)
def test_a_line_says_how_bad_it_is(text: str, level: str) -> None:
    assert level_of(text) == level


def test_a_traceback_is_an_error_to_its_last_line() -> None:
    lines = lines_of(
        "epoch 1",
        "Traceback (most recent call last):",
        '  File "train.py", line 6, in <module>',
        "    raise Odd",
        "odd.Odd: things",
        "epoch 2",
    )
    assert [line.level for line in lines] == ["", "error", "error", "error", "error", ""]


def test_who_wrote_a_line_is_told_by_its_stream() -> None:
    assert source_of(STREAM, is_job=True) == "algo-1"
    assert source_of("AllTraffic/01hx", is_job=False) == "AllTraffic"


def test_a_very_long_line_is_cut_and_says_by_how_much() -> None:
    (line,) = lines_of("x" * 10_000_000)
    assert len(line.text) == SHOWN_CHARACTERS
    assert line.cut == 10_000_000 - SHOWN_CHARACTERS
    assert line.document(is_styled=True)["cut"] == line.cut


def test_json_has_pieces_only_of_lines_with_a_style() -> None:
    plain, red = lines_of("<b>", "a \x1b[31mb")
    assert "spans" not in plain.document(is_styled=True)
    assert red.spans == (Span("a "), Span("b", "ansi-f1"))
    assert red.document(is_styled=True)["spans"] == [["a ", ""], ["b", "ansi-f1"]]
    assert "spans" not in red.document(is_styled=False)
    assert red.document(is_styled=False)["text"] == "a b"


def test_of_an_overwritten_line_the_last_state_stands() -> None:
    lines = lines_of("a", "\r10%", "b", "\r20%")
    assert [line.text for line in standing(lines, is_newest=True)] == ["a", "b", "20%"]


def test_the_end_of_an_overwritten_line_takes_its_place() -> None:
    lines = lines_of("[rank 1] \r10%", "\r5%", "[rank 1] 100%\r", "c")
    shown = standing(lines, is_newest=True)
    assert [(line.text, line.kind) for line in shown] == [
        ("5%", Kind.STATE),
        ("[rank 1] 100%", Kind.END),
        ("c", Kind.WHOLE),
    ]


def test_on_an_older_page_no_state_stands() -> None:
    assert [line.text for line in standing(lines_of("a", "\r10%"), is_newest=False)] == ["a"]
