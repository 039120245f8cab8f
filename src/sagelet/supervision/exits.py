"""Waiting for the end of a process that need not be our child."""

from __future__ import annotations

import asyncio
import os
import sys

from sagelet.supervision.process import ProcessId

_POLL_S = 0.05


async def ended(process: ProcessId) -> None:
    """Wait until a process runs no longer (its exit code may still wait for its parent)."""
    descriptor = _open(process.pid)
    if descriptor is None:
        while process.is_running:
            await asyncio.sleep(_POLL_S)
        return
    loop = asyncio.get_running_loop()
    over = asyncio.Event()
    # Opened first, then compared: from here on the descriptor can only mean the process we mean.
    try:
        if not process.is_running:
            return
        loop.add_reader(descriptor, over.set)
        try:
            await over.wait()
        finally:
            loop.remove_reader(descriptor)
    finally:
        os.close(descriptor)


def _open(pid: int) -> int | None:
    """Return a pidfd, or None where there is no such process or no such thing."""
    if sys.platform != "linux":
        return None
    try:
        return os.pidfd_open(pid)
    except OSError:
        return None
