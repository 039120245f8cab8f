"""Log groups and streams on disk: a folder a group, a file a stream, a line an event.

    logs/%2Faws%2Fsagemaker%2FTrainingJobs/train-1%2Falgo-1-1732240000
    logs/%2Faws%2Fsagemaker%2FTrainingJobs/.group          when the group was made

Whoever knows a stream's path may append to it (`sagelet.worker.loglines` has the format).
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from sagelet.errors import LogGroupNotFound, LogStreamNotFound
from sagelet.journal.appending import append_lines, make_folder
from sagelet.journal.catalogue import (
    MARK,
    describe_group,
    describe_stream,
    names_in,
    size_bytes,
    written_ms,
)
from sagelet.journal.filtering import Search, search
from sagelet.journal.names import file_name
from sagelet.journal.pages import (
    FilterPage,
    GroupPage,
    LogPage,
    StreamOrder,
    StreamPage,
)
from sagelet.journal.paging import Range, read_page
from sagelet.journal.patterns import read_pattern
from sagelet.journal.reading import StreamFile
from sagelet.journal.tokens import pack_place, read_filter_token, read_place
from sagelet.worker.loglines import Record, encode_record

MAX_EVENTS = 10_000


class LogStreams:
    """Every log group under one folder. Any process may write; every method reads what is there."""

    def __init__(self, root: Path) -> None:
        """Name the folder; the first group makes it."""
        self._root = root

    def path_of(self, group: str, stream: str) -> Path:
        """Return the file of a stream, whether there is one or not.

        Raises:
            InvalidRequest: a name is too long for a file system.
        """
        return self._folder(group) / file_name(stream)

    def create_group(self, group: str) -> bool:
        """Make a group; False when it was there.

        Raises:
            DiskFull: no space is left.
        """
        folder = self._folder(group)
        make_folder(folder)
        try:
            (folder / MARK).touch(mode=0o600, exist_ok=False)
        except FileExistsError:
            return False
        return True

    def create_stream(self, group: str, stream: str) -> bool:
        """Make a stream, and its group where that is missing; False when it was there.

        Raises:
            DiskFull: no space is left.
        """
        self.create_group(group)
        try:
            self.path_of(group, stream).touch(mode=0o600, exist_ok=False)
        except FileExistsError:
            return False
        return True

    def append(self, group: str, stream: str, records: Iterable[Record]) -> None:
        """Append events to a stream in one write, making it where it is missing.

        Raises:
            DiskFull: no space is left.
        """
        lines = b"".join(encode_record(ms, message) for ms, message in records)
        if lines:
            append_lines(self.path_of(group, stream), lines)

    def groups(self, prefix: str = "") -> list[str]:
        """Return the names of the groups, in order."""
        return sorted(names_in(self._root, prefix))

    def streams(self, group: str, prefix: str = "") -> list[str]:
        """Return the names of a group's streams, in order.

        Raises:
            LogGroupNotFound: there is no such group.
        """
        return sorted(names_in(self._known(group), prefix))

    def has_group(self, group: str) -> bool:
        """Return whether there is such a group."""
        return self._folder(group).is_dir()

    def has_stream(self, group: str, stream: str) -> bool:
        """Return whether there is such a stream."""
        return self.path_of(group, stream).is_file()

    def size_bytes(self, group: str, stream: str) -> int:
        """Return how large a stream's file is; 0 when there is none."""
        return size_bytes(self.path_of(group, stream))

    def describe_groups(
        self, prefix: str = "", *, contains: str = "", limit: int = 50, token: str | None = None
    ) -> GroupPage:
        """Return a page of the groups, in order of their names.

        Raises:
            InvalidRequest: the token is none of ours.
        """
        names = [name for name in self.groups(prefix) if contains in name]
        if token is not None:
            _, last = read_place(token)
            names = [name for name in names if name > last]
        shown = names[:limit]
        return GroupPage(
            groups=tuple(describe_group(name, self._folder(name)) for name in shown),
            token=pack_place(0, shown[-1]) if len(names) > limit else None,
        )

    def describe_streams(
        self,
        group: str,
        prefix: str = "",
        *,
        order: StreamOrder = StreamOrder.NAME,
        descending: bool = False,
        limit: int = 50,
        token: str | None = None,
    ) -> StreamPage:
        """Return a page of a group's streams.

        By the time of the last event means by when the stream was last written to.

        Raises:
            LogGroupNotFound: there is no such group.
            InvalidRequest: the token is none of ours.
        """
        by_event = order is StreamOrder.LAST_EVENT
        places = sorted(
            (written_ms(self.path_of(group, name)) if by_event else 0, name)
            for name in self.streams(group, prefix)
        )
        if descending:
            places.reverse()
        if token is not None:
            last = read_place(token)
            places = [place for place in places if (place < last if descending else place > last)]
        shown = places[:limit]
        return StreamPage(
            streams=tuple(describe_stream(name, self.path_of(group, name)) for _, name in shown),
            token=pack_place(*shown[-1]) if len(places) > limit else None,
        )

    def read(
        self,
        group: str,
        stream: str,
        *,
        start_ms: int | None = None,
        end_ms: int | None = None,
        token: str | None = None,
        limit: int = MAX_EVENTS,
        from_head: bool = False,
    ) -> LogPage:
        """Return a page of a stream: from `start_ms` on, before `end_ms`, at most 1 MB.

        Without a token it is the first page, or the last one unless `from_head`.

        Raises:
            LogGroupNotFound: there is no such group.
            LogStreamNotFound: there is no such stream in it.
            InvalidRequest: the token is none of ours.
        """
        wanted = Range(start_ms or 0, end_ms, limit, from_head)
        return read_page(self._file(group, stream), stream, wanted, token)

    def filter(
        self,
        group: str,
        *,
        streams: Sequence[str] | None = None,
        prefix: str = "",
        start_ms: int | None = None,
        end_ms: int | None = None,
        pattern: str = "",
        token: str | None = None,
        limit: int = MAX_EVENTS,
    ) -> FilterPage:
        """Return a page of a group's events, from `start_ms` up to and with `end_ms`.

        A page may be short, or empty, and yet have a token: it ends after 1 MB of matches and
        after 16 MB of reading.

        Raises:
            LogGroupNotFound: there is no such group.
            LogStreamNotFound: one of `streams` is not in it.
            InvalidRequest: the pattern or the token is none.
            NotSupported: the pattern is of a kind that this release does not read.
        """
        wanted = Search(
            start_ms=start_ms or 0,
            end_ms=end_ms,
            matches=read_pattern(pattern),
            limit=limit,
            after=None if token is None else read_filter_token(token),
        )
        names = self.streams(group, prefix) if streams is None else streams
        if streams is not None:
            self._require(group, streams)
        return search({name: self.path_of(group, name) for name in names}, wanted)

    def delete_stream(self, group: str, stream: str) -> None:
        """Remove a stream and its events.

        Raises:
            LogGroupNotFound: there is no such group.
            LogStreamNotFound: there is no such stream in it.
        """
        self._require(group, [stream])
        self.path_of(group, stream).unlink(missing_ok=True)

    def delete_group(self, group: str) -> None:
        """Remove a group and its streams.

        Raises:
            LogGroupNotFound: there is no such group.
        """
        shutil.rmtree(self._known(group), ignore_errors=True)

    def _folder(self, group: str) -> Path:
        return self._root / file_name(group)

    def _known(self, group: str) -> Path:
        folder = self._folder(group)
        if not folder.is_dir():
            raise LogGroupNotFound(name=group)
        return folder

    def _require(self, group: str, streams: Iterable[str]) -> None:
        self._known(group)
        for stream in streams:
            if not self.has_stream(group, stream):
                raise LogStreamNotFound(name=stream)

    def _file(self, group: str, stream: str) -> StreamFile:
        self._known(group)
        try:
            return StreamFile(self.path_of(group, stream))
        except FileNotFoundError as error:
            raise LogStreamNotFound(name=stream) from error
