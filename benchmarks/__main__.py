"""The command line: everything for the page, or a part for a developer."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks import quick, rounds, wrk
from benchmarks.material import Material
from benchmarks.ours import COALESCED, Ours
from benchmarks.peers import FastApi
from benchmarks.servers import Server


def main() -> None:
    """Run what was asked for, on a machine that does nothing else."""
    asked = _arguments()
    try:
        wrk.require()
    except wrk.WrkMissing as error:
        sys.exit(str(error))
    _quick(asked)


def say(text: str) -> None:
    """Tell how far the run is."""
    print(text, file=sys.stderr, flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parts = parser.add_subparsers(dest="part", required=True)
    serving = parts.add_parser("serving", help="requests a second, beside FastAPI by hand")
    serving.add_argument("--quick", action="store_true", help="print, write nothing")
    serving.add_argument("--coalesced", action="store_true", help="our declared batch function too")
    serving.add_argument("--rounds", type=int, default=2)
    serving.add_argument("--seconds", type=float, default=3)
    return parser.parse_args()


def _quick(asked: argparse.Namespace) -> None:
    peer = FastApi()
    servers: list[Server] = [Ours("ours")]
    if asked.coalesced:
        servers.append(Ours("ours, coalesced", COALESCED))
    servers.append(peer)
    plan = rounds.Plan(asked.rounds, asked.seconds)
    with tempfile.TemporaryDirectory(prefix="sagelet-bench-") as folder:
        material = Material.lay_out(Path(folder, "material"))
        figures = rounds.measure(servers, material, plan, say)
    print(quick.report(figures, peer.name))


if __name__ == "__main__":
    main()
