"""What pasting from a page breaks: found in the text itself, since such a script does not parse.

`mend` puts it right in memory, line by line in place, so that the other rules can look at the rest.
Nothing is touched in a text that parses, but `add*argument(`, which is a product to Python.
"""

from __future__ import annotations

import ast
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from sagelet.upgrade.indentation import Repair, lost_indentation
from sagelet.upgrade.lexing import NEWLINE, Kind, logical_lines, pieces, split_lines
from sagelet.upgrade.notebooks import Mistake, commented, mistake_in, parse
from sagelet.upgrade.sources import Source

_DOUBLE = "\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb"
_SINGLE = "\u2018\u2019\u201a\u201b\u2032"
_DASH = "\u2010\u2011\u2012\u2013\u2014\u2212"
_SPACE = "\u00a0\u2007\u202f\u3000"
_NOTHING = "\u200b\u200c\u200d\u2060\ufeff"

QUOTES = dict.fromkeys(_DOUBLE, '"') | dict.fromkeys(_SINGLE, "'")
DASHES = dict.fromkeys(_DASH, "-")
UNSEEN = dict.fromkeys(_SPACE, " ") | dict.fromkeys(_NOTHING, "")

_DUNDERS = "name|main|init|call|file|doc|len|getitem|iter|next|enter|exit|repr|str|version|future"
_BOLD = re.compile(rf"\*\*(?P<name>{_DUNDERS})\*\*")
_BOLD_TEXT = re.compile(r"""(?P<quote>["'])\*\*(?P<name>main|init)\*\*(?P=quote)""")
_STAR = re.compile(r"(?P<indent>\s*)(?:\*\s*,\s*(?P<after>\w+)|(?P<before>\w+)\s*,\s*\*)\s*=(?!=)")
_UNDERSCORED = (
    *("add_argument", "parse_args", "parse_known_args", "init_process_group", "get_world_size"),
    *("get_rank", "state_dict", "load_state_dict", "zero_grad", "manual_seed", "no_grad"),
    *("is_available", "model_fn", "input_fn", "predict_fn", "output_fn", "nll_loss", "set_epoch"),
    *("log_softmax", "cross_entropy", "invoke_endpoint"),
)
_STARRED = re.compile(rf"\b(?:{'|'.join(name.replace('_', '[*]') for name in _UNDERSCORED)})(?=\()")
_CAPITAL = re.compile(
    r"(?P<word>If|Elif|For|While|With|Def|Class|Async)\b(?=.*:\s*(?:\#.*)?$)"
    r"|(?P<alone>Else|Try|Finally)(?=\s*:)"
    r"|(?P<loads>Import)(?=\s+[\w.]+(?:\s+as\s+\w+)?\s*$)|(?P<takes>From)(?=\s+[\w.]+\s+import\b)"
)
_MAY_BE_CAPITAL = re.compile(r"^[ \t]*[A-Z][a-z]+[ \t:]", re.MULTILINE)
_MAY_BE_STAR = re.compile(r"^[ \t]*(?:\*[ \t]*,|\w+[ \t]*,[ \t]*\*[ \t]*=)", re.MULTILINE)
_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Mended:
    """A source's text with repairs, its tree if it parses now, and what is wrong still."""

    text: str
    tree: ast.Module | None
    repairs: tuple[Repair, ...] = ()
    mistakes: tuple[Mistake, ...] = ()


def mend(source: Source) -> Mended:
    """Put right what pasting broke, in memory."""
    if source.tree is not None and not source.mistakes:
        text, repairs = _lost_underscores(source.text)
        if not repairs:
            return Mended(source.text, source.tree)
    else:
        text, repairs = mended_text(source.written)
    text, mistakes = _without_broken_cells(source, text)
    parsed = parse(text)
    if isinstance(parsed, Mistake):
        mistakes, tree = [*mistakes, parsed], source.tree
    else:
        tree = parsed
    return Mended(text, tree, tuple(sorted(repairs, key=_place)), tuple(mistakes))


def mended_text(text: str) -> tuple[str, list[Repair]]:
    """Return a text that does not parse with its repairs; lines stay where they are."""
    found: list[Repair] = []
    steps: Sequence[Callable[[str], tuple[str, list[Repair]]]] = (
        *[_smart_quotes] * _ROUNDS,  # a quote put right may bring others to light
        _dashes,
        _unseen,
        _capitals,
        _bold_dunders,
        _star_args,
        _lost_underscores,
        lost_indentation,
    )
    for step in steps:
        text, repairs = step(text)
        found += repairs
    return text, found


