"""Findings of the check and of the upgrade, as both commands tell them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sagelet.upgrade.findings import Finding


def facts(finding: Finding) -> dict[str, Any]:
    """Return a finding as `--json` has it."""
    return {
        "rule": finding.rule,
        "severity": finding.severity.value,
        "path": shown(finding.path),
        "cell": finding.cell,
        "line": finding.line,
        "column": finding.column,
        "message": finding.message,
        "hint": finding.hint,
    }


def shown(path: Path) -> str:
    """Return a path as one would type it here."""
    absolute, here = path.absolute(), Path.cwd()
    return str(absolute.relative_to(here)) if absolute.is_relative_to(here) else str(path)
