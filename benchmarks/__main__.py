"""The command line: everything for the page, or a part for a developer."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from pathlib import Path

from benchmarks import full, page, profile, quick, rounds, wrk
from benchmarks.material import Material
from benchmarks.ours import COALESCED, Ours
from benchmarks.peers import FastApi
from benchmarks.results import Results
from benchmarks.servers import DidNotRun, Server

DOCS = Path(__file__).parents[1] / "docs"


def main() -> None:
    """Run what was asked for, on a machine that does nothing else."""
    asked = _arguments()
    # Whoever ends the run would else leave the servers running.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        wrk.require()
        with tempfile.TemporaryDirectory(prefix="sagelet-bench-") as folder:
            print(_run(asked, Path(folder)))
    except (wrk.WrkMissing, DidNotRun) as error:
        sys.exit(str(error))


def say(text: str) -> None:
    """Tell how far the run is."""
    print(text, file=sys.stderr, flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--profile", action="store_true", help="only where the time goes at c=8")
    parts = parser.add_subparsers(dest="part")
    parts.add_parser("training", help="only training and packing; printed, not written")
    serving = parts.add_parser("serving", help="only requests a second; printed, not written")
    serving.add_argument("--quick", action="store_true", help="ours and FastAPI, a minute")
    serving.add_argument("--coalesced", action="store_true", help="our declared batch function too")
    serving.add_argument("--rounds", type=int, default=2)
    serving.add_argument("--seconds", type=float, default=3)
    return parser.parse_args()


def _run(asked: argparse.Namespace, folder: Path) -> str:
    if asked.part == "serving":
        return _serving(asked, folder)
    if asked.part == "training":
        return _training(folder)
    if asked.profile:
        return profile.profile(Material.lay_out(folder / "material"))
    return page.write(full.run(folder, say), DOCS)


def _training(folder: Path) -> str:
    results = Results()
    full.training_only(results, Material.lay_out(folder / "material"), say)
    problems = (f"did not run: {problem}" for problem in results.problems)
    return "\n".join([page.races(results), *problems])


def _serving(asked: argparse.Namespace, folder: Path) -> str:
    peer = FastApi()
    servers: list[Server] = [*full.own_servers(), *full.all_peers()]
    if asked.quick:
        coalesced = [Ours("ours, coalesced", COALESCED)] if asked.coalesced else []
        servers = [Ours("ours"), *coalesced, peer]
    plan = rounds.Plan(asked.rounds, asked.seconds)
    figures = rounds.measure(servers, Material.lay_out(folder / "material"), plan, say)
    return quick.report(figures, peer.name)


if __name__ == "__main__":
    main()