class _Places:
    """Lines and columns of a text's offsets."""

    def __init__(self, text: str) -> None:
        self._starts = [0, *(match.end() for match in NEWLINE.finditer(text))]

    def of(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1


def _place(repair: Repair) -> tuple[int, int]:
    return repair.line, repair.column


def _smart_quotes(text: str) -> tuple[str, list[Repair]]:
    return _characters(
        text, QUOTES, "smart-quotes", "{0} stands where Python wants a straight quote"
    )


def _dashes(text: str) -> tuple[str, list[Repair]]:
    return _characters(text, DASHES, "smart-dash", "{0} stands where Python wants a hyphen")


def _unseen(text: str) -> tuple[str, list[Repair]]:
    return _characters(
        text, UNSEEN, "invisible-character", "an invisible character ({1}) stands in the code"
    )


def _characters(
    text: str, table: dict[str, str], rule: str, message: str
) -> tuple[str, list[Repair]]:
    """Replace characters in code and in strings that are not closed; one finding a line."""
    if not any(character in text for character in table):
        return text, []
    pattern = re.compile(f"[{''.join(table)}]")
    places, parts, done = _Places(text), list[str](), 0
    found: dict[int, Repair] = {}
    for start, end in _spans(text, Kind.CODE, Kind.BROKEN):
        for match in pattern.finditer(text, start, end):
            parts += [text[done : match.start()], table[match[0]]]
            done = match.end()
            line, column = places.of(match.start())
            said = message.format(match[0], f"U+{ord(match[0]):04X}")
            found.setdefault(line, Repair(rule, line, column, said))
    return "".join([*parts, text[done:]]), list(found.values())


def _spans(text: str, *kinds: Kind) -> Iterator[tuple[int, int]]:
    for piece in pieces(text):
        if piece.kind in kinds:
            yield piece.start, piece.end


def _capitals(text: str) -> tuple[str, list[Repair]]:
    if not _MAY_BE_CAPITAL.search(text):
        return text, []

    def found_in(line: str) -> Iterator[tuple[int, int, str, str]]:
        if match := _CAPITAL.match(line):
            yield *match.span(), match[0].lower(), f"`{match[0]}` is no keyword; Python's are small"

    return _at_statements(text, "capital-keyword", found_in)


def _star_args(text: str) -> tuple[str, list[Repair]]:
    if not _MAY_BE_STAR.search(text):
        return text, []

    def found_in(line: str) -> Iterator[tuple[int, int, str, str]]:
        match = _STAR.match(line)
        if match is None:
            return
        name = match["after"] or match["before"]
        instead = f"{name} ="
        if "parse_known_args" in line:
            instead = f"{name}, _ =" if match["before"] else f"_, {name} ="
        shown = match[0].strip()
        yield *match.span(), instead, f"`{shown}` lost an underscore to a star"

    return _at_statements(text, "star-args", found_in)


def _at_statements(
    text: str,
    rule: str,
    found_in: Callable[[str], Iterator[tuple[int, int, str, str]]],
) -> tuple[str, list[Repair]]:
    """Look at the beginning of each statement, and replace what is found there."""
    parts, repairs, done = [], [], 0
    for line in logical_lines(text):
        end = NEWLINE.search(text, line.start)
        shown = text[line.start : end.start() if end else len(text)]
        for start, stop, instead, message in found_in(shown):
            parts += [text[done : line.start + start], instead]
            done = line.start + stop
            repairs.append(Repair(rule, line.number, len(line.indent) + start + 1, message))
    return "".join([*parts, text[done:]]), repairs


def _bold_dunders(text: str) -> tuple[str, list[Repair]]:
    if "**" not in text:
        return text, []
    return _same_length(
        text,
        "bold-dunder",
        (_BOLD, (Kind.CODE,)),
        (_BOLD_TEXT, (Kind.STRING,)),
    )


def _lost_underscores(text: str) -> tuple[str, list[Repair]]:
    if "*" not in text or not _STARRED.search(text):
        return text, []
    return _same_length(text, "lost-underscore", (_STARRED, (Kind.CODE,)))


def _same_length(
    text: str, rule: str, *patterns: tuple[re.Pattern[str], tuple[Kind, ...]]
) -> tuple[str, list[Repair]]:
    """Make underscores of the stars in what is found."""
    places, repairs, changed = _Places(text), [], list(text)
    for pattern, kinds in patterns:
        for start, end in _spans(text, *kinds):
            for match in pattern.finditer(text, start, end):
                instead = match[0].replace("*", "_")
                changed[match.start() : match.end()] = instead
                line, column = places.of(match.start())
                message = f"`{match[0]}` was `{instead}` before its underscores became stars"
                repairs.append(Repair(rule, line, column, message))
    return "".join(changed), repairs


def _without_broken_cells(source: Source, text: str) -> tuple[str, list[Mistake]]:
    """Comment out the cells that are broken still, and tell of them."""
    if not source.cells or not source.mistakes:
        return text, []
    lines, mistakes = list(split_lines(text)), []
    for cell in source.cells:
        own = slice(cell.first_line - 1, cell.first_line - 1 + cell.line_count)
        part = "\n".join(lines[own])
        mistake = mistake_in(part)
        if mistake is not None:
            line = cell.first_line + mistake.line - 1
            mistakes.append(Mistake(line, mistake.column, mistake.message))
            lines[own] = split_lines(commented(part))
    return "\n".join(lines), mistakes
