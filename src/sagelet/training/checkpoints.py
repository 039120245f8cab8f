"""A job's checkpoints: copied to every host before it starts, and stored while it runs.

    S3Uri ── restore ──> hosts/algo-1/ml/checkpoints/
      ^                       │  looked at about once a second, in a thread
      └── what has changed and rests; what is gone is removed ──┘

What was stored stands in JOB_DIR/checkpoints.json, so that a runner that takes over goes on from
there. The hosts share one prefix: where two write the same file, the later one is kept.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

from sagelet.artifacts.files import Artifacts, Uri
from sagelet.artifacts.uris import S3Uri, parse_uri
from sagelet.domain.training import Checkpoints
from sagelet.errors import SageletError
from sagelet.training.clashes import Clashes
from sagelet.training.layout import OPT_ML
from sagelet.training.outputs import child

REST_S = 0.9
"""How long a file has to stay as it is before it is stored: it may be half written."""

SHARE = 0.1
"""What part of its time the thread may spend on looking."""


class FileState(NamedTuple):
    """What tells a file that was written again from one that was not."""

    size_bytes: int
    changed_ns: int


_Files = dict[str, FileState]


class CheckpointSync:
    """Keeps the checkpoints of a job's hosts in their place in S3.

    The files are stored in a thread, one look at a time; all that is told is told by `tick` and
    `finish`, in the thread that calls them.
    """

    def __init__(
        self,
        artifacts: Artifacts,
        checkpoints: Checkpoints,
        folders: Mapping[str, Path],
        state: Path,
        say: Callable[[str], None],
    ) -> None:
        """Take each host's folder of checkpoints, and the file that holds what was stored."""
        self._artifacts = artifacts
        self._base = _folder_uri(parse_uri(checkpoints.uri))
        self._folders = dict(folders)
        self._state = state
        self._say = say
        self._unsaid: list[str] = []
        self._clashes = Clashes("checkpoints", self._unsaid.append)
        self._stored: dict[str, _Files] = _read_state(state)
        self._seen: dict[str, _Files] = {}
        self._writers: dict[str, str] = {}
        self._thread: threading.Thread | None = None
        self._next_look_at = 0.0
        self._failure: Exception | None = None
        self._failures: set[str] = set()

    def restore(self) -> int:
        """Copy what is stored to every host, whose folder must be new; return how many files.

        Raises:
            SageletError, OSError: something could not be copied.
        """
        self._seen.clear()
        self._stored = {}
        count = 0
        for host, folder in self._folders.items():
            folder.mkdir(parents=True, exist_ok=True)
            if self._artifacts.holds(self._base):
                count = self._artifacts.copy_prefix(self._base, folder)
            self._stored[host] = dict(_files_of(folder))
        self._write_state()
        return count

    def tick(self) -> None:
        """Begin to look at the files, unless that is still being done, or was just now."""
        self._tell()
        if self._thread is not None and self._thread.is_alive():
            return
        if time.monotonic() >= self._next_look_at:
            self._thread = threading.Thread(target=self._look_and_rest, daemon=True)
            self._thread.start()

    def finish(self) -> None:
        """Store all that is left, once the hosts have ended.

        Raises:
            SageletError, OSError: something could not be stored.
        """
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self._failure = None
        self._look(is_last=True)
        self._tell()
        if self._failure is not None:
            raise self._failure

    def _look_and_rest(self) -> None:
        began = time.monotonic()
        self._look(is_last=False)
        now = time.monotonic()
        self._next_look_at = max(began + REST_S, now + (now - began) / SHARE)

    def _look(self, *, is_last: bool) -> None:
        """Store what has changed on each host; what goes wrong is tried again at the next look."""
        looked = [
            self._look_at(host, folder, is_last=is_last) for host, folder in self._folders.items()
        ]
        if any(looked):
            self._write_state()

    def _look_at(self, host: str, folder: Path, *, is_last: bool) -> bool:
        """Store what has changed on one host; return whether there was anything."""
        if not folder.is_dir():  # no host was there yet, or its script removed the folder itself
            return False
        try:
            found = dict(_files_of(folder))
        except OSError as error:
            self._fail(error)
            return False
        stored = self._stored.setdefault(host, {})
        seen, self._seen[host] = self._seen.get(host, {}), found
        changed = [
            name
            for name, state in found.items()
            if stored.get(name) != state and (is_last or seen.get(name) == state)
        ]
        gone = stored.keys() - found.keys()
        for name in changed:
            self._safely(partial(self._store, host, folder, name, found[name]))
        for name in gone:
            self._safely(partial(self._remove, host, name))
        return bool(changed or gone)

    def _safely(self, step: Callable[[], None]) -> None:
        """Do something with one file; what cannot be done leaves the others as they are."""
        try:
            step()
        except (SageletError, OSError, UnicodeError) as error:
            self._fail(error)

    def _store(self, host: str, folder: Path, name: str, state: FileState) -> None:
        """Store a file; if it is written to meanwhile, it is stored again at a later look."""
        path = folder / name
        try:
            self._artifacts.upload(path, self._uri(name))
            is_whole = _state_of(path.stat()) == state
        except FileNotFoundError:  # it was removed since it was found
            return
        if is_whole:
            self._stored[host][name] = state
        writer = self._writers.setdefault(name, host)
        if writer != host:
            self._writers[name] = host
            self._clashes.tell(name, (writer, host))

    def _remove(self, host: str, name: str) -> None:
        """Remove what a script removed."""
        self._artifacts.remove(self._uri(name))
        del self._stored[host][name]

    def _uri(self, name: str) -> Uri:
        return child(self._base, *name.split("/"))

    def _fail(self, error: Exception) -> None:
        """Keep what went wrong, and say it once."""
        self._failure = error
        if str(error) not in self._failures:
            self._failures.add(str(error))
            self._unsaid.append(
                f"WARNING: checkpoints cannot be stored, and are tried again: {error}"
            )

    def _tell(self) -> None:
        """Say what the thread has to say."""
        while self._unsaid:
            self._say(self._unsaid.pop(0))

    def _write_state(self) -> None:
        """Write down what is stored. Without it, another runner would store everything again."""
        temporary = self._state.with_suffix(".tmp")
        with contextlib.suppress(OSError):
            temporary.write_text(json.dumps(self._stored), encoding="utf-8")
            temporary.replace(self._state)


