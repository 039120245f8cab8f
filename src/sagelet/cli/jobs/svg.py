"""Curves as SVG that stands in a page by itself: no script, no style sheet, nothing from elsewhere.

Text has the page's own colour, so that it can be read on white and on black.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from sagelet.cli.jobs.points import Curve, Point
from sagelet.cli.jobs.terminal_plot import number

WIDTH, HEIGHT = 640, 200
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 8, 24, 24
_POINTS_AT_MOST = 600
_GRID_LINES = 4
_COLOURS = ("#3b7dd8", "#d8663b", "#3ba55d", "#b04fc4", "#c4a02e", "#45a5b5", "#d84f7f", "#7a7f87")


def svg_of(curves: Sequence[Curve], labels: Sequence[str]) -> str:
    """Return a plot of the curves of one metric, each with its label; seconds go to the right."""
    points = [point for curve in curves for point in curve.points]
    begun = min(point.at for point in points).timestamp()
    last = max(point.at for point in points).timestamp() - begun
    least, greatest = min(p.value for p in points), max(p.value for p in points)
    axes = _Axes(last, least, greatest)
    lines = "".join(
        f'<polyline fill="none" stroke="{_colour(index)}" stroke-width="1.5" points="'
        + " ".join(axes.place(p.at.timestamp() - begun, p.value) for p in _thinned(curve.points))
        + '"/>'
        for index, curve in enumerate(curves)
    )
    title = _text(_LEFT, _TOP - 8, curves[0].metric, bold=True)
    legend = "".join(
        _text(WIDTH - _RIGHT - 110 * (len(labels) - index), _TOP - 8, label, colour=_colour(index))
        for index, label in enumerate(labels)
        if len(labels) > 1
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'width="{WIDTH}" height="{HEIGHT}" style="max-width:100%" role="img" '
        f'aria-label="{escape(curves[0].metric)}" font-family="sans-serif" font-size="11">'
        f"{axes.drawn()}{title}{legend}{lines}</svg>"
    )


class _Axes:
    """Where values are on the drawing."""

    def __init__(self, last_s: float, least: float, greatest: float) -> None:
        self._last_s = last_s
        self._least = least
        self._greatest = greatest

    def place(self, second: float, value: float) -> str:
        right = second / self._last_s if self._last_s else 0.5
        # Halved, for the whole range may be more than a number can be.
        span = self._greatest / 2 - self._least / 2
        up = (value / 2 - self._least / 2) / span if span else 0.5
        x = _LEFT + right * (WIDTH - _LEFT - _RIGHT)
        y = HEIGHT - _BOTTOM - up * (HEIGHT - _TOP - _BOTTOM)
        return f"{x:.1f},{y:.1f}"

    def drawn(self) -> str:
        parts = []
        for step in range(_GRID_LINES + 1):
            share = step / _GRID_LINES
            y = HEIGHT - _BOTTOM - share * (HEIGHT - _TOP - _BOTTOM)
            parts.append(
                f'<line x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}" '
                'stroke="currentColor" stroke-opacity="0.15"/>'
            )
            value = self._least * (1 - share) + self._greatest * share
            parts.append(_text(_LEFT - 6, y + 4, number(value), anchor="end"))
        parts.append(_text(_LEFT, HEIGHT - 8, "0 s"))
        parts.append(_text(WIDTH - _RIGHT, HEIGHT - 8, f"{number(self._last_s)} s", anchor="end"))
        return "".join(parts)


def _text(
    x: float,
    y: float,
    text: str,
    *,
    anchor: str = "start",
    colour: str = "currentColor",
    bold: bool = False,
) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return (
        f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" fill="{colour}"{weight}>'
        f"{escape(text)}</text>"
    )


def _colour(index: int) -> str:
    return _COLOURS[index % len(_COLOURS)]


def _thinned(points: Sequence[Point]) -> Sequence[Point]:
    """Return as many points as can be told apart, the last among them."""
    step = len(points) // _POINTS_AT_MOST + 1
    return [*points[:-1:step], points[-1]]
