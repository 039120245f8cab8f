"""What the hosts of a job see of its channels, without a copy where that is safe.

JOB_DIR/views/0-training/all/       hard links to what the channel takes in, for every host
JOB_DIR/views/1-images/algo-2/      ... or a host's own part of it (ShardedByS3Key)
JOB_DIR/hosts/algo-2/overlays/      what the host writes to its channels, and the kernel's own

A view is never written to: it is the lower folder of an overlay that a host mounts in its
namespace. A folder of this machine that holds nothing but files and folders needs no view. Where
there is no overlay, each host has its own copy.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sagelet.artifacts.choosing import MANIFEST, absent, chosen, uri_of
from sagelet.artifacts.disk import disk_errors, random_name, remove_tree
from sagelet.artifacts.files import Artifacts, Named
from sagelet.artifacts.gunzip import is_gzip
from sagelet.artifacts.uris import FileUri, S3Uri, parse_uri
from sagelet.artifacts.views import Tree, can_lie_under, in_the_way, is_plain, link_bucket
from sagelet.domain.training import Channel, Host, LiteralProgram
from sagelet.errors import ModelDataMissing
from sagelet.training.layout import HostFolder
from sagelet.training.order import JobOrder, JobPaths
from sagelet.worker.spec import Overlay

READ_ONLY = "FastFile"
SHARDED = "ShardedByS3Key"
GZIP = "Gzip"

# The channels that hold the code of a ModelTrainer's job: looked into before a host has its mounts.
_CODE = ("code", "sm_drivers")
_SLOW_S = 1.0


@dataclass(frozen=True, slots=True)
class Shown:
    """A channel that is ready for a host: what to mount, if anything, and what to say of it."""

    overlay: Overlay | None = None
    notes: tuple[str, ...] = ()


class Channels:
    """The channels of one job."""

    def __init__(self, artifacts: Artifacts, order: JobOrder, paths: JobPaths) -> None:
        """Take the places; nothing is read before `show`."""
        self._artifacts = artifacts
        self._order = order
        self._views = paths.root / "views"

    def show(self, channel: Channel, host: Host, folder: HostFolder) -> Shown:
        """Make a channel ready for a host whose tree is laid out.

        Raises:
            ModelDataMissing: there is nothing at its URI.
            InvalidRequest: names that cannot be files in one tree, or a manifest that is none.
            UnsafeArchive: a gzip object is damaged, or a bomb.
            RemoteError: AWS did not give the data.
            DiskFull, OSError: it cannot be laid out.
        """
        target = folder.tree.channel(channel.name)
        target.mkdir(parents=True, exist_ok=True)
        # What is only read needs no overlay: it is bound where it is to appear.
        is_read = channel.input_mode == READ_ONLY
        no_mount = self._order.no_namespace if is_read else self._order.no_overlay
        if no_mount or self._is_code(channel):
            return self._copied(channel, host, target)
        lower = self._lower(channel, host)
        notes = tuple(_notes(channel, host, is_empty=not any(lower.iterdir())))
        return Shown(_overlay(channel, lower, folder), notes)

    def _is_code(self, channel: Channel) -> bool:
        return isinstance(self._order.program, LiteralProgram) and channel.name in _CODE

    def _copied(self, channel: Channel, host: Host, target: Path) -> Shown:
        """Give a host its own copy."""
        began = time.monotonic()
        tree = Tree(target, links=False)
        self._fill(channel, lambda part: tree if part in (None, host.name) else None)
        notes = list(_notes(channel, host, is_empty=not any(target.iterdir())))
        took_s = time.monotonic() - began
        if took_s > _SLOW_S and self._order.no_overlay:
            notes.append(
                f"Channel {channel.name}: {tree.copied_bytes / 2**20:.0f} MB were copied in "
                f"{took_s:.1f} s, since there is no overlay here ({self._order.no_overlay})"
            )
        return Shown(notes=tuple(notes))

    def _lower(self, channel: Channel, host: Host) -> Path:
        """Return the folder that an overlay shows to a host; the hosts share what they can."""
        own = self._own_folder(channel)
        if own is not None:
            return own
        number = self._order.channels.index(channel)
        view = self._views / f"{number}-{channel.name}"
        if not view.exists():
            self._make(channel, view)
        return view / (host.name if channel.distribution == SHARDED else "all")

    def _own_folder(self, channel: Channel) -> Path | None:
        """Return the folder of a channel that can be shown as it is, whole."""
        uri = parse_uri(channel.uri)
        if not isinstance(uri, FileUri) or not uri.path.is_dir():
            return None
        if channel.distribution == SHARDED or channel.compression == GZIP:
            return None
        folder = uri.path.resolve()
        self._views.mkdir(mode=0o700, exist_ok=True)
        if not is_plain(folder) or not can_lie_under(folder, self._views.resolve()):
            return None
        if not any(folder.iterdir()):
            raise ModelDataMissing(uri=channel.uri)
        return folder

    def _make(self, channel: Channel, view: Path) -> None:
        """Make a channel's view, whole: another runner may have to go on after this one."""
        self._views.mkdir(mode=0o700, exist_ok=True)
        draft = self._views / f".{random_name()}"
        try:
            if channel.distribution == SHARDED:
                names = [host.name for host in self._hosts(channel)]
                trees = {name: Tree(draft / name, links=True) for name in names}
                self._fill(channel, lambda part: trees[part] if part else None)
            elif not self._linked(channel, draft / "all"):
                remove_tree(draft)
                tree = Tree(draft / "all", links=True)
                self._fill(channel, lambda _part: tree)
            with disk_errors(view):
                draft.rename(view)
        finally:
            remove_tree(draft)

    def _linked(self, channel: Channel, into: Path) -> bool:
        """Link a bucket's folder as it is, where it is just what the channel takes in."""
        if channel.data_type == MANIFEST or channel.compression == GZIP:
            return False
        folder = self._artifacts.whole_folder(parse_uri(channel.uri))
        return folder is not None and link_bucket(folder, into) and into.is_dir()

    def _hosts(self, channel: Channel) -> list[Host]:
        return [host for host in self._order.cluster.hosts if channel.reaches(host)]

    def _fill(self, channel: Channel, tree_of: Callable[[str | None], Tree | None]) -> None:
        """Put what a channel takes in into trees.

        `tree_of` gives the tree for a host's part, by the host's name, or for what all hosts see.
        """
        uri = parse_uri(channel.uri)
        wanted = list(chosen(self._artifacts, uri, channel.data_type))
        if not wanted:
            raise ModelDataMissing(uri=channel.uri)
        parts = dict(self._parts(channel, wanted))
        asked: dict[str, tuple[Named, Tree]] = {}
        for named in wanted:
            if named.name in asked:
                raise in_the_way(named.name)
            tree = tree_of(parts.get(named.name))
            if tree is not None:
                asked[named.name] = named, tree
        there = set()
        for name, source in self._artifacts.fetch(named for named, _ in asked.values()):
            tree = asked[name][1]
            if source is None:
                tree.add_folder(name)
            elif _add(tree, channel, name, source):
                there.add(name)
        if channel.data_type == MANIFEST:
            _require_all(uri, [named for named, _ in asked.values()], there)

    def _parts(self, channel: Channel, wanted: list[Named]) -> Iterator[tuple[str, str]]:
        """Yield which host has which file: the first key the first host's, and so on in turn.

        AWS does not say how it shards; it says that each host gets about as many objects.
        """
        if channel.distribution != SHARDED:
            return
        hosts = self._hosts(channel)
        files = sorted(named.name for named in wanted if named.found is not None)
        for number, name in enumerate(files):
            yield name, hosts[number % len(hosts)].name


