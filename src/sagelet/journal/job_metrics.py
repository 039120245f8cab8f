"""A training job's metrics on disk, as its runner writes them and the daemon reads them.

metrics/names.json       the names, in the order of the job's definitions
metrics/algo-1/0.csv     the points of the first of them on one host (see `series`)
metrics/matched.json     how far the runner has read the logs
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sagelet.journal.appending import make_folder
from sagelet.journal.names import file_name, name_of
from sagelet.journal.series import Series

_NAMES = "names.json"
_MATCHED = "matched.json"


class JobMetrics:
    """The metrics of one job."""

    def __init__(self, folder: Path) -> None:
        """Name the folder; nothing is made before `name`."""
        self.folder = folder

    def name(self, names: Sequence[str]) -> None:
        """Say which metrics there are; done again, it must be the same ones.

        Raises:
            DiskFull: no space is left.
            StateError: the folder cannot be made.
            OSError: the names cannot be written.
        """
        make_folder(self.folder)
        self._write(_NAMES, list(names))

    def names(self) -> list[str]:
        """Return the names of the metrics; none where nobody has said them."""
        raw = self._read(_NAMES)
        return [str(name) for name in raw] if isinstance(raw, list) else []

    def hosts(self) -> list[str]:
        """Return the hosts on which there are points, in order."""
        try:
            found = [name_of(file.name) for file in self.folder.iterdir() if file.is_dir()]
        except OSError:
            return []
        return sorted((host for host in found if host), key=lambda host: (len(host), host))

    def series(self, host: str, index: int) -> Series:
        """Return a host's points of the metric that is at `index` among the names."""
        return Series(self.folder / file_name(host) / f"{index}.csv")

    def write_matched(self, place: dict[str, Any]) -> None:
        """Remember how far the logs were read.

        Raises:
            OSError: it cannot be written; what was remembered before still is.
        """
        self._write(_MATCHED, place)

    def read_matched(self) -> dict[str, Any]:
        """Return how far the logs were read; an empty document where nobody has."""
        raw = self._read(_MATCHED)
        return raw if isinstance(raw, dict) else {}

    def _write(self, name: str, value: object) -> None:
        temporary = self.folder / f"{name}.tmp"
        try:
            temporary.write_text(json.dumps(value, separators=(",", ":")), encoding="utf-8")
            temporary.replace(self.folder / name)
        finally:
            temporary.unlink(missing_ok=True)

    def _read(self, name: str) -> object:
        with contextlib.suppress(OSError, ValueError):
            return json.loads((self.folder / name).read_text(encoding="utf-8"))
        return None
