"""Builds training hosts' orders around a script, and reads what such a host leaves behind."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from textwrap import dedent

from sagelet.supervision import package_path
from sagelet.supervision.launcher import Launcher
from sagelet.worker.loglines import decode_record
from sagelet.worker.spec import HostExit, HostOrder, Mounts, Rank, exit_from_json

DEADLINE_S = 30.0


@asynccontextmanager
async def a_launcher(
    folder: Path, *, preload: tuple[str, ...], warm: bool = True
) -> AsyncIterator[Launcher]:
    """Start hosts under our own interpreter, which finds our package in `folder`."""
    launcher = Launcher(
        Path(sys.executable),
        package_path=package_path.ensure(folder),
        preload=preload,
        warm=warm,
        on_note=lambda _: None,
    )
    yield launcher
    await launcher.close()


class HostFolder:
    """A folder with a script, a journal and an exit file."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.code = root / "code"
        self.code.mkdir(parents=True)
        self.log = root / "journal" / "algo-1"
        self.exit_file = root / "journal" / "exit.json"

    def order(
        self,
        script: str,
        *arguments: str,
        entry: str = "train.py",
        environment: Mapping[str, str] | None = None,
        mounts: Mounts | None = None,
        cwd: str | None = None,
        grace_s: float = 20.0,
        threads: int | None = None,
        log: str | None = None,
        argv: tuple[str, ...] | None = None,
        way: str = "script",
        ranks: Sequence[Rank] = (),
        site_dirs: tuple[str, ...] = (),
        names: Mapping[str, str] | None = None,
    ) -> HostOrder:
        """Write the script; return an order that runs it, or else `argv`."""
        (self.code / entry).write_text(dedent(script))
        return HostOrder(
            argv=argv or (entry, *arguments),
            cwd=cwd or str(self.code),
            environment={"PATH": os.environ["PATH"], **(environment or {})},
            log=log or str(self.log),
            exit_file=str(self.exit_file),
            grace_s=grace_s,
            threads=threads,
            mounts=mounts,
            way=way,
            ranks=tuple(ranks),
            site_dirs=site_dirs,
            names=names or {},
        )

    def records(self) -> list[tuple[int, str]]:
        """Return the journal's records."""
        if not self.log.exists():
            return []
        decoded = [decode_record(line) for line in self.log.read_bytes().splitlines()]
        return [record for record in decoded if record is not None]

    def lines(self) -> list[str]:
        """Return the journal's messages."""
        return [message for _, message in self.records()]

    def exit(self) -> HostExit:
        """Return what the exit file says."""
        return exit_from_json(self.exit_file.read_text())

    async def said(self, line: str) -> None:
        """Wait for a line in the journal."""
        await eventually(lambda: line in self.lines())


def ranks(count: int, **variables: str) -> list[Rank]:
    """Return so many processes of a host, each told its RANK and some more variables."""
    return [Rank(number, {"RANK": str(number), **variables}) for number in range(count)]


def listened_to() -> set[int]:
    """Return the ports of this machine at which somebody listens (IPv4 or IPv6; Linux only)."""
    tables = [Path(f"/proc/net/{name}") for name in ("tcp", "tcp6")]
    lines = [line for table in tables if table.exists() for line in table.read_text().splitlines()]
    rows = [line.split() for line in lines]
    return {int(row[1].rpartition(":")[2], 16) for row in rows if row[3] == "0A"}


async def run(launcher: Launcher, order: HostOrder) -> int:
    """Launch a host, and wait for its end."""
    child = await launcher.launch(order)
    try:
        return await asyncio.wait_for(child.wait(), DEADLINE_S)
    finally:
        await child.stop(0)


async def eventually(so: Callable[[], bool]) -> None:
    """Wait until something is so, with a deadline."""
    async with asyncio.timeout(DEADLINE_S):
        while not so():
            await asyncio.sleep(0.005)
