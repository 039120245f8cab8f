"""The load generator: wrk with one thread, a script with the request, and what it prints."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3, "m": 60e3}
# wrk pads a unit of one letter with a space.
_PERCENTILE = r"^\s+{}%\s+([\d.]+)(us|ms|s|m) *$"
_REQUESTS = re.compile(r"^\s+(\d+) requests in ([\d.]+)(us|ms|s|m),", re.MULTILINE)
_STATUSES = re.compile(r"Non-2xx or 3xx responses: (\d+)")
_SOCKETS = re.compile(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)")
_GRACE_S = 30


class WrkMissing(Exception):
    """wrk is not installed, and cannot be installed from here."""


@dataclass(frozen=True, slots=True)
class Load:
    """What wrk saw: answers (failed ones among them), for how long, and how late they came."""

    requests: int
    seconds: float
    failed: int
    p50_ms: float
    p99_ms: float

    @property
    def per_second(self) -> float:
        """Answers a second that are none of the failed ones."""
        return (self.requests - self.failed) / self.seconds


def require() -> None:
    """See to it that wrk is there, which apt-get may install where we may.

    Raises:
        WrkMissing: it is not there.
    """
    if shutil.which("wrk"):
        return
    if os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run(["apt-get", "install", "--yes", "--quiet", "wrk"], check=False)
    if not shutil.which("wrk"):
        raise WrkMissing("wrk is the load generator: install it (Debian: apt-get install wrk)")


def run(
    url: str, headers: Mapping[str, str], body: bytes, *, connections: int, seconds: float
) -> Load:
    """Post one request over and over from a number of connections."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(script(headers, body))
        file.flush()
        done = subprocess.run(
            _argv(url, Path(file.name), connections, seconds),
            capture_output=True,
            text=True,
            check=True,
            timeout=seconds + _GRACE_S,
        )
    if done.stderr:
        raise ValueError(f"wrk complained: {done.stderr}")
    return parse(done.stdout)


def script(headers: Mapping[str, str], body: bytes) -> str:
    """Return the Lua that tells wrk what to post."""
    lines = ['wrk.method = "POST"', f"wrk.body = {_quoted(body.decode())}"]
    # wrk writes its own Host, the same one that was signed, and counts the body itself.
    lines += [
        f"wrk.headers[ {_quoted(name)} ] = {_quoted(value)}"
        for name, value in headers.items()
        if name.lower() not in ("host", "content-length")
    ]
    return "\n".join([*lines, ""])


def parse(printed: str) -> Load:
    """Read what `wrk --latency` printed.

    Raises:
        ValueError: it is something else.
    """
    counted = _REQUESTS.search(printed)
    if counted is None:
        raise ValueError(f"wrk printed no count of requests:\n{printed}")
    statuses, sockets = _STATUSES.search(printed), _SOCKETS.search(printed)
    failed = int(statuses[1]) if statuses else 0
    failed += sum(map(int, sockets.groups())) if sockets else 0
    return Load(
        requests=int(counted[1]),
        seconds=_ms(counted[2], counted[3]) / 1e3,
        failed=failed,
        p50_ms=_percentile(printed, 50),
        p99_ms=_percentile(printed, 99),
    )


def _argv(url: str, file: Path, connections: int, seconds: float) -> list[str]:
    size = ["--threads", "1", "--connections", str(connections), "--duration", f"{seconds:.0f}s"]
    return ["wrk", *size, "--timeout", "10s", "--latency", "--script", str(file), url]


def _percentile(printed: str, percent: int) -> float:
    found = re.search(_PERCENTILE.format(percent), printed, re.MULTILINE)
    if found is None:
        raise ValueError(f"wrk printed no {percent}th percentile:\n{printed}")
    return _ms(found[1], found[2])


def _ms(number: str, unit: str) -> float:
    return float(number) * _UNITS[unit]


def _quoted(text: str) -> str:
    """Return a Lua string; a long bracket takes everything but its own end."""
    if "]==]" in text or text.startswith("\n"):
        raise ValueError(f"{text!r} cannot be written for wrk")
    return f"[==[{text}]==]"
