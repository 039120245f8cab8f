"""perf's report."""

from __future__ import annotations

from benchmarks.perf import Busy, Symbol, markdown, parse

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


def test_the_functions_with_most_samples_are_read() -> None:
    assert parse(REPORT) == [
        Symbol(26.73, "libpython3.11.so.1.0", "_PyEval_EvalFrameDefault"),
        Symbol(12.9, "[kernel.kallsyms]", "__tcp_transmit_skb"),
        Symbol(5.0, "libtorch_cpu.so", "at::native::conv1d(int, long)"),
    ]


def test_they_become_a_table() -> None:
    lines = markdown(Busy(0.75, parse(REPORT))).splitlines()

    assert lines[0] == "On the CPU for 0.75 of a core:"
    assert lines[-1] == "| 5.0 | `at::native::conv1d(int, long)` | libtorch_cpu.so |"