def remove_inputs(paths: JobPaths) -> None:
    """Remove what an ended job saw of its channels, and what its hosts wrote to them."""
    for folder in (
        paths.root / "views",
        *paths.root.glob("hosts/*/overlays"),
        *paths.root.glob("hosts/*/ml/input/data"),
    ):
        remove_tree(folder)


def _overlay(channel: Channel, lower: Path, folder: HostFolder) -> Overlay:
    """Return the mount of a channel; what a host wrote in an earlier attempt is gone."""
    target = str(folder.tree.channel(channel.name).relative_to(folder.tree.base))
    if channel.input_mode == READ_ONLY:
        return Overlay(lower=str(lower), target=target)
    own = folder.root / "overlays" / channel.name
    remove_tree(own)
    upper, work = own / "upper", own / "work"
    for path in (upper, work):
        path.mkdir(mode=0o700, parents=True)
    return Overlay(lower=str(lower), target=target, upper=str(upper), work=str(work))


def _add(tree: Tree, channel: Channel, name: str, source: Path) -> bool:
    """Put one file into a tree; of a gzip channel, what is in it."""
    if channel.compression == GZIP and is_gzip(source):
        tree.add_unzipped(name, source)
        return True
    return tree.add(name, source)


def _require_all(uri: S3Uri | FileUri, wanted: list[Named], there: set[str]) -> None:
    """Refuse a manifest that names what is not there."""
    for named in wanted:
        if named.found is not None and named.name not in there:
            raise absent(uri_of(named.found), uri)


def _notes(channel: Channel, host: Host, *, is_empty: bool) -> Iterator[str]:
    """What the log says of a channel."""
    if channel.shuffle_seed is not None:
        yield (
            f"WARNING: channel {channel.name}: ShuffleConfig has no effect on files; it is for "
            "Pipe mode"
        )
    if is_empty and channel.distribution == SHARDED:
        yield (
            f"WARNING: channel {channel.name}: {host.name} got no object (ShardedByS3Key, more "
            "hosts than objects)"
        )
