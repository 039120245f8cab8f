from __future__ import annotations

import pytest

from sagelet.cli.output import Output, safe


@pytest.mark.parametrize(
    ("hostile", "harmless"),
    [
        ("plain", "plain"),
        ("tab\tand\nnewline", "tab\tand\nnewline"),
        ("\x1b[31mred\x1b[0m", "\x1b[31mred\x1b[0m"),
        ("\x1b]0;title\x07x", "x"),
        ("\x1b]8;;http://evil\x1b\\x", "x"),
        ("\x1bPdcs\x1b\\x", "x"),
        ("\x1b[2J\x1b[Hx", "x"),
        ("\x1b[?1049hx", "x"),
        ("bell\x07 and null\x00", "bell and null"),
        ("\x1bcx", "cx"),
        ("ünïcödé 日本", "ünïcödé 日本"),
    ],
)
def test_text_from_elsewhere_keeps_only_its_colours(hostile: str, harmless: str) -> None:
    assert safe(hostile) == harmless


def test_a_table_is_as_wide_as_its_cells(capsys: pytest.CaptureFixture[str]) -> None:
    Output().table(["name", "status"], [["a-long-name", "InService"], ["b", "Failed"]])
    assert capsys.readouterr().out == (
        "NAME         STATUS\na-long-name  InService\nb            Failed\n"
    )


def test_progress_goes_to_standard_error_and_quiet_stops_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    output = Output()
    output.say("working")
    output.quiet = True
    output.say("still working")
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "working\n")


def test_there_is_no_colour_off_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    Output().say("red", style="red")
    assert capsys.readouterr().err == "red\n"


def test_colour_can_be_forced_and_forbidden(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    Output().say("red", style="red")
    assert capsys.readouterr().err == "\x1b[31mred\x1b[0m\n"
    monkeypatch.setenv("NO_COLOR", "1")
    Output().say("red", style="red")
    assert capsys.readouterr().err == "red\n"
