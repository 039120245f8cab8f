"""Bar charts as SVG: text stays text, and the colours follow the reader's light or dark page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

WIDTH = 760
_LABELS, _VALUES, _MARGIN = 260, 190, 16
_BAR, _STEP, _HEAD, _TITLE = 16, 24, 34, 46
_STYLE = """
  .page { fill: #ffffff } text { fill: #1f2328; font: 13px system-ui, sans-serif }
  .title { font-size: 15px; font-weight: 600 } .note, .value { fill: #59636e }
  .ours { fill: #0b6e4f } .other { fill: #8c959f } .limit { fill: #d0d7de }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117 } text { fill: #e6edf3 } .note, .value { fill: #9198a1 }
    .ours { fill: #3fb98a } .other { fill: #6e7681 } .limit { fill: #30363d }
  }
"""


@dataclass(frozen=True)
class Bar:
    """One bar: its name, its length and what is written at its end; `kind` is its colour's."""

    label: str
    value: float
    text: str
    kind: str = "other"


@dataclass(frozen=True)
class Panel:
    """Bars under one heading, on one scale; `is_log` for values of several orders."""

    heading: str
    bars: Sequence[Bar]
    is_log: bool = False


def chart(title: str, panels: Sequence[Panel]) -> str:
    """Return a chart as an SVG document."""
    parts = []
    top = _TITLE
    for panel in panels:
        parts += _panel(panel, top)
        top += _HEAD + _STEP * len(panel.bars)
    height = top + _MARGIN
    size = f'width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label={quoteattr(title)}>',
        f"<style>{_STYLE}</style>",
        f'<rect class="page" width="{WIDTH}" height="{height}" rx="6"/>',
        f'<text class="title" x="{_MARGIN}" y="28">{escape(title)}</text>',
        *parts,
        "</svg>",
    ]
    return "\n".join([*lines, ""])


def _panel(panel: Panel, top: int) -> list[str]:
    lines = [f'<text class="note" x="{_MARGIN}" y="{top + 18}">{escape(panel.heading)}</text>']
    lengths = _lengths([bar.value for bar in panel.bars], is_log=panel.is_log)
    for place, (bar, length) in enumerate(zip(panel.bars, lengths, strict=True)):
        y = top + _HEAD - 6 + _STEP * place
        end = _LABELS + length
        lines += [
            f'<text x="{_LABELS - 8}" y="{y + 13}" text-anchor="end">{escape(bar.label)}</text>',
            f'<rect class={quoteattr(bar.kind)} x="{_LABELS}" y="{y}" '
            f'width="{length:.1f}" height="{_BAR}" rx="2"/>',
            f'<text class="value" x="{end + 6:.1f}" y="{y + 13}">{escape(bar.text)}</text>',
        ]
    return lines


def _lengths(values: Sequence[float], *, is_log: bool) -> list[float]:
    """Return the bars' lengths; on a logarithmic scale the shortest still shows."""
    room = WIDTH - _LABELS - _VALUES
    if not values:
        return []
    if not is_log:
        return [room * value / max(values) for value in values]
    low = math.log10(min(values)) - 0.3
    span = math.log10(max(values)) - low
    return [room * (math.log10(value) - low) / span for value in values]
