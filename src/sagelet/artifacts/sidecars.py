"""What we know of an object beyond its bytes: one small JSON file an object, under `.meta`.

A side-car lists versions, each good for one state (size and time) of the file. A writer first adds
the new version, then moves the new bytes into place: whichever bytes a reader finds, their version
is there. A file that no version fits was written by hand; its ETag is computed when somebody asks,
and kept as a version. What else was said of the object then stays.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sagelet.artifacts.disk import FOLDER_MODE, disk_errors, write_whole
from sagelet.artifacts.stored import Version


def fitting(versions: Sequence[Version], stat: os.stat_result) -> Version | None:
    """Return the version that a file is in."""
    for version in versions:
        if (version.size_bytes, version.modified_ns) == (stat.st_size, stat.st_mtime_ns):
            return version
    return None


@dataclass(frozen=True, slots=True)
class Sidecars:
    """The side-cars of one bucket. Writing needs the bucket's lock, reading does not."""

    folder: Path
    drafts: Path

    def read(self, key: str) -> tuple[Version, ...]:
        """Return the versions of a key, newest first; none where the side-car is damaged."""
        try:
            data = json.loads(self._place(key).read_bytes())
            return tuple(Version.from_json(version) for version in data["versions"])
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return ()

    def write(self, key: str, versions: Sequence[Version]) -> None:
        """Replace the versions of a key."""
        place = self._place(key)
        with disk_errors(place):
            place.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        data = {"key": key, "versions": [version.to_json() for version in versions]}
        write_whole(place, json.dumps(data).encode(), self.drafts)

    def remove(self, key: str) -> None:
        """Forget a key."""
        self._place(key).unlink(missing_ok=True)

    def _place(self, key: str) -> Path:
        # By hash: side-cars never conflict as keys do, and no name is too long.
        digest = hashlib.sha256(key.encode()).hexdigest()
        return self.folder / digest[:2] / f"{digest}.json"
