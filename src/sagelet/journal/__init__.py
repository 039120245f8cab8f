"""What running things write: log streams and events, on disk, and their readers."""

from sagelet.journal.events import EventLog
from sagelet.journal.pages import (
    FilterPage,
    GroupInfo,
    GroupPage,
    LogEvent,
    LogPage,
    StreamInfo,
    StreamOrder,
    StreamPage,
)
from sagelet.journal.streams import LogStreams

__all__ = [
    "EventLog",
    "FilterPage",
    "GroupInfo",
    "GroupPage",
    "LogEvent",
    "LogPage",
    "LogStreams",
    "StreamInfo",
    "StreamOrder",
    "StreamPage",
]
