"""Metric definitions against the logs of hosts, while they grow."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from sagelet.domain.training import MetricDefinition
from sagelet.journal.job_metrics import JobMetrics
from sagelet.journal.streams import LogStreams
from sagelet.training.hostlog import GROUP, HostLog
from sagelet.training.metrics import Limits, MetricsMatcher
from sagelet.worker.loglines import Record, encode_record
from tests.training_builders import a_metric

LOG = [
    (1, "epoch 1 accuracy=0.5; loss=2"),
    (2, "epoch 2 accuracy=0.75; accuracy=0.8; loss=1e-3"),
    (3, "done"),
]
LOSS = a_metric("loss", r"loss=(\S+)")


class Job:
    """A job's logs and the folder of its metrics."""

    def __init__(self, root: Path, *hosts: str) -> None:
        self.streams = LogStreams(root / "logs")
        self.folder = root / "metrics"
        self.logs = {host: HostLog(self.streams, f"job/{host}-1") for host in hosts}

    def write(self, records: Sequence[Record], host: str = "algo-1") -> None:
        self.streams.append(GROUP, f"job/{host}-1", records)

    def matcher(
        self, *definitions: MetricDefinition, limits: Limits | None = None
    ) -> MetricsMatcher:
        return MetricsMatcher(definitions, self.logs, self.folder, limits=limits)

    def points(self, index: int = 0, host: str = "algo-1") -> list[tuple[int, float]]:
        series = JobMetrics(self.folder).series(host, index)
        return [(sample.ms, sample.last) for sample in series.samples()]

    def said(self, host: str = "algo-1") -> list[str]:
        return [message for _, message in self.logs[host].records(0)]


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job(tmp_path, "algo-1")


def test_every_match_is_a_point_and_the_last_value_of_each_metric_is_told(job: Job) -> None:
    job.write(LOG)
    found = job.matcher(a_metric(), LOSS).close()
    assert found.values == (("accuracy", 0.8, 2), ("loss", 0.001, 2))
    assert found.warnings == ()
    assert job.points(0) == [(1, 0.5), (2, 0.75), (2, 0.8)]
    assert job.points(1) == [(1, 2.0), (2, 0.001)]
    assert JobMetrics(job.folder).names() == ["accuracy", "loss"]


def test_points_are_there_while_the_job_runs(job: Job) -> None:
    matcher = job.matcher(LOSS)
    matcher.catch_up()
    assert job.points() == []
    job.write([(1, "loss=1")])
    matcher.catch_up()
    assert job.points() == [(1, 1.0)]
    job.write([(2, "loss=2")])
    assert matcher.close().values == (("loss", 2.0, 2),)
    assert job.points() == [(1, 1.0), (2, 2.0)]


def test_a_line_that_is_being_written_waits_for_its_end(job: Job) -> None:
    job.write([(1, "loss=1")])
    line = encode_record(2, "loss=23")
    matcher = job.matcher(LOSS)
    with job.logs["algo-1"].path.open("ab") as file:
        file.write(line[:-4])
        file.flush()
        matcher.catch_up()
        assert job.points() == [(1, 1.0)]
        file.write(line[-4:])
    assert matcher.close().values == (("loss", 23.0, 2),)


def test_each_host_has_points_of_its_own_and_the_latest_value_is_the_last(tmp_path: Path) -> None:
    job = Job(tmp_path, "algo-1", "algo-2")
    job.write([(1, "loss=1"), (9, "loss=9")], "algo-1")
    job.write([(2, "loss=2"), (4, "loss=4")], "algo-2")
    assert job.matcher(LOSS).close().values == (("loss", 9.0, 9),)
    assert job.points(host="algo-1") == [(1, 1.0), (9, 9.0)]
    assert job.points(host="algo-2") == [(2, 2.0), (4, 4.0)]
    assert JobMetrics(job.folder).hosts() == ["algo-1", "algo-2"]