def local_folder(checkpoints: Checkpoints, base: Path) -> Path:
    """Return where a script's checkpoints lie: LocalPath, in a tree that begins at `base`."""
    return base / Path(checkpoints.local_path).relative_to(OPT_ML)


def _read_state(path: Path) -> dict[str, _Files]:
    """Read what was stored by an earlier runner of this job."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {
        host: {name: FileState(*state) for name, state in files.items()}
        for host, files in raw.items()
    }


def _files_of(folder: Path, prefix: str = "") -> Iterator[tuple[str, FileState]]:
    """Yield the files of a tree that others write to; what goes while it is looked at is passed.

    A link to a file is that file; a link to a folder is not followed.
    """
    try:
        entries = list(os.scandir(folder))
    except FileNotFoundError:
        return
    for entry in entries:
        name = prefix + entry.name
        if entry.is_dir(follow_symlinks=False):
            yield from _files_of(Path(entry.path), f"{name}/")
            continue
        with contextlib.suppress(FileNotFoundError):
            if entry.is_file():
                yield name, _state_of(entry.stat())


def _state_of(stat: os.stat_result) -> FileState:
    return FileState(stat.st_size, stat.st_mtime_ns)


def _folder_uri(uri: Uri) -> Uri:
    """Return a URI as a folder: `ckpt` takes in `ckpt/a`, and not `ckpt-old/a`."""
    if isinstance(uri, S3Uri) and uri.key and not uri.key.endswith("/"):
        return S3Uri(uri.bucket, f"{uri.key}/")
    return uri
