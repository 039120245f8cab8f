"""What an upgrade did, and what it left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from sagelet.upgrade.catalogue import RULES
from sagelet.upgrade.findings import Severity


@dataclass(frozen=True, slots=True)
class Change:
    """What was done, in one sentence, and the rule whose findings it mends."""

    rule: str
    message: str


@dataclass(frozen=True, slots=True)
class Left:
    """What was not done at a line of the script, and why."""

    rule: str
    line: int
    message: str
    hint: str = ""

    @property
    def severity(self) -> Severity:
        """How bad it is, by its rule."""
        return RULES[self.rule].severity if self.rule in RULES else Severity.HINT


@dataclass
class Notes:
    """What was done and what was left, once each; `why` says why nothing was to be done."""

    changes: list[Change] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)
    why: str = ""
    line_of: Callable[[int], int] = int
    """Returns the line, as the script was written, of a line of what is rewritten."""

    def did(self, rule: str, message: str) -> None:
        """Say that something was done."""
        if (change := Change(rule, message)) not in self.changes:
            self.changes.append(change)

    def leave(self, rule: str, line: int, message: str, hint: str = "") -> None:
        """Say that something was left as it is."""
        if (left := Left(rule, self.line_of(line), message, hint)) not in self.left:
            self.left.append(left)
