"""Where the processes of a job meet: torch's TCPStore, to which every rendezvous leads.

Who connects before the store listens is refused, and torch then waits half a second before it
tries again. All hosts are on this machine, so the kernel tells when somebody listens. And torch
resolves the host's name in C++, where no shim reaches; so it is given an address.
"""

from __future__ import annotations

import importlib.util
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

_TORCH = "torch.distributed"
_STORES = "torch._C._distributed_c10d"
_SOCKETS = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
_LISTENS = "0A"
_TICK_S = 0.004
_LISTENS_WITHIN_S = 10.0


def install(names: Mapping[str, str]) -> None:
    """Have torch meet so in this process, from when it is imported; `names` are its hosts'."""
    if _TORCH in sys.modules:
        _teach_torch(names)
    else:
        sys.meta_path.insert(0, _AfterTorch(names))


class _AfterTorch:
    """Finds nothing; has torch.distributed taught when it has been imported."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        del path, target
        if fullname != _TORCH:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        loader: Any = None if spec is None else spec.loader
        if loader is not None:
            execute = loader.exec_module

            def execute_and_teach(module: ModuleType) -> None:
                del loader.exec_module
                execute(module)
                _teach_torch(self._names)

            loader.exec_module = execute_and_teach
        return spec


def _teach_torch(names: Mapping[str, str]) -> None:
    """Have each TCPStore be given an address, and begin when there is somebody to answer."""
    store: Any = getattr(sys.modules.get(_STORES), "TCPStore", None)
    if store is None:  # a torch that was built without it
        return
    initialise = store.__init__

    def meet(self: Any, *args: Any, **options: Any) -> None:  # noqa: ANN401 - torch's own
        given = dict(zip(("host_name", "port", "world_size", "is_master"), args))
        asked: dict[str, Any] = {**given, **options}
        if asked.get("host_name") in names:
            asked["host_name"] = names[asked["host_name"]]
        if not asked.get("is_master"):
            _wait_for_listener(asked.get("host_name"), asked.get("port"))
        initialise(self, *(asked.pop(name) for name in given), *args[4:], **asked)

    store.__init__ = meet


def _wait_for_listener(host: object, port: object) -> None:
    """Wait until somebody on this machine listens at a port; not for long, and not elsewhere."""
    if not isinstance(host, str) or not isinstance(port, int) or not _is_here(host):
        return
    until = time.monotonic() + _LISTENS_WITHIN_S
    while not _is_listened_to(port) and time.monotonic() < until:
        time.sleep(_TICK_S)


def _is_here(host: str) -> bool:
    try:
        return socket.gethostbyname(host).startswith("127.")
    except (OSError, UnicodeError):
        return False


def _is_listened_to(port: int) -> bool:
    """Whether somebody listens at a port; where nobody can tell (no /proc), too."""
    ending = f":{port:04X}"
    known = False
    for table in _SOCKETS:
        try:
            lines = table.read_text(encoding="utf-8").splitlines()[1:]
        except OSError:  # no IPv6, or no Linux
            continue
        known = True
        for line in lines:
            _, local, _, state, *_ = line.split(None, 4)
            if state == _LISTENS and local.endswith(ending):
                return True
    return not known
