"""What a detector knows besides the value: where it stands, and what was sent to the model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import ClassVar, Protocol, TypeAlias

from sagelet.web.results.inputs import NOTHING_SENT, InputRows
from sagelet.web.results.output import AS_IT_COMES, Output
from sagelet.web.results.values import Place


class View(Protocol):
    """How a value is shown: `template` renders it, as its `view`."""

    template: ClassVar[str]


@dataclass(slots=True)
class Budget:
    """How much more a page bears, so that no answer makes it slow: what is taken is gone.

    `looks` are the parts that detectors still look at, `elements` those that the page may still
    have, and `media_bytes` what pictures may still weigh.
    """

    looks: int = 1000
    elements: int = 12_000
    media_bytes: int = 8 * 2**20

    def take(self, wanted: int, *, least: int = 1) -> int:
        """Take so many elements, or what is left, but no fewer than `least`."""
        granted = max(min(wanted, self.elements), min(least, wanted))
        self.elements -= granted
        return granted

    def give_back(self, before: Budget) -> None:
        """Return to what was left before something was looked at, and then not shown."""
        self.elements, self.media_bytes = before.elements, before.media_bytes


@dataclass(frozen=True, slots=True)
class Context:
    """Where a value stands. `text` is the input that it is about, where that is a text.

    `look` shows a part of the value, by the whole chain.
    """

    look: Look
    budget: Budget = field(default_factory=Budget)
    sent: InputRows = NOTHING_SENT
    place: Place = ()
    text: str | None = None
    may_be_rows: bool = True
    output: Output = AS_IT_COMES

    @property
    def key(self) -> str:
        """The name that the value has in its object, in lower case; nothing in a list."""
        last = self.place[-1] if self.place else ""
        return last.lower() if isinstance(last, str) else ""

    @property
    def depth(self) -> int:
        """How many steps lead here."""
        return len(self.place)

    def within(self, key: str | int, *, text: str | None = None) -> Context:
        """Return the context of a part, which is about `text` if that is known."""
        return replace(self, place=(*self.place, key), text=self.text if text is None else text)

    def of_row(self, number: int, text: str | None) -> Context:
        """Return the context of one of several results: its own parts are no rows any more."""
        return replace(
            self, place=(*self.place, number), text=text, sent=NOTHING_SENT, may_be_rows=False
        )


Look: TypeAlias = Callable[[object, Context], View]
Detector: TypeAlias = Callable[[object, Context], View | None]
