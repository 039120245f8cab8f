"""A job's own /opt/ml, /etc/hosts and host name, in namespaces of its own process.

As root a mount and a UTS namespace are enough; anybody else gets a user namespace around them, in
which their uid stays what it was. Nothing outside the process changes. Where /opt/ml exists, the
job's tree is bound on it; elsewhere a tmpfs covers /opt, on which all that was there is bound
again (/opt/conda stays where it was), with the job's tree as `ml` beside it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from sagelet.worker import libc
from sagelet.worker.overlaying import Missed, Overlays
from sagelet.worker.spec import Mounts

OPT = Path("/opt")
OPT_ML = OPT / "ml"
HOSTS = Path("/etc/hosts")


def enter(mounts: Mounts) -> bool:
    """Show a job its own tree at /opt/ml; False, with all as it was, where that cannot be."""
    return attempt(mounts) == ""


def attempt(mounts: Mounts, missed: list[Missed] | None = None) -> str:
    """Enter as `enter` does; return why not, or the empty string where it worked.

    Overlays that could not be mounted are added to `missed`; the rest is there all the same.
    """
    why = _plainly_impossible(mounts)
    if why:
        return why
    done: list[Path] = []
    try:
        rootless = _unshare()
        libc.mount(None, "/", None, libc.MS_REC | libc.MS_PRIVATE)
        overlays = Overlays(mounts.overlays)
        tree = os.open(mounts.opt_ml, _O_PATH | os.O_CLOEXEC)
        try:
            _show(tree, done)
            done += overlays.mount(OPT_ML, rootless=rootless)
        finally:
            os.close(tree)
            overlays.close()
        if missed is not None:
            missed += overlays.missed
        if mounts.hosts_file is not None:
            libc.mount(mounts.hosts_file, str(HOSTS), None, libc.MS_BIND)
            done.append(HOSTS)
        if mounts.hostname is not None:
            libc.set_host_name(mounts.hostname)
        if rootless:
            libc.drop_capabilities()
    except OSError as error:
        for target in reversed(done):
            libc.unmount(str(target))
        return error.strerror or str(error)
    return ""


def probe() -> str:
    """Try in a process of its own; return why /opt/ml cannot be a job's own, or an empty string."""
    with tempfile.TemporaryDirectory() as tree:
        return _tried("sagelet.worker.namespace", tree)


def probe_overlay(folder: str) -> str:
    """Try in a process of its own; return why a folder's disk cannot hold overlays, or "".

    Raises:
        OSError: nothing can be written there at all.
    """
    with tempfile.TemporaryDirectory(prefix=".overlay-", dir=folder) as root:
        return _tried("sagelet.worker.overlay_trial", root)


def _tried(module: str, folder: str) -> str:
    """Run a module that prints what is wrong."""
    tried = subprocess.run(
        [sys.executable, "-S", "-m", module, folder],
        env={"PYTHONPATH": str(Path(__file__).parents[2])},
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    if tried.returncode != 0:
        return (tried.stderr.strip().splitlines() or ["the trial failed"])[-1]
    return tried.stdout.strip()


# Python 3.9 has the name on Linux only, which is also where this is used.
_O_PATH: int = getattr(os, "O_PATH", 0)


def _plainly_impossible(mounts: Mounts) -> str:
    if not sys.platform.startswith("linux"):
        return "mount namespaces are Linux's"
    if not Path(mounts.opt_ml).is_dir():
        return f"there is no folder {mounts.opt_ml}"
    if not OPT.is_dir():
        return "there is no /opt to put it in"
    return ""


def _unshare() -> bool:
    """Leave the parent's mounts; return whether that took a user namespace."""
    try:
        libc.unshare(libc.CLONE_NEWNS | libc.CLONE_NEWUTS)
    except PermissionError:
        pass
    else:
        return False
    uid, gid = os.getuid(), os.getgid()
    # A process that has changed its uid does not own its /proc files until it is dumpable again.
    libc.become_dumpable()
    libc.unshare(libc.CLONE_NEWUSER | libc.CLONE_NEWNS | libc.CLONE_NEWUTS)
    Path("/proc/self/setgroups").write_bytes(b"deny")
    Path("/proc/self/uid_map").write_bytes(b"%d %d 1" % (uid, uid))
    Path("/proc/self/gid_map").write_bytes(b"%d %d 1" % (gid, gid))
    return True


def _show(tree: int, done: list[Path]) -> None:
    """Put the job's tree, an open folder, at /opt/ml; note in `done` what was mounted."""
    if not OPT_ML.is_dir():
        _cover_opt(done)
        OPT_ML.mkdir()
    libc.mount(f"/proc/self/fd/{tree}", str(OPT_ML), None, libc.MS_BIND | libc.MS_REC)
    done.append(OPT_ML)


def _cover_opt(done: list[Path]) -> None:
    """Mount a tmpfs on /opt that holds what /opt holds."""
    opt = os.open(OPT, _O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        siblings = sorted(OPT.iterdir())
        links = {sibling: sibling.readlink() for sibling in siblings if sibling.is_symlink()}
        folders = {sibling for sibling in siblings if sibling.is_dir()}
        libc.mount("tmpfs", str(OPT), "tmpfs", 0, "mode=755")
        done.append(OPT)
        for sibling in siblings:
            if sibling in links:
                sibling.symlink_to(links[sibling])
                continue
            if sibling in folders:
                sibling.mkdir()
            else:
                sibling.touch()
            under = f"/proc/self/fd/{opt}/{sibling.name}"
            libc.mount(under, str(sibling), None, libc.MS_BIND | libc.MS_REC)
            done.append(sibling)
    finally:
        os.close(opt)


def _trial(folder: str) -> str:
    hosts = Path(folder, "hosts")
    hosts.touch()
    return attempt(Mounts(opt_ml=folder, hosts_file=str(hosts)))


if __name__ == "__main__":
    sys.stdout.write(_trial(sys.argv[1]))
