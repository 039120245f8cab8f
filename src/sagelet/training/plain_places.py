"""A folder under a name without spaces: the SDK's drivers do not quote the paths that they find.

The state directory of macOS has a space in its path, and anybody's may. Such a host's folder gets a
link among the temporary files while its command runs.
"""

from __future__ import annotations

import contextlib
import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path

from sagelet.training.layout import MlTree


@dataclass(frozen=True, slots=True)
class PlainPlace:
    """A folder, `real`, and the path by which a command is told of it."""

    real: Path
    path: Path

    @classmethod
    def of(cls, real: Path) -> PlainPlace:
        """Return the place of a folder; nothing is made."""
        if " " not in str(real):
            return cls(real, real)
        name = hashlib.sha256(str(real).encode()).hexdigest()[:16]
        return cls(real, Path(tempfile.gettempdir(), f"sagelet-{name}"))

    def of_tree(self, tree: MlTree) -> str:
        """Return the path of a tree in the folder."""
        return str(self.path / tree.base.relative_to(self.real))

    def show(self) -> None:
        """Make the link, where one is needed.

        Raises:
            OSError: it cannot be made, or somebody else has something there.
        """
        if self.path == self.real:
            return
        self.hide()
        self.path.symlink_to(self.real, target_is_directory=True)

    def hide(self) -> None:
        """Remove the link, where there is one of ours."""
        with contextlib.suppress(OSError):
            if self.path != self.real and self.path.readlink() == self.real:
                self.path.unlink()
