"""A request that failed: its status, the text that the client gets, and what the log is told."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from sagelet.worker.serving import toolkit_errors
from sagelet.worker.serving.differences import Refused
from sagelet.worker.serving.telling import tell
from sagelet.worker.serving.tracebacks import describe
from sagelet.worker.serving.turns import Turn

_HEAD = "Traceback"


@dataclass(frozen=True)
class Failed:
    """An error as the container answers it. `facts` are the answer's error, where and handler."""

    status: int
    text: str
    facts: dict[str, Any]


def failed(error: BaseException, turn: Turn, *, strict: bool) -> Failed:
    """Return the answer to a request whose handlers raised an error, and write it to the log."""
    failure = describe(error)
    _free_cuda_memory(error)
    tell(failure.traceback)
    facts = {
        "where": failure.where,
        "handler": turn.raised_in or turn.handler,
        "error": failure.error,
    }
    text = f"{toolkit_errors.message_of(error)}\n{_headed(failure.traceback)}"
    status = toolkit_errors.chosen_status(error)
    if not strict:
        status = status or _sane_status(error, turn)
        _note_differences(error, turn, status)
    else:
        refused = _strictly_refused(error)
        if refused is not None:
            text, status = f"{refused}\n{text}", None
    return Failed(status or HTTPStatus.INTERNAL_SERVER_ERROR.value, text, facts)


def _strictly_refused(error: BaseException) -> Refused | None:
    """Return why an error would have been no answer in the container."""
    if isinstance(error, Refused):
        return None  # which says so itself
    odd = toolkit_errors.odd_answer(error)
    if odd is not None:
        return Refused("answer-metadata", odd)
    if not toolkit_errors.phrase_of(error).isascii():
        return Refused("utf8-error", "The text of this error is not ASCII.")
    return None


def _headed(traceback: str) -> str:
    """Return a traceback with the line that it begins with in the container, frames or none."""
    return traceback if _HEAD in traceback else f"{_HEAD} (most recent call last):\n{traceback}"


def _sane_status(error: BaseException, turn: Turn) -> int | None:
    if not toolkit_errors.is_unsupported_format(error):
        return None
    if turn.handler == "output_fn":
        return HTTPStatus.NOT_ACCEPTABLE.value
    return HTTPStatus.UNSUPPORTED_MEDIA_TYPE.value


def _note_differences(error: BaseException, turn: Turn, status: int | None) -> None:
    if toolkit_errors.is_unsupported_format(error):
        turn.request.differ(f"unsupported-{status}")
    elif isinstance(error, Refused):
        turn.request.differ(error.difference)
    elif not isinstance(error, Exception):
        turn.request.differ("system-exit")
    if toolkit_errors.odd_answer(error) is not None:
        turn.request.differ("answer-metadata")
    elif not toolkit_errors.phrase_of(error).isascii():
        turn.request.differ("utf8-error")


def _free_cuda_memory(error: BaseException) -> None:
    """Give a GPU's cached memory back after it ran out, so that the next request may fit."""
    torch = sys.modules.get("torch")
    if torch is not None and type(error).__name__ == "OutOfMemoryError":
        torch.cuda.empty_cache()
