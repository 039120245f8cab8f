"""Lines that a script overwrites with carriage returns, as a job's log has them.

    \\r 45%|####      |        the state of such a line: it stands until the next state, or the end
    100%|##########|\\r        its end

The docs of the training contract describe them; every other event is a line by itself.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class Kind(Enum):
    """What a line is: whole, the state of one that is being overwritten, or that one's end."""

    WHOLE = "whole"
    STATE = "state"
    END = "end"


class Read(NamedTuple):
    """An event's text; `begun` is how an overwritten line begins, by which it is known."""

    kind: Kind
    text: str
    begun: str = ""


def read_message(message: str) -> Read:
    """Return what the message of an event says."""
    if message.count("\r") != 1:
        # A progress bar as AWS's own log driver leaves it: every state in one event.
        return Read(Kind.WHOLE, last_state(message))
    begun, _, state = message.partition("\r")
    return Read(Kind.STATE, begun + state, begun) if state else Read(Kind.END, begun)


def last_state(message: str) -> str:
    """Return what a terminal shows in the end."""
    return message.rstrip("\r").rpartition("\r")[2]
