"""How a daemon runs: frozen when it starts."""

from __future__ import annotations

from dataclasses import dataclass, field

from sagelet.domain.home import Home

DEFAULT_PORT = 7543
MAX_BODY_BYTES = 25 * 2**20
HOLD_S = 3600.0
LIVE_WORKERS = 64


@dataclass(frozen=True, slots=True)
class DaemonSettings:
    """A daemon's settings.

    `port` is None for the default one or the next that is free; a number is taken or refused.
    `max_body_bytes` bounds every request but S3's, which are streamed. `allowed_hosts` are names,
    besides the loopback ones, that a Host header may carry. `hold_s` is how long a waiter's
    Describe is held; 0 turns holding off. `warm` keeps a zygote. An endpoint that was idle for
    `park_after_s` is parked, and so are the least used ones where more than `live_workers` live.
    """

    home: Home
    region: str = "us-east-1"
    port: int | None = None
    lenient_auth: bool = False
    allowed_hosts: frozenset[str] = field(default_factory=frozenset)
    max_body_bytes: int = MAX_BODY_BYTES
    hold_s: float = HOLD_S
    warm: bool = True
    park_after_s: float | None = None
    live_workers: int = LIVE_WORKERS
