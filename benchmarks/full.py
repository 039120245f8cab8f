"""The whole run, part by part; a part that fails is named on the page and costs no other."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import TypeVar

from benchmarks import (
    aims,
    edits,
    environments,
    limits,
    packing,
    peers,
    profile,
    rounds,
    starting,
    training,
)
from benchmarks.edits import Change, Editable, EditFigures
from benchmarks.material import Material
from benchmarks.measuring import bench
from benchmarks.ours import COALESCED, ONE_BY_ONE, Ours
from benchmarks.peers import Peer
from benchmarks.results import COALESCED as COALESCED_NAME
from benchmarks.results import OURS, Results
from benchmarks.rounds import Plan, Say
from benchmarks.servers import FAILURES, Server

ROUNDS, SECONDS = 4, 3

Found = TypeVar("Found")


def run(folder: Path, say: Say) -> Results:
    """Measure everything."""
    began = time.monotonic()

    def tell(text: str) -> None:
        say(f"{time.monotonic() - began:4.0f} s  {text}")

    material = Material.lay_out(folder / "material")
    results = Results(load_s=material.load_s)
    whole = _Run(results, material, tell)
    whole.environments()
    whole.starts()
    whole.serving()
    whole.edits()
    whole.profile()
    tell("done")
    return results


def training_only(results: Results, material: Material, say: Say) -> None:
    """Measure training and packing."""
    _Run(results, material, say).training()


def all_peers() -> list[Peer]:
    """Return the peers, FastAPI first."""
    return [peers.FastApi(), peers.TorchServe(), peers.LitServe(), peers.BentoMl()]


def own_servers() -> list[Server]:
    """Return ours, in both ways."""
    return [Ours(OURS, ONE_BY_ONE), Ours(COALESCED_NAME, COALESCED)]


class _Run:
    def __init__(self, results: Results, material: Material, say: Say) -> None:
        self._results = results
        self._material = material
        self._say = say

    def environments(self) -> None:
        """Make the environments that are missing, before anything is measured."""
        for peer in all_peers():
            self._try(f"environment of {peer.name}", partial(environments.python, peer.environment))
        self._try("environment of the toolkit", lambda: environments.python("toolkit"))
        self._try("environment of the profiler", lambda: environments.python("profile"))

    def starts(self) -> None:
        """Measure starts, the daemon, training, the handlers and the second worker."""
        self.training()
        with bench(self._material) as made:
            self._results.starts = self._try("starts", lambda: starting.measure(made))
        self._results.second_worker_mb = self._try(
            "second worker", lambda: starting.second_worker_mb(self._material)
        )
        self._results.handlers = self._try("handlers", lambda: limits.handler_times(self._material))

    def training(self) -> None:
        """Measure training beside the toolkit and torchrun, and packing beside tarfile."""
        with bench(self._material) as made:
            self._results.training = self._try("training", lambda: training.measure(made))
        self._results.packing = self._try("packing", packing.measure)

    def serving(self) -> None:
        """Measure all servers in turn; what only shows a limit takes part in half of the rounds."""
        shipped = peers.TorchServe(as_shipped=True)
        fewer: list[Server] = [shipped, limits.Echo(), limits.Echo(routed=True)]
        known = all_peers()
        plan = Plan(ROUNDS, SECONDS, fewer=[server.name for server in fewer])
        servers = [*own_servers(), *known, *fewer]
        self._results.peers = [peer.name for peer in known]
        self._results.figures = rounds.measure(servers, self._material, plan, self._say)

    def edits(self) -> None:
        """Edit each server's handlers."""
        ours, material = Ours(OURS), self._material
        self._edit(aims.SWAPPED, edits.of_ours(ours, material), edits.handlers_only, 30)
        self._edit(aims.FRESH, edits.of_ours(ours, material), edits.model_too, 15)
        reloading: list[tuple[Peer, int]] = [(peers.FastApi(), 5), (peers.BentoMl(), 3)]
        for peer, times in reloading:
            name = f"{peer.short_name} --reload"
            self._edit(name, edits.of_reloading(peer, material), edits.handlers_only, times)
        restarting: list[Peer] = [peers.LitServe(), peers.TorchServe()]
        for peer in restarting:
            name = f"{peer.short_name}, stop and start"
            self._edit(name, edits.of_restarting(peer, material), edits.handlers_only, 3)

    def profile(self) -> None:
        """Look where the time goes if an aim under load was missed."""
        missed = [
            it
            for it in aims.aims(self._results)
            if it.what.startswith("c=") and False in (it.is_must_met, it.is_aim_met)
        ]
        if missed:
            found = self._try("profile", lambda: profile.profile(self._material))
            self._results.profile = found or "The profile could not be taken."

    def _edit(
        self,
        name: str,
        editable: AbstractContextManager[Editable],
        change: Change,
        times: int,
    ) -> None:
        original = (self._material.folder / "serve.py").read_text(encoding="utf-8")
        found = self._try(name, lambda: edits.measure(name, editable, original, change, times))
        self._results.edits.append(found or EditFigures(name, problem=self._results.problems[-1]))

    def _try(self, name: str, part: Callable[[], Found]) -> Found | None:
        self._say(name)
        try:
            return part()
        except FAILURES as error:
            self._results.problems.append(f"{name}: {type(error).__name__}: {error}")
            self._say(self._results.problems[-1])
            return None
