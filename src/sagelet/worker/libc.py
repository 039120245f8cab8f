"""The few calls of Linux's C library that Python 3.9 has no name for."""

from __future__ import annotations

import ctypes
import functools
import os
import signal
import sys

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWUSER = 0x10000000
MS_RDONLY = 1
MS_REMOUNT = 1 << 5
MS_BIND = 1 << 12
MS_REC = 1 << 14
MS_PRIVATE = 1 << 18
MNT_DETACH = 2

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_CHILD_SUBREAPER = 36
_CAPABILITY_VERSION_3 = 0x20080522
_SYS_MOUNT_SETATTR = 442  # the same on every architecture
_AT_FDCWD = -100
_AT_RECURSIVE = 0x8000
_MOUNT_ATTR_RDONLY = 1
_KEPT_FLAGS = (1 << 1) | (1 << 2) | (1 << 3) | (1 << 10) | (1 << 11)  # nosuid to nodiratime


def unshare(flags: int) -> None:
    """Leave the namespaces of the parent. Raises OSError where the kernel refuses."""
    _check(_libc().unshare(flags), "unshare")


def mount(source: str | None, target: str, kind: str | None, flags: int, data: str = "") -> None:
    """Mount something. Raises OSError where the kernel refuses."""
    result = _libc().mount(
        _encoded(source), _encoded(target), _encoded(kind), flags, _encoded(data or None)
    )
    _check(result, f"mount {target}")


def make_read_only(target: str) -> None:
    """Let nothing be written at a bind mount or below it. Raises OSError where that is refused."""
    attributes = (ctypes.c_uint64 * 4)(_MOUNT_ATTR_RDONLY, 0, 0, 0)
    where = (ctypes.c_int(_AT_FDCWD), _encoded(target), ctypes.c_uint(_AT_RECURSIVE))
    size = ctypes.c_size_t(ctypes.sizeof(attributes))
    if _libc().syscall(_SYS_MOUNT_SETATTR, *where, attributes, size) == 0:
        return
    # Before Linux 5.12: that mount only. Flags that it came with may not be dropped without root.
    kept = os.statvfs(target).f_flag & _KEPT_FLAGS
    mount(None, target, None, MS_REMOUNT | MS_BIND | MS_RDONLY | kept)


def unmount(target: str) -> None:
    """Take a mount away, however busy. Raises OSError where the kernel refuses."""
    _check(_libc().umount2(_encoded(target), MNT_DETACH), f"unmount {target}")


def set_host_name(name: str) -> None:
    """Name this machine, in the present UTS namespace. Raises OSError where the kernel refuses."""
    raw = name.encode()
    _check(_libc().sethostname(raw, len(raw)), "sethostname")


def become_dumpable() -> None:
    """Let this process write its own uid_map after it has changed its uid."""
    _check(_libc().prctl(_PR_SET_DUMPABLE, 1, 0, 0, 0), "prctl")


def adopt_orphans() -> bool:
    """Become the parent of every descendant that loses its own; False where there is no such."""
    if not sys.platform.startswith("linux"):
        return False
    return bool(_libc().prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)


def die_with(parent: int) -> None:
    """Have this process killed when its parent, whose pid is given, ends (Linux only)."""
    if not sys.platform.startswith("linux"):
        return
    _libc().prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it ended before we could ask
        os.kill(os.getpid(), signal.SIGKILL)


def drop_capabilities() -> None:
    """Give back what entering a user namespace granted. Raises OSError where it cannot."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    nothing = (ctypes.c_uint32 * 6)()
    _check(_libc().capset(header, nothing), "capset")


@functools.cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _encoded(text: str | None) -> bytes | None:
    return None if text is None else os.fsencode(text)


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
