"""What the conformance tests compare with, and where we depart from it on purpose."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.oracle.departures import DEPARTURES
from tools.markdown import code, table

_ORACLE = Path(__file__).parents[1] / "tests" / "oracle"


def versions() -> str:
    """Return the packages whose answers are recorded, and how many there are."""
    return _versions(_ORACLE / "recordings.json")


def training_versions() -> str:
    """Return the packages of the training toolkit that is recorded, and how many jobs there are."""
    return _versions(_ORACLE / "training" / "recordings.json")


def _versions(file: Path) -> str:
    recordings: dict[str, Any] = json.loads(file.read_text(encoding="ascii"))
    rows = [[code(name), version] for name, version in recordings["versions"].items()]
    count = len(recordings["cases"])
    return f"{table(['package', 'version'], rows)}\n\n{count} cases are recorded."


def departures() -> str:
    """Return where `strict` departs from the recordings, and why."""
    rows = [
        [code(row.id), row.here, row.container, row.why, str(len(row.cases))] for row in DEPARTURES
    ]
    return table(["departure", "here", "in the container", "why", "cases"], rows)
