"""Curves as Braille in a terminal, and as PNG and SVG files."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from xml.etree import ElementTree

import pytest

from sagelet.cli.jobs.plot_files import label_of, write_plot
from sagelet.cli.jobs.terminal_plot import drawn
from tests.job_metrics import a_curve


def test_a_falling_line_falls() -> None:
    assert drawn([(x, -x) for x in range(5)], width=4, height=2) == [" 0 ┤⠑⢄", "-4 ┤⠀⠀⠑⢄"]


def test_a_level_line_is_in_the_middle() -> None:
    assert drawn([(0, 2.5), (1, 2.5)], width=3, height=3) == ["2.5 ┤", "    ┤⠤⠤⠤", "2.5 ┤"]


def test_a_single_point_and_huge_numbers_are_drawn() -> None:
    assert len(drawn([(5, 5)], width=3, height=2)) == 2
    assert len(drawn([(0, -1.7e308), (1, 1.7e308)], width=3, height=2)) == 2


def test_many_points_stay_within_their_place() -> None:
    lines = drawn([(x, x % 7) for x in range(10_000)], width=20, height=4)
    assert len(lines) == 4
    assert all(len(line) <= 20 + len("6 ┤") for line in lines)


def png_size(file: Path) -> tuple[int, int]:
    """The size of a PNG, whose every chunk must be whole."""
    data = file.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    position, kinds = 8, []
    while position < len(data):
        length, kind = struct.unpack(">I4s", data[position : position + 8])
        body = data[position + 8 : position + 8 + length]
        (checksum,) = struct.unpack(">I", data[position + 8 + length : position + 12 + length])
        assert checksum == zlib.crc32(kind + body)
        kinds.append(kind)
        position += 12 + length
    assert kinds[-1] == b"IEND"
    return struct.unpack(">II", data[16:24])


def test_a_png_has_room_for_each_metric(tmp_path: Path) -> None:
    write_plot([a_curve(3, 2, 1)], tmp_path / "one.png")
    write_plot([a_curve(3, 2, 1), a_curve(0.1, 0.2, metric="f1")], tmp_path / "two.png")
    width, height = png_size(tmp_path / "one.png")
    assert png_size(tmp_path / "two.png") == (width, 2 * height)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["one.png", "two.png"]


def test_an_svg_is_whole_and_names_which_host_is_which(tmp_path: Path) -> None:
    curves = [a_curve(3, 2, metric="a$b$<c>"), a_curve(1, 2, host="algo-2", metric="a$b$<c>")]
    write_plot(curves, tmp_path / "plot.SVG")
    text = (tmp_path / "plot.SVG").read_text(encoding="utf-8")
    assert ElementTree.fromstring(text).tag == "{http://www.w3.org/2000/svg}svg"
    assert "algo-2" in text


def test_a_curve_is_named_by_what_tells_it_from_the_others() -> None:
    first, second = a_curve(1), a_curve(1, host="algo-2")
    other = a_curve(1, job="k")
    assert label_of(first, [first, second]) == "algo-1"
    assert label_of(first, [first, other]) == "j"
    assert label_of(first, [first, second, other]) == "j algo-1"
    assert label_of(a_curve(1, host=""), [first]) == "j"


def test_a_plot_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "plot.png"
    folder.mkdir()
    with pytest.raises(OSError, match="plot"):
        write_plot([a_curve(1, 2)], folder)
    assert list(tmp_path.iterdir()) == [folder]
