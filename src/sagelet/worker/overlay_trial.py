"""Tries, in this process, whether overlays do on a disk what a job expects of them.

python -m sagelet.worker.overlay_trial FOLDER     prints what is wrong, or nothing
"""

from __future__ import annotations

import errno
import shutil
import sys
from pathlib import Path

from sagelet.worker import namespace
from sagelet.worker.overlaying import Missed
from sagelet.worker.spec import Mounts, Overlay


def try_out(folder: Path) -> str:
    """Mount overlays of an empty folder's, write to them, and return what is wrong, or "".

    This process is in a namespace of its own afterwards.
    """
    lower, upper, work, tree = (folder / name for name in ("lower", "upper", "work", "tree"))
    for made in (upper, work, tree, lower / "emptied"):
        made.mkdir(parents=True)
    (lower / "changed").write_text("before")
    (lower / "emptied" / "file").touch()
    missed: list[Missed] = []
    overlays = (
        Overlay(str(lower), "data", str(upper), str(work)),
        Overlay(str(lower), "read-only"),
    )
    why = namespace.attempt(Mounts(str(tree), overlays=overlays), missed)
    if why or missed:
        return why or missed[0].why
    try:
        return _written(namespace.OPT_ML / "data", lower) or _kept(namespace.OPT_ML / "read-only")
    except OSError as error:
        return f"an overlay cannot be written to: {error.strerror}"


def _written(shown: Path, lower: Path) -> str:
    (shown / "changed").write_text("after")
    shutil.rmtree(shown / "emptied")
    (shown / "emptied").mkdir()
    if (shown / "changed").read_text() != "after" or list((shown / "emptied").iterdir()):
        return "an overlay does not show what was written to it"
    if (lower / "changed").read_text() != "before" or not (lower / "emptied" / "file").exists():
        return "what was written to an overlay came through it"
    return ""


def _kept(shown: Path) -> str:
    try:
        (shown / "changed").write_text("after")
    except OSError as error:
        return "" if error.errno == errno.EROFS else (error.strerror or str(error))
    return "a folder that is bound read-only can be written to"


if __name__ == "__main__":
    sys.stdout.write(try_out(Path(sys.argv[1])))
