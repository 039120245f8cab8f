"""Samples in a file of bounded size."""

from __future__ import annotations

from pathlib import Path

from sagelet.journal.series import Sample, Series, folded


def one(ms: int, value: float) -> Sample:
    return Sample.of(ms, value)


def test_samples_are_read_back_as_they_were_written(tmp_path: Path) -> None:
    series = Series(tmp_path / "a" / "0.csv")
    samples = [one(1, 0.1), one(2, -3e-09), one(3, 1.0) + one(3, 2.0)]
    series.append(samples[:1])
    series.append(samples[1:])
    assert list(series.samples()) == samples


def test_a_span_of_time_is_read_with_its_begin_and_without_its_end(tmp_path: Path) -> None:
    series = Series(tmp_path / "0.csv")
    series.append([one(ms, float(ms)) for ms in range(5)])
    assert [sample.ms for sample in series.samples(1, 3)] == [1, 2]


def test_the_end_of_a_long_file_is_found_from_behind(tmp_path: Path) -> None:
    ordered = Series(tmp_path / "0.csv")
    ordered.append([one(1_000 * second, float(second)) for second in range(20_000)])
    for start in (0, 1, 5_000, 15_000, 19_999, 20_000):
        found = [sample.last for sample in ordered.samples(1_000 * start)]
        assert found == [float(second) for second in range(start, 20_000)]


def test_a_file_that_is_not_in_order_is_read_whole(tmp_path: Path) -> None:
    series = Series(tmp_path / "0.csv", is_ordered=False)
    series.append([one(1_000_000, 1.0)])
    series.append([one(second, 0.0) for second in range(20_000)])
    assert [sample.last for sample in series.samples(900_000)] == [1.0]


def test_a_line_that_was_not_written_whole_is_passed_over(tmp_path: Path) -> None:
    series = Series(tmp_path / "0.csv")
    series.path.write_text("1,1.0\n2,\nwhat\n3,1.0,2\n4,4.0\n5,5")
    assert [sample.ms for sample in series.samples()] == [1, 4]


def test_no_file_holds_no_samples(tmp_path: Path) -> None:
    series = Series(tmp_path / "0.csv")
    assert list(series.samples()) == []
    assert not series.is_full


def test_folding_keeps_what_statistics_need() -> None:
    folds = folded([one(1_100, 5.0), one(1_900, 1.0), one(1_950, 3.0), one(2_500, 7.0)], 1_000)
    assert folds == [Sample(1_000, 3.0, 3.0, 9.0, 1.0, 5.0), one(2_500, 7.0)]
    assert folds[0].average == 3.0


def test_a_full_file_is_folded_by_ever_longer_spans(tmp_path: Path) -> None:
    series = Series(tmp_path / "0.csv", kept_bytes=1_000)
    for start in range(0, 10_000, 100):
        series.append([one(ms * 1_000, 1.0) for ms in range(start, start + 100)])
        if series.is_full:
            series.fold()
    assert series.size_bytes < 4_000
    assert sum(sample.count for sample in series.samples()) == 10_000
    assert [path.name for path in tmp_path.iterdir()] == ["0.csv"]


def test_what_was_written_too_much_is_cut_off(tmp_path: Path) -> None:
    series = Series(tmp_path / "0.csv")
    series.append([one(1, 1.0)])
    size_bytes = series.size_bytes
    series.append([one(2, 2.0)])
    series.cut(size_bytes)
    series.cut(10**6)
    assert [sample.ms for sample in series.samples()] == [1]
