"""Saving an edited handler under constant load: when answers change, what fails meanwhile."""

from __future__ import annotations

import itertools
import json
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.constant_load import ConstantLoad, Outcome
from benchmarks.material import CLOSE, Material
from benchmarks.ours import Ours
from benchmarks.peers import Peer
from benchmarks.servers import DidNotRun, Running, free_port

CHANGED_S = 60.0
SETTLE_S = 0.4
WARM_S = 2.0
_ANSWER = "model(ids).softmax(1)"
_LOADED = "return model.eval()"


@dataclass(frozen=True)
class Edit:
    """One edit: saved to first changed answer, the longest time without an answer, and failures."""

    seconds: float
    gap_s: float
    failed: int
    requests: int


@dataclass(frozen=True)
class EditFigures:
    """What one way of editing came to; `problem` says why there is nothing."""

    name: str
    edits: Sequence[Edit] = ()
    problem: str = ""

    @property
    def p50_s(self) -> float:
        """The median from save to changed answer."""
        return statistics.median(edit.seconds for edit in self.edits)

    @property
    def worst_s(self) -> float:
        """The longest from save to changed answer."""
        return max(edit.seconds for edit in self.edits)

    @property
    def gap_s(self) -> float:
        """The median of the longest times without an answer."""
        return statistics.median(edit.gap_s for edit in self.edits)

    @property
    def failed(self) -> int:
        """How many requests failed in all of them."""
        return sum(edit.failed for edit in self.edits)

    @property
    def requests(self) -> int:
        """How many requests were made during all of them."""
        return sum(edit.requests for edit in self.edits)


@dataclass(frozen=True)
class Editable:
    """A server that runs, and what saving another text of `serve.py` takes."""

    running: Running
    save: Callable[[str], None]


Change = Callable[[str, int], str]


def handlers_only(text: str, number: int) -> str:
    """Edit predict_fn: every answer's probabilities then sum to the number."""
    return text.replace(_ANSWER, f"{_ANSWER} * {number}")


def model_too(text: str, number: int) -> str:
    """Edit model_fn to the same effect, so that the model has to be loaded again."""
    loaded = text.replace(_LOADED, f"model.scale = {number}\n    {_LOADED}")
    return loaded.replace(_ANSWER, f"{_ANSWER} * model.scale")


def sums_to(number: int) -> Callable[[bytes], bool]:
    """Return what tells an answer of an edit."""

    def tells(body: bytes) -> bool:
        total = sum(map(float, json.loads(body)[0]))
        return abs(total - number) < number * CLOSE

    return tells


def measure(
    name: str,
    editable: AbstractContextManager[Editable],
    original: str,
    change: Change,
    times: int,
) -> EditFigures:
    """Save a number of edits, one after the other, while clients ask.

    Raises:
        DidNotRun: the server does not come up, or an edit never shows.
    """
    found = []
    with editable as it:
        load = ConstantLoad(it.running.url, it.running.headers)
        with load.running():
            time.sleep(WARM_S)
            for number in range(2, times + 2):
                time.sleep(SETTLE_S)
                found.append(_edit(load, it, change(original, number), sums_to(number)))
    return EditFigures(name, found)


def summed(outcomes: Sequence[Outcome], saved: float, changed: Outcome) -> Edit:
    """Return what the requests say of an edit that was saved at a moment and then shown."""
    until = [outcome for outcome in outcomes if outcome.ended <= changed.ended]
    answered = [saved, *(outcome.ended for outcome in until if outcome.body is not None)]
    gaps = [later - earlier for earlier, later in itertools.pairwise(answered)]
    failed = sum(outcome.body is None for outcome in outcomes)
    return Edit(changed.ended - saved, max(gaps), failed, len(outcomes))


def _edit(load: ConstantLoad, it: Editable, text: str, shows: Callable[[bytes], bool]) -> Edit:
    saved = time.perf_counter()
    it.save(text)
    changed = load.first(shows, after=saved, within_s=CHANGED_S)
    if changed is None:
        raise DidNotRun(f"an edit did not show within {CHANGED_S:.0f} s")
    time.sleep(SETTLE_S)
    return summed(load.since(saved), saved, changed)


@contextmanager
def of_ours(ours: Ours, material: Material) -> Iterator[Editable]:
    """Ours: saving is all."""
    with ours.deployed(material) as (bench, running):
        yield Editable(running, _writes(bench.project / "serve.py"))


@contextmanager
def of_reloading(peer: Peer, material: Material) -> Iterator[Editable]:
    """Run a peer that reloads: saving is all."""
    with TemporaryDirectory(prefix="peer-") as folder:
        copied = material.copy(Path(folder, "project"))
        port = free_port()
        command = peer.reloading(copied.folder, port)
        if command is None:
            raise DidNotRun("it has no reload")
        with peer.serving(copied, command, port) as running:
            yield Editable(running, _writes(peer.edited_file(copied.folder)))


@contextmanager
def of_restarting(peer: Peer, material: Material) -> Iterator[Editable]:
    """Run a peer that has to be stopped and started after saving."""
    with TemporaryDirectory(prefix="peer-") as folder:
        copied = material.copy(Path(folder, "project"))
        port = free_port()
        command = peer.command(copied.folder, port)
        write = _writes(peer.edited_file(copied.folder))
        with peer.restartable(copied, command, port) as (running, restart):

            def save(text: str) -> None:
                write(text)
                restart()

            yield Editable(running, save)


def _writes(file: Path) -> Callable[[str], None]:
    def write(text: str) -> None:
        file.write_text(text, encoding="utf-8")

    return write