def test_escaped_and_indented_lines_are_searched_as_they_were_printed(job: Job) -> None:
    job.write([(1, '\t"loss=1"'), (2, "  Δ loss=2")])
    job.matcher(a_metric("loss", r'^\t"loss=(\d)"$'), a_metric("delta", r"^  Δ loss=(\d)$")).close()
    assert job.points(0) == [(1, 1.0)]
    assert job.points(1) == [(2, 2.0)]


def test_a_line_that_is_overwritten_counts_once_for_each_state(job: Job) -> None:
    job.write([(1, "\rloss=3"), (2, "[rank 1] \rloss=2"), (3, "\rloss=1"), (4, "loss=1\r")])
    job.write([(5, "[rank 1] loss=0.5\r"), (6, "loss=1")])
    job.matcher(a_metric("loss", r"loss=(.*)$")).close()
    assert job.points() == [(1, 3.0), (2, 2.0), (3, 1.0), (5, 0.5), (6, 1.0)]


def test_two_definitions_of_one_name_make_one_metric(job: Job) -> None:
    job.write([(1, "a=1"), (2, "b=2")])
    found = job.matcher(a_metric("m", "a=(.)"), a_metric("m", "b=(.)")).close()
    assert found.values == (("m", 2.0, 2),)
    assert job.points() == [(1, 1.0), (2, 2.0)]


def test_a_match_that_is_no_number_is_passed_over_and_told(job: Job) -> None:
    job.write([(1, "loss=3"), (2, "loss=none")])
    found = job.matcher(LOSS).close()
    assert found.values == (("loss", 3.0, 1),)
    assert found.warnings == (
        r"metric loss: loss=(\S+) captured 'none', which is no finite number",
    )


@pytest.mark.parametrize("text", ["nan", "inf", "-Infinity"])
def test_a_value_that_is_not_finite_is_told_and_not_kept(job: Job, text: str) -> None:
    job.write([(1, f"loss={text}")])
    found = job.matcher(LOSS).close()
    assert found.values == ()
    assert text in found.warnings[0]


def test_a_metric_that_never_matched_is_told(job: Job) -> None:
    job.write(LOG)
    found = job.matcher(a_metric("f1", "f1=(.*)")).close()
    assert found.values == ()
    assert found.warnings == ("metric f1: no line matched f1=(.*)",)


def test_a_group_that_took_no_part_is_no_number(job: Job) -> None:
    job.write([(1, "done")])
    assert job.matcher(a_metric("loss", r"done|loss=(\d)")).close().values == ()


def test_a_job_without_metrics_leaves_nothing_behind(job: Job) -> None:
    matcher = job.matcher()
    matcher.catch_up()
    assert matcher.close().values == ()
    assert not job.folder.exists()


@pytest.mark.parametrize("regex", ["((", "(?P<a>", "a{99999999999}"])
def test_a_bad_expression_is_told_in_the_log_and_the_others_are_kept(job: Job, regex: str) -> None:
    job.write(LOG)
    found = job.matcher(a_metric("bad", regex), a_metric()).close()
    assert found.values == (("accuracy", 0.8, 2),)
    assert [line for line in job.said() if "metric bad: " in line and "switched off" in line]


def test_an_expression_that_never_ends_is_switched_off_and_the_others_go_on(job: Job) -> None:
    evil = a_metric("evil", r"(a+)+$")
    job.write([*LOG, (9, "a" * 100 + "!")])
    before = time.process_time()
    matcher = job.matcher(evil, a_metric(), limits=Limits(expression_s=0.1))
    matcher.catch_up()
    assert time.process_time() - before < 2
    job.write([(10, "accuracy=0.9;"), (11, "a" * 100 + "!")])
    assert matcher.close().values == (("accuracy", 0.9, 10),)
    assert job.said().count(
        "WARNING: metric evil: its expression took more than 0.1 s for 64 KiB of the log; "
        "it is switched off"
    ) == 1  # fmt: skip


