"""Blocks that lost their indentation, which are indented again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from sagelet.upgrade.lexing import Line, logical_lines

_HEADER = re.compile(
    r"(?:async\s+)?(?:if|elif|else|for|while|with|def|class|try|except|finally|match|case)\b"
)
_GUARD = re.compile(r"if\s.*__name__.*__main__")
_DEEPEST = 400  # spaces; Python takes a hundred levels


@dataclass(frozen=True, slots=True)
class Repair:
    """One thing that was put right: the rule that it breaks, where, and what stood there."""

    rule: str
    line: int
    column: int
    message: str


def lost_indentation(text: str) -> tuple[str, list[Repair]]:
    """Return a text with blocks indented below their headers, and what was done."""
    lines = list(logical_lines(text))
    shifts = [""] * len(lines)
    repairs = []
    is_guarded = False
    for index, (header, body) in enumerate(pairwise(lines), start=1):
        first = text[header.start : header.start + 200].split("\n", 1)[0]
        if not header.ends_with_colon or not _HEADER.match(first):
            continue
        if len(body.indent) > len(header.indent):
            continue
        word = first.split()[0].rstrip(":")
        said = f"the block of `{word}` in line {header.number} is not indented"
        repairs.append(Repair("lost-indentation", body.number, len(body.indent) + 1, said))
        is_guard = bool(_GUARD.match(first)) and not is_guarded
        is_guarded = is_guarded or is_guard
        deeper = " " * (len(header.indent) - len(body.indent)) + shifts[index - 1] + "    "
        if len(deeper) <= _DEEPEST:
            for place in range(index, _end_of_block(lines, index, is_guard=is_guard)):
                shifts[place] = deeper
    parts, done = [], 0
    for line, shift in zip(lines, shifts, strict=True):
        if shift:
            parts += [text[done : line.start], shift]
            done = line.start
    return "".join([*parts, text[done:]]), repairs


def _end_of_block(lines: Sequence[Line], index: int, *, is_guard: bool) -> int:
    """Return where the lines end that move with a line: its own block, or all the rest."""
    depth = len(lines[index].indent)
    for place in range(index + 1, len(lines)):
        own = len(lines[place].indent)
        if own < depth or (own == depth and not is_guard):
            return place
    return len(lines)
