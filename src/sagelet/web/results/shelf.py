"""The latest runs that pages made, kept in memory: to download, and to compare the next with."""

from __future__ import annotations

from collections import OrderedDict

from sagelet.web.runs import Run

_MOST_RUNS = 40
_MOST_BYTES = 96 * 2**20


class RunShelf:
    """Runs by their id; the oldest go first. It is used on the event loop only."""

    def __init__(self, *, most_runs: int = _MOST_RUNS, most_bytes: int = _MOST_BYTES) -> None:
        """Begin with none."""
        self._runs: OrderedDict[str, Run] = OrderedDict()
        self._most_runs = most_runs
        self._most_bytes = most_bytes
        self._bytes = 0

    def put(self, run: Run) -> None:
        """Keep a run, as long as there is room; the newest is kept in any case."""
        self._runs[run.id] = run
        self._bytes += _size(run)
        while len(self._runs) > 1 and (
            len(self._runs) > self._most_runs or self._bytes > self._most_bytes
        ):
            _, gone = self._runs.popitem(last=False)
            self._bytes -= _size(gone)

    def get(self, endpoint: str, number: str) -> Run | None:
        """Return a run of an endpoint."""
        run = self._runs.get(number)
        return run if run is not None and run.endpoint == endpoint else None


def _size(run: Run) -> int:
    return len(run.body) + len(run.payload.body)
