"""How far a job's logs were matched, as a document: another runner goes on from there."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from sagelet.training.metric_expressions import Point
from sagelet.training.metric_lines import Place


@dataclass(slots=True)
class Progress:
    """What a matcher knows.

    `places` are by host, `last` by name; `matched`, `no_number` and `off` say of definitions, by
    their numbers, which have matched, what they captured instead of a number, and which were
    switched off. `sizes` says how much of each series' file was written by then.
    """

    places: dict[str, Place] = field(default_factory=dict)
    sizes: dict[str, dict[int, int]] = field(default_factory=dict)
    last: dict[str, Point] = field(default_factory=dict)
    matched: set[int] = field(default_factory=set)
    no_number: dict[int, str] = field(default_factory=dict)
    off: set[int] = field(default_factory=set)
    passed_over_bytes: dict[str, int] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """Return it as it is written down."""
        return {**asdict(self), "matched": sorted(self.matched), "off": sorted(self.off)}

    @classmethod
    def of(cls, document: dict[str, Any]) -> Progress:
        """Read it back; nothing is known where the document is none of ours."""
        try:
            return cls(
                places={host: Place(**place) for host, place in document["places"].items()},
                sizes={
                    host: {int(index): int(size) for index, size in sizes.items()}
                    for host, sizes in document["sizes"].items()
                },
                last={
                    name: (int(ms), float(value)) for name, (ms, value) in document["last"].items()
                },
                matched=set(document["matched"]),
                no_number={int(index): text for index, text in document["no_number"].items()},
                off=set(document["off"]),
                passed_over_bytes=dict(document["passed_over_bytes"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError):
            return cls()