def test_another_runner_goes_on_where_one_died(job: Job) -> None:
    f1 = a_metric("f1", "f1=(.*)")
    job.write([(1, "loss=1"), (2, "f1=0.5")])
    first = job.matcher(LOSS, f1)
    first.catch_up()
    # It found one more, and died before it could say how far it had read.
    series = JobMetrics(job.folder).series("algo-1", 0)
    job.write([(3, "loss=3")])
    with series.path.open("a") as file:
        file.write("3,3.0\n")
    found = job.matcher(LOSS, f1).close()
    assert found.values == (("loss", 3.0, 3), ("f1", 0.5, 2))
    assert found.warnings == ()
    assert job.points() == [(1, 1.0), (3, 3.0)]


def test_what_is_known_of_another_run_of_the_logs_is_no_obstacle(job: Job) -> None:
    job.write(LOG)
    job.matcher(LOSS).close()
    (job.folder / "matched.json").write_text("[]", encoding="utf-8")
    assert job.matcher(LOSS).close().values == (("loss", 0.001, 2),)
    assert job.points() == [(1, 2.0), (2, 0.001)]


def test_a_log_that_goes_on_in_another_file_is_followed(job: Job) -> None:
    job.write([(1, "loss=1")])
    matcher = job.matcher(LOSS)
    matcher.catch_up()
    job.write([(2, "loss=2")])
    job.streams.append(GROUP, "job/algo-1-1.2", [(3, "loss=3")])
    job.streams.append(GROUP, "job/algo-1-1.3", [(4, "loss=4")])
    matcher.catch_up()
    assert job.points() == [(1, 1.0), (2, 2.0), (3, 3.0), (4, 4.0)]
    job.streams.append(GROUP, "job/algo-1-1.9", [(9, "loss=9")])
    job.streams.path_of(GROUP, "job/algo-1-1.3").unlink()
    assert matcher.close().values == (("loss", 9.0, 9),)


def test_a_log_that_was_cut_short_is_read_from_its_beginning(job: Job) -> None:
    job.write(LOG)
    matcher = job.matcher(LOSS)
    matcher.catch_up()
    job.logs["algo-1"].path.write_bytes(encode_record(7, "loss=7"))
    assert matcher.close().values == (("loss", 7.0, 7),)


def test_a_log_that_is_far_ahead_is_read_on_from_near_its_end(job: Job) -> None:
    job.write([(ms, f"loss={ms}") for ms in range(1, 20_001)])
    limits = Limits(turn_s=0, last_turn_s=0, ahead_bytes=100_000, kept_bytes=50_000,
                    last_kept_bytes=1_000)  # fmt: skip
    matcher = job.matcher(LOSS, limits=limits)
    matcher.catch_up()
    found = matcher.close()
    assert found.values[0][1] > 10_000
    assert "were passed over" in found.warnings[0]
    assert any("grows faster than it can be searched" in line for line in job.said())


def test_very_many_points_are_kept_in_little_space(job: Job) -> None:
    count = 1_000_000
    lines = b"".join(encode_record(ms // 100, "step=1 loss=0.25") for ms in range(count))
    job.write([(0, "loss=4")])
    with job.logs["algo-1"].path.open("ab") as file:
        file.write(lines)
    found = job.matcher(LOSS, limits=Limits(last_turn_s=60)).close()
    assert found.values == (("loss", 0.25, count // 100 - 1),)
    samples = list(JobMetrics(job.folder).series("algo-1", 0).samples())
    assert sum(sample.count for sample in samples) == count + 1
    assert sum(sample.total for sample in samples) == count / 4 + 4
    assert max(sample.greatest for sample in samples) == 4
    assert sum(file.stat().st_size for file in job.folder.rglob("*") if file.is_file()) < 2**20


def test_a_job_goes_on_where_its_metrics_cannot_be_written(job: Job) -> None:
    job.folder.write_text("in the way", encoding="utf-8")
    job.write(LOG)
    matcher = job.matcher(LOSS)
    matcher.catch_up()
    found = matcher.close()
    assert found.values == (("loss", 0.001, 2),)
    assert found.warnings[0].startswith("metrics were lost: ")


def test_what_is_written_is_plain(job: Job) -> None:
    job.write(LOG)
    job.matcher(LOSS).close()
    assert (job.folder / "algo-1" / "0.csv").read_text() == "1,2.0\n2,0.001\n"
    assert json.loads((job.folder / "names.json").read_text()) == ["loss"]
