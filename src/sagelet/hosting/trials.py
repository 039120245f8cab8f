"""New code has to answer the sample request that its project ships, before it serves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sagelet.errors import WorkerStartFailed
from sagelet.hosting.samples import Sample
from sagelet.worker.frames import Frame

_WHAT = "answering the sample"
_SHOWN = 500


def formats_of(sample: Sample) -> dict[str, str]:
    """Return what a worker is told of a sample's body."""
    return {"content_type": sample.content_type, "accept": sample.accept}


def request_of(sample: Sample) -> dict[str, Any]:
    """Return the header of a request with a sample."""
    return {"op": "invoke", "id": 0, **formats_of(sample), "headers": {}}


def judge(frame: Frame) -> None:
    """Accept an answer to a sample.

    Raises:
        WorkerStartFailed: its status is 400 or more.
    """
    said = frame.header
    if said["status"] < 400:
        return
    text = frame.body.decode("utf-8", "replace")
    raise WorkerStartFailed(
        what=_WHAT,
        error=said.get("error") or f"it was answered with {said['status']}: {text[:_SHOWN]}",
        where=said.get("where") or "",
        traceback=_traceback(said, text),
    )


def unanswered(limit_s: float) -> WorkerStartFailed:
    """Return the error for a sample that its worker died of, or hung at."""
    text = f"the worker died of it, or took longer than {limit_s:g} s"
    return WorkerStartFailed(what=_WHAT, error=text)


def _traceback(said: Mapping[str, Any], text: str) -> str:
    """Return the traceback of a handler's error, which follows its message."""
    return text.partition("\n")[2] if said.get("error") else ""
