"""What a job's Environment says to us rather than to its script: variables named SAGELET_*."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sagelet.artifacts.access import S3Access
from sagelet.domain.variables import CONTRACT, INTERRUPT_AFTER, THREADS, TOOLKIT

STOP_GRACE = "SAGELET_STOP_GRACE_S"
"""How many seconds a script has between SIGTERM and SIGKILL, where 120 will not do."""


@dataclass(frozen=True, slots=True)
class JobSettings:
    """A job's settings. Times are in seconds; None where the Environment says nothing."""

    threads: int | None = None
    stop_grace_s: int | None = None
    is_legacy: bool = False
    is_strict: bool = False
    interrupt_after_s: int | None = None
    s3: S3Access = field(default_factory=S3Access)

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> JobSettings:
        """Read a job's Environment; what is not one of a variable's values counts as unsaid."""
        said = {name: environment.get(name, "").strip() for name in _NAMES}
        return cls(
            threads=_number(said[THREADS]),
            stop_grace_s=_number(said[STOP_GRACE]),
            is_legacy=said[TOOLKIT].lower() == "legacy",
            is_strict=said[CONTRACT].lower() == "strict",
            interrupt_after_s=_number(said[INTERRUPT_AFTER]),
            s3=S3Access.of(environment),
        )


_NAMES = (THREADS, STOP_GRACE, TOOLKIT, CONTRACT, INTERRUPT_AFTER)


def _number(text: str) -> int | None:
    """A whole number above 0, or None."""
    return int(text) if text.isdecimal() and int(text) > 0 else None
