"""Comments that silence rules.

model = torch.load(path)  # sagelet: ignore[no-map-location]
model = torch.load(path)  # sagelet: ignore
# sagelet: ignore-file[print-not-logger]      before the first statement
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from sagelet.upgrade.findings import Rule, Severity
from sagelet.upgrade.lexing import NEWLINE, Kind, pieces

UNUSED = Rule(
    id="unused-ignore",
    title="A comment that silences nothing",
    severity=Severity.HINT,
    why=(
        "`# sagelet: ignore[rule]` stands where the rule finds nothing (any more), or names a rule "
        "that there is not. It would hide the next mistake in this line."
    ),
    fix="Remove the comment.",
)

_IGNORE = re.compile(r"#\s*sagelet:\s*ignore(?P<file>-file)?(?:\s*\[(?P<rules>[^\]]*)\])?")


@dataclass(frozen=True, slots=True)
class Ignore:
    """One comment. `rules` is None for all; `line` and `column` begin at 1."""

    line: int
    column: int
    rules: frozenset[str] | None
    is_for_file: bool

    def covers(self, rule: str, line: int) -> bool:
        """Whether a finding is silenced."""
        return (self.is_for_file or line == self.line) and (
            self.rules is None or rule in self.rules
        )


def ignores_in_code(text: str) -> list[Ignore]:
    """Return the comments of a script that silence rules."""
    if "sagelet:" not in text:
        return []
    return list(_ignores_in_pieces(text))


def _ignores_in_pieces(text: str) -> Iterator[Ignore]:
    line, line_start, has_code = 1, 0, False
    for piece in pieces(text):
        part = text[piece.start : piece.end]
        if piece.kind is Kind.COMMENT:
            yield from _ignores(part, line, piece.start - line_start, is_top=not has_code)
        elif piece.kind is Kind.NEWLINE:
            line, line_start = line + 1, piece.end
        else:
            # A docstring may stand above.
            has_code = has_code or (piece.kind is Kind.CODE and bool(part.strip()))
            newlines = list(NEWLINE.finditer(part))
            line += len(newlines)
            if newlines:
                line_start = piece.start + newlines[-1].end()


def ignores_in_lines(lines: Sequence[str]) -> list[Ignore]:
    """Return the same of a file in which `#` begins a comment: a shell script, YAML, a list."""
    found: list[Ignore] = []
    is_top = True
    for number, line in enumerate(lines, start=1):
        found += _ignores(line, number, 0, is_top=is_top)
        is_top = is_top and (not line.strip() or line.lstrip().startswith("#"))
    return found


def _ignores(comment: str, line: int, offset: int, *, is_top: bool) -> Iterator[Ignore]:
    for match in _IGNORE.finditer(comment):
        told = match["rules"]
        rules = None if told is None else frozenset(re.findall(r"[^\s,]+", told))
        is_for_file = match["file"] is not None
        if is_for_file and not is_top:
            continue
        yield Ignore(line, offset + match.start() + 1, rules, is_for_file)


def unused(
    ignores: Iterable[Ignore],
    used: Collection[tuple[Ignore, str]],
    *,
    known: Collection[str],
    ran: Collection[str],
) -> Iterator[tuple[Ignore, str]]:
    """Yield the comments that silenced nothing, and what to say of them.

    Of rules that did not run nothing can be said.
    """
    for ignore in ignores:
        mine = {rule for each, rule in used if each is ignore}
        if ignore.rules is None:
            if not mine and set(ran) >= set(known):
                yield ignore, "nothing is found here that the comment could silence"
            continue
        for rule in sorted(ignore.rules - mine):
            if rule not in known:
                near = difflib.get_close_matches(rule, known, n=1)
                meant = f"; did you mean {near[0]!r}?" if near else ""
                yield ignore, f"there is no rule {rule!r}{meant}"
            elif rule in ran:
                yield ignore, f"{rule} finds nothing here"
