"""What a check finds: the rule that was broken, where, why it matters, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Severity(StrEnum):
    """How bad a finding is.

    An `error` fails on SageMaker (or here); a `warning` fails for some data, hosts or images; a
    `hint` is better otherwise, and leaves the exit code at 0.
    """

    ERROR = "error"
    WARNING = "warning"
    HINT = "hint"


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: its id in kebab-case, its title, and the texts of `sagelet explain`.

    `why` says what happens otherwise and on which evidence, `fix` what to do, `example` shows it
    (broken, then mended). `is_upgraded` tells that `sagelet upgrade` does it.
    """

    id: str
    title: str
    severity: Severity
    why: str
    fix: str
    example: str = ""
    is_upgraded: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """One place where a rule is broken.

    `line` and `column` begin at 1; `cell` is a notebook's code cell, from 1, whose lines `line`
    counts then. `message` is one sentence about this very place, `hint` what to do about it here.
    """

    rule: str
    severity: Severity
    path: Path
    line: int
    message: str
    hint: str = ""
    column: int = 1
    cell: int | None = None

    @property
    def place(self) -> str:
        """`file:line`, or `file[cell 3]:line` in a notebook."""
        cell = "" if self.cell is None else f"[cell {self.cell}]"
        return f"{self.path}{cell}:{self.line}"
