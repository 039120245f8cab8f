"""perf's report."""

from __future__ import annotations

import pytest

from benchmarks.perf import Busy, Symbol, markdown, parse
from benchmarks.servers import DidNotRun

REPORT = """\
# Samples: 217  of event 'cpu-clock'
# Event count (approx.): 1500000000
#
# Overhead  Shared Object         Symbol                           IPC   [IPC Coverage]
# ........  ....................  ...............................  ....................
#
    26.73%  libpython3.11.so.1.0  [.] _PyEval_EvalFrameDefault     -      -
    12.90%  [kernel.kallsyms]     [k] __tcp_transmit_skb           -      -
     5.00%  libtorch_cpu.so       [.] at::native::conv1d(int, long)
     0.30%  libc.so.6             [.] malloc                       -      -
"""


def test_shares_and_the_part_of_a_core_are_read() -> None:
    assert parse(REPORT, 2.0) == Busy(
        0.75,
        [
            Symbol(26.73, "libpython3.11.so.1.0", "_PyEval_EvalFrameDefault"),
            Symbol(12.9, "[kernel.kallsyms]", "__tcp_transmit_skb"),
            Symbol(5.0, "libtorch_cpu.so", "at::native::conv1d(int, long)"),
        ],
    )


def test_it_becomes_a_table() -> None:
    assert markdown(parse(REPORT, 2.0)).splitlines()[0] == "On the CPU for 0.75 of a core:"


def test_a_report_of_nothing_is_said() -> None:
    with pytest.raises(DidNotRun):
        parse("# no samples\n", 2.0)
