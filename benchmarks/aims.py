"""What was to be reached, what was measured, and whether it is enough: worked out, not typed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from benchmarks.results import COALESCED, OURS, Results
from benchmarks.training import Race

SWAPPED, FRESH = "Sagelet, handlers edited", "Sagelet, model code edited"
SHARE = 0.6
Show = Callable[[float], str]


@dataclass(frozen=True)
class Aim:
    """One line: the verdicts are None where nothing was measured, or nothing was asked for."""

    what: str
    must: str
    aim: str
    measured: str
    is_must_met: bool | None
    is_aim_met: bool | None

    @property
    def verdict(self) -> str:
        """Return it in words."""
        if self.is_must_met is False:
            return "**missed**"
        if self.is_aim_met is False:
            return "not the aim" if self.is_must_met is None else "must reached, aim not"
        return "not measured" if self.is_must_met is self.is_aim_met is None else "reached"


def at_least(
    what: str, value: float | None, must: float | None, aim: float | None, show: Show
) -> Aim:
    """Judge a figure that is to be high."""
    return _judged(what, value, must, aim, show, "at least", lambda got, asked: got >= asked)


def below(what: str, value: float | None, must: float | None, aim: float | None, show: Show) -> Aim:
    """Judge a figure that is to be low."""
    return _judged(what, value, must, aim, show, "below", lambda got, asked: got < asked)


def aims(results: Results) -> list[Aim]:
    """Return every line."""
    return [
        *_alone(results),
        *_loaded(results, OURS, "one call a request", {8: 1.1, 64: 1.1}, 1.5),
        *_loaded(results, COALESCED, "coalesced", {8: 1.3, 64: 2.5}, None),
        *_starts(results),
        *_edits(results),
        *_memory(results),
        *_training(results),
    ]


def times(ratio: float) -> str:
    """Show a ratio."""
    return f"{ratio:.2f} x"


def milliseconds(seconds: float) -> str:
    """Show a short time."""
    return f"{1000 * seconds:.0f} ms"


def _seconds(seconds: float) -> str:
    return f"{seconds:.2f} s"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _megabytes(size: float) -> str:
    return f"{size:.0f} MB"


def _judged(
    what: str,
    value: float | None,
    must: float | None,
    aim: float | None,
    show: Show,
    relation: str,
    holds: Callable[[float, float], bool],
) -> Aim:
    def asked(bound: float | None) -> str:
        return "" if bound is None else f"{relation} {show(bound)}"

    def verdict(bound: float | None) -> bool | None:
        return None if value is None or bound is None else holds(value, bound)

    shown = "not measured" if value is None else show(value)
    return Aim(what, asked(must), asked(aim), shown, verdict(must), verdict(aim))


def _alone(results: Results) -> Iterator[Aim]:
    ours, fastapi = results.cell(OURS, 1), results.cell(results.peers[0], 1)
    both = (ours, fastapi) if ours and fastapi else None
    yield at_least(
        "c=1, one call a request: requests a second over FastAPI's",
        both[0].per_second / both[1].per_second if both else None,
        1.0,
        None,
        times,
    )
    yield below(
        "c=1, one call a request: p50 over FastAPI's",
        both[0].p50_ms / both[1].p50_ms if both else None,
        1.0,
        0.8,
        times,
    )


def _loaded(
    results: Results, server: str, how: str, musts: dict[int, float], aim: float | None
) -> Iterator[Aim]:
    batched = server == COALESCED
    for connections, must in musts.items():
        what = f"c={connections}, {how}"
        ours, best = results.cell(server, connections), results.best_peer(connections)
        against = f"over the best peer's ({best[0]})" if best else "over the best peer's"
        ratio = ours.per_second / best[1].per_second if ours and best else None
        yield at_least(f"{what}: requests a second {against}", ratio, must, aim, times)
        possible = results.possible(connections, batched=batched)
        can = f" ({possible:,.0f})" if possible else ""
        share = ours.per_second / possible if ours and possible else None
        cores = f"{what}: share of what {results.cores} cores can do{can}"
        yield at_least(cores, share, None, SHARE, _percent)
        if batched:
            late = ours.p99_ms / best[1].p99_ms if ours and best else None
            yield below(f"{what}: p99 {against}", late, 1.0, None, times)


def _starts(results: Results) -> Iterator[Aim]:
    starts, load_s = results.starts, results.load_s or 0.0
    yield below(
        "deploy with a warm daemon, three API calls to the first answer",
        starts.deploy_s if starts else None,
        0.5 + load_s,
        0.3,
        _seconds,
    )
    found = results.figures.get(OURS)
    cold_s = found.start_s if found else None
    torch_s = starts.import_torch_s if starts else None
    yield below(
        "`sagelet deploy` with nothing running to the first answer; `import torch` is "
        + (_seconds(torch_s) if torch_s else "not measured"),
        cold_s if torch_s else None,
        torch_s + 1.0 if torch_s else None,
        torch_s + 0.4 if torch_s else None,
        _seconds,
    )


def _edits(results: Results) -> Iterator[Aim]:
    swapped, fresh = results.edited(SWAPPED), results.edited(FRESH)
    yield below(
        "handlers edited under load, save to changed answer, p50",
        swapped.p50_s if swapped else None,
        0.020,
        0.008,
        milliseconds,
    )
    yield below(
        "model code edited under load (a fresh worker), save to changed answer, p50",
        fresh.p50_s if fresh else None,
        0.080,
        0.050,
        milliseconds,
    )
    both = [figures for figures in (swapped, fresh) if figures]
    yield below(
        f"failed requests in {sum(len(figures.edits) for figures in both)} edits, "
        f"{sum(figures.requests for figures in both):,} requests",
        float(sum(figures.failed for figures in both)) if both else None,
        1,
        None,
        lambda count: f"{count:.0f}",
    )


def _memory(results: Results) -> Iterator[Aim]:
    starts = results.starts
    yield below(
        "what a second worker adds to PSS", results.second_worker_mb, 40.0, 25.0, _megabytes
    )
    yield below(
        "the idle daemon after its first calls, resident, zygote aside",
        starts.daemon_mb if starts else None,
        60.0,
        45.0,
        _megabytes,
    )


def _training(results: Results) -> Iterator[Aim]:
    training = results.training
    first_line = training.first_line if training else None
    two_hosts = training.two_hosts if training else None
    yield below(
        "a training job, CreateTrainingJob to Completed, over `python train.py`",
        training.job.ratio if training else None,
        1.0,
        None,
        times,
    )
    yield below(
        "`sagelet train`, the whole command, over `python train.py`",
        training.command.ratio if training else None,
        1.0,
        None,
        times,
    )
    yield _faster(
        "`sagelet train` against the toolkit's `train`, the same script",
        training.command_beside_toolkit if training else None,
        3.0,
    )
    yield _faster(
        "an accepted job to the user's first line, against the toolkit's start to it",
        first_line,
        10.0,
    )
    yield below(
        "an accepted job to the user's first line",
        first_line.ours_s if first_line else None,
        None,
        0.15,
        _seconds,
    )
    yield _faster(
        "two hosts to the first DDP step, warm, against torchrun with two agents", two_hosts, 20.0
    )
    yield below(
        "an accepted job of two hosts to the first DDP step, warm",
        two_hosts.ours_s if two_hosts else None,
        None,
        0.2,
        _seconds,
    )
    packing = results.packing
    yield at_least(
        "packing a gigabyte of weights against Python's tarfile",
        1 / packing.ratio if packing else None,
        3.0,
        None,
        _times_faster,
    )


def _faster(what: str, race: Race | None, must: float) -> Aim:
    ratio = race.times_faster if race else None
    return at_least(what, ratio, must, None, _times_faster)


def _times_faster(ratio: float) -> str:
    return f"{ratio:.1f} x as fast"
