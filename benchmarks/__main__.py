"""Measure everything and write docs/benchmarks.md."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import psutil
import torch

from benchmarks import serving, training
from benchmarks.measuring import Bench, Row, bench, seconds, table
from sagelet import __version__

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
HELPS = 15
TEMPLATE = """\
# Benchmarks

Made by `make bench`: {made_with}. Medians of several rounds; peers run in turn
with ours. Absolute times are this machine's; ratios carry over.

{table}

The model behind the endpoint is a TextCNN (Embedding 5000x100, three Conv1d of 50, Linear to 4);
one JSON text a request, torch on one thread.
"""


def main() -> None:
    """Run the benchmarks one after the other, on a machine that does nothing else."""
    with bench() as made:
        rows = [_help(), _memory(made), *training.measure(made), *serving.measure(made)]
    text = _page(rows)
    PAGE.write_text(text, encoding="utf-8")
    print(text)


def _help() -> Row:
    argv = [sys.executable, "-m", "sagelet", "--help"]
    took = [
        seconds(lambda: subprocess.run(argv, capture_output=True, check=True)) for _ in range(HELPS)
    ]
    return Row("`sagelet --help`", f"{1000 * statistics.median(took):.0f} ms", "below 150 ms")


def _memory(made: Bench) -> Row:
    made.sagelet("ls")
    rss = psutil.Process(made.info.pid).memory_info().rss
    return Row(
        "idle daemon after its first calls, resident, zygote aside",
        f"{rss / 2**20:.0f} MB",
        "below 60 MB",
    )


def _page(rows: list[Row]) -> str:
    made_with = (
        f"sagelet {__version__}, Python {platform.python_version()}, torch {torch.__version__}, "
        f"{os.cpu_count()} cores ({platform.system()} {platform.machine()}), "
        f"{datetime.now(UTC):%Y-%m-%d}"
    )
    return TEMPLATE.format(made_with=made_with, table=table(rows))


if __name__ == "__main__":
    main()
