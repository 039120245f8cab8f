"""A client of the event stream, over a socket: what it was told, one event at a time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from tests.door_rig import PATIENCE_S, Door
from tests.signed_requests import raw, signed


@dataclass(frozen=True)
class Told:
    """One event."""

    name: str
    data: Any
    id_text: str = ""

    @property
    def id(self) -> int | None:
        """Its number, where it has one."""
        return int(self.id_text) if self.id_text else None


@dataclass
class Stream:
    """An open stream, and the head of its answer."""

    head: str
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    rest: str = ""
    heartbeats: list[str] = field(default_factory=list)

    @property
    def status(self) -> int:
        return int(self.head.split()[1])

    async def next(self) -> Told:
        """Return the next event that has a name."""
        while True:
            block = await self.block()
            fields = dict(line.partition(": ")[::2] for line in block.splitlines())
            if "event" in fields:
                return Told(fields["event"], json.loads(fields["data"]), fields.get("id", ""))
            self.heartbeats.append(block)

    async def block(self) -> str:
        """Return what stands before the next empty line.

        Raises:
            EOFError: the stream has ended.
        """
        while "\n\n" not in self.rest:
            async with asyncio.timeout(PATIENCE_S):
                size = int(await self.reader.readline() or b"0", 16)
                part = await self.reader.readexactly(size + 2)
            if not size:
                raise EOFError
            self.rest += part[:-2].decode()
        block, _, self.rest = self.rest.partition("\n\n")
        return block

    async def nothing_for(self, seconds: float) -> bool:
        """Say whether nothing comes for a while."""
        try:
            await asyncio.wait_for(self.next(), seconds)
        except TimeoutError:
            return True
        return False


async def a_stream(
    door: Door, topics: str = "", headers: Mapping[str, str] | None = None, query: str = ""
) -> Stream:
    """Open a stream of events, signed."""
    path = f"/api/v1/events?topics={quote(topics, safe='')}{query}"
    return await a_stream_of(door, path, headers)


async def a_stream_of(door: Door, path: str, headers: Mapping[str, str] | None = None) -> Stream:
    """Open any stream, signed."""
    wanted = {"Accept": "text/event-stream", **(headers or {})}
    reader, writer = await door.connect()
    fields = signed(path, method="GET", service="sagelet", headers=wanted)
    writer.write(raw(path, fields, method="GET"))
    async with asyncio.timeout(PATIENCE_S):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
    return Stream(head, reader, writer)
