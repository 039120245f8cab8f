"""The figure that stands for several windows of load."""

from __future__ import annotations

from benchmarks.machine import Spent
from benchmarks.samples import Sample, cell, quietest
from benchmarks.wrk import Load
from tests.benchmark_figures import a_sample


def test_a_cell_is_the_median_of_the_windows_with_least_foreign_load() -> None:
    noisy = [a_sample(100, foreign_cores=1.5), a_sample(120, foreign_cores=1.2)]
    quiet = [a_sample(rate, foreign_cores=0.05) for rate in (900, 1000, 1010)]

    assert cell([*noisy, *quiet]).per_second == 1000


def test_windows_that_are_as_quiet_as_each_other_all_count() -> None:
    samples = [
        a_sample(rate, foreign_cores=cores) for rate, cores in ((1, 0.0), (2, 0.05), (3, 0.1))
    ]

    assert quietest(samples) == samples


def test_where_only_one_window_was_quiet_half_of_them_count() -> None:
    samples = [a_sample(foreign_cores=cores) for cores in (1.0, 0.0, 0.8, 0.6)]

    assert [sample.foreign_cores for sample in quietest(samples)] == [0.0, 0.6]


def test_failures_of_all_windows_are_summed_noisy_or_not() -> None:
    assert cell([a_sample(failed=2, foreign_cores=2.0), a_sample(failed=1)]).failed == 3


def test_cpu_time_is_shared_out_over_the_requests() -> None:
    load = Load(requests=1000, seconds=2.0, failed=0, p50_ms=1.0, p99_ms=2.0)
    spent = Spent(wall_s=2.0, tree_s=0.4, root_s=0.1, own_s=0.02, foreign_s=0.5)

    sample = Sample.of(load, spent)

    assert (sample.cpu_us, sample.root_us, sample.client_us) == (400.0, 100.0, 20.0)
    assert sample.foreign_cores == 0.25


def test_foreign_load_is_never_below_nothing() -> None:
    assert Spent(wall_s=1.0, tree_s=1.0, root_s=1.0, own_s=0.0, foreign_s=-0.1).foreign_cores == 0.0
