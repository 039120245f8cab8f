"""The benchmarks' meter, on processes that run."""

from __future__ import annotations

import os
import subprocess
import sys

from benchmarks.machine import Meter, memory, resident_mb

SPIN = """\
import time
while time.process_time() < 0.2:
    pass
print("spent", flush=True)
input()
"""


def test_a_meter_counts_the_processes_below_a_root_and_the_root_apart() -> None:
    meter = Meter(os.getpid())
    with subprocess.Popen(
        [sys.executable, "-c", SPIN], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"spent\n"
        spent = meter.read()
        child.kill()

    assert 0.15 < spent.tree_s - spent.root_s < 2


def test_memory_is_that_of_the_tree() -> None:
    held = memory(os.getpid())

    assert held.rss_mb >= 0.5 * resident_mb(os.getpid())
    assert 0 < held.pss_mb <= held.rss_mb
