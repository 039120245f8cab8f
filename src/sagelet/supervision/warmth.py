"""What a zygote has behind it when a child is forked from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sagelet.worker import installed


@dataclass(frozen=True, slots=True)
class Warmth:
    """A zygote's own environment, and the top-level modules that it has imported."""

    environment: Mapping[str, str]
    loaded: frozenset[str]


@dataclass(frozen=True, slots=True)
class Ready:
    """What a zygote says of itself when it can fork."""

    warmth: Warmth
    imported: tuple[str, ...]
    skipped: Mapping[str, str]
    python: str
    folders: tuple[str, ...]
    fingerprint: str
    complete: bool

    @property
    def is_stale(self) -> bool:
        """Whether packages came, went or changed since it began to import."""
        return installed.fingerprint(self.folders) != self.fingerprint

    @classmethod
    def told(cls, header: Mapping[str, Any], environment: Mapping[str, str]) -> Ready:
        """Read a `ready` frame of a zygote that was started with an environment.

        Raises:
            KeyError: something is missing.
        """
        return cls(
            warmth=Warmth(environment, frozenset(header["loaded"])),
            imported=tuple(header["imported"]),
            skipped=header["skipped"],
            python=header["python"],
            folders=tuple(header["folders"]),
            fingerprint=header["fingerprint"],
            complete=header["complete"],
        )
