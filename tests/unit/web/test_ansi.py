"""What is left of a line of a log that talks to a terminal."""

import time

import pytest

from sagelet.web.ansi import MOST_SPANS, Span, spans, strip

RED = "ansi-f1"


def test_plain_text_is_one_span() -> None:
    assert spans("epoch 1 loss=0.25") == (Span("epoch 1 loss=0.25"),)
    assert spans("") == ()


def test_markup_is_text() -> None:
    assert spans("<script>alert(1)</script>") == (Span("<script>alert(1)</script>"),)


@pytest.mark.parametrize(
    ("sequence", "classes"),
    [
        ("31", RED),
        ("1;31", f"ansi-bold {RED}"),
        ("91", "ansi-f9"),
        ("41", "ansi-b1"),
        ("107", "ansi-b15"),
        ("2;3;4;9", "ansi-dim ansi-italic ansi-strike ansi-underline"),
        ("7", "ansi-inverse"),
        ("7;31", "ansi-b1"),
        ("7;31;42", "ansi-f2 ansi-b1"),
        ("38;5;1", RED),
        ("38;5;196", RED),
        ("38;5;203", "ansi-f9"),
        ("48;5;255", "ansi-b15"),
        ("38;2;250;10;10", RED),
        ("38:2::250:10:10", RED),
        ("38:5:12", "ansi-f12"),
        ("58;2;1;2;3;31", RED),
        ("4:3", "ansi-underline"),
        ("31;39", ""),
        ("1;22", ""),
        ("31;", ""),
        ("38;5", ""),
        ("38;2;999;0;0", ""),
        ("9999999999999999999999", ""),
        ("53", ""),
    ],
)
def test_a_style_becomes_classes(sequence: str, classes: str) -> None:
    assert spans(f"\x1b[{sequence}mx") == (Span("x", classes),)


def test_a_style_lasts_until_it_is_reset() -> None:
    assert spans("a\x1b[31mb\x1b[mc\x1b[0md") == (Span("a"), Span("b", RED), Span("cd"))


@pytest.mark.parametrize(
    "sequence",
    [
        "\x1b]8;;https://evil.example\x1b\\",
        "\x1b]0;a title\x07",
        "\x1b]52;c;c2VjcmV0\x07",
        "\x1bP+q544e\x1b\\",
        "\x1b_a message\x1b\\",
        "\x1b[2J",
        "\x1b[10;20H",
        "\x1b[?1049h",
        "\x1b[>4;2m",
        "\x1b(B",
        "\x1bc",
        "\x1b7",
        "\x9b31;5H",
        "\x9d0;title\x9c",
        "\x07",
    ],
)
def test_what_a_terminal_would_obey_is_removed(sequence: str) -> None:
    assert strip(f"be{sequence}fore") == "before"


@pytest.mark.parametrize("cut", ["\x1b", "\x1b[", "\x1b[31", "\x1b]8;;https://x", "\x1bP1", "\x9d"])
def test_a_sequence_that_does_not_end_takes_no_text_with_it(cut: str) -> None:
    left = strip(f"before{cut}")
    assert left.startswith("before")
    assert not any(ord(sign) < 0x20 or 0x7F <= ord(sign) < 0xA0 for sign in left)


def test_control_characters_are_shown() -> None:
    assert strip("a\x00b\x08c\x7f\td") == "a\u2400b\u2408c\u2421\td"


def test_half_a_surrogate_pair_can_be_sent() -> None:
    assert strip("a\ud800b") == "a\ufffdb"


def test_a_line_that_was_overwritten_has_its_last_state() -> None:
    assert spans("10%\r\x1b[32m50%\r100%\r\n") == (Span("100%", "ansi-f2"),)


def test_a_line_of_very_many_styles_has_an_end_of_elements() -> None:
    line = "".join(f"\x1b[{30 + number % 8}m{number} " for number in range(5_000))
    found = spans(line)
    assert len(found) == MOST_SPANS
    assert "".join(span.text for span in found) == "".join(f"{number} " for number in range(5_000))


@pytest.mark.parametrize(
    "unit", ["x", "\x1b]8;;", "\x1b[31m\x1b[0m", "\x1b[1;", "\r", "\x1bP", "\x00", "\x9d"]
)
def test_a_line_of_a_megabyte_takes_little_time(unit: str) -> None:
    line = unit * (1_000_000 // len(unit))
    begun = time.process_time()
    spans(line)
    assert time.process_time() - begun < 5
