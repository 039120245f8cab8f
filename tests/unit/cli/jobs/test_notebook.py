"""`sagelet.follow` in a notebook: lines as they come, and what IPython shows of the result."""

from __future__ import annotations

import io
import re
from typing import Any
from xml.etree import ElementTree

import pytest

import sagelet
from sagelet.cli.jobs.notebook import FollowedJob, followed
from sagelet.cli.jobs.svg import svg_of
from tests.job_metrics import ScriptedCloudWatch, a_curve, a_description

NASTY = "<script>alert('x')</script>&\x1b[2J"


class Api(ScriptedCloudWatch):
    """A job that ends at the third look, and its log."""

    def __init__(self, description: dict[str, Any], *messages: str) -> None:
        super().__init__()
        self._description = description
        self._messages = list(messages)
        self._looks = 0
        self._read = 0

    def __call__(self, service: str, operation: str, **asked: Any) -> dict[str, Any]:  # noqa: ANN401  AWS's own
        if operation == "DescribeTrainingJob":
            self._looks += 1
            status = "InProgress" if self._looks < 3 else self._description["TrainingJobStatus"]
            return {**self._description, "TrainingJobStatus": status}
        if operation == "DescribeLogStreams":
            return {"logStreams": [{"logStreamName": "j/algo-1-17"}]}
        if operation == "GetLogEvents":
            begin = int(asked.get("nextToken", 0))
            end = len(self._messages) if self._looks == 3 else 2
            events = [{"timestamp": 1, "message": text} for text in self._messages[begin:end]]
            return {"events": events, "nextForwardToken": str(max(begin, end))}
        return super().__call__(service, operation, **asked)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_lines_are_printed_and_the_job_is_returned_with_its_curves() -> None:
    api = Api(a_description("j", "loss"), "one", "  two", "three")
    api.add("j/algo-1", "loss", 2.0, 1.0)
    out = io.StringIO()
    job = followed(api, "j", is_local=True, out=out)
    assert out.getvalue() == "one\n  two\nthree\n"
    assert (job.name, job.status, job.failure_reason) == ("j", "Completed", "")
    assert [curve.last for curve in job.curves] == [1.0]


def test_lines_of_several_hosts_say_which_is_whose() -> None:
    out = io.StringIO()
    followed(Api(a_description("j", hosts=2), "one"), "j", is_local=True, out=out)
    assert out.getvalue() == "algo-1 | one\n"


def test_a_progress_bar_stands_in_one_place_where_somebody_looks() -> None:
    bar = ("\r1%", "\r100%", "100%\r", "done")
    watched, piped = Terminal(), io.StringIO()
    followed(Api(a_description("j"), *bar), "j", is_local=True, out=watched)
    followed(Api(a_description("j"), *bar), "j", is_local=True, out=piped)
    assert watched.getvalue() == "\r1%\r100%\r    \r100%\ndone\n"
    assert piped.getvalue() == "100%\ndone\n"


def test_ipython_gets_text_and_html_with_a_plot() -> None:
    description = a_description("j", "loss", ModelArtifacts={"S3ModelArtifacts": "s3://b/m.tar.gz"})
    job = FollowedJob(description, (a_curve(3.0, 1.0, 2.0),))
    bundle = job._repr_mimebundle_()
    assert bundle["text/plain"] == (
        "training job j: Completed\nloss  last 2  min 1  max 3  points 3\ns3://b/m.tar.gz"
    )
    html = bundle["text/html"]
    root = ElementTree.fromstring(html)
    assert [each.tag for each in root.iter() if each.tag.endswith("}svg")] == [
        "{http://www.w3.org/2000/svg}svg"
    ]
    assert "".join(root.itertext()).startswith("j Completed")
    # Nothing comes from elsewhere.
    assert re.findall(r'(?:src|href)=|url\(|https?://(?!www\.w3\.org/2000/svg")', html) == []


def test_what_a_job_says_cannot_become_markup() -> None:
    description = a_description(NASTY, status="Failed", FailureReason=NASTY)
    job = FollowedJob(description, (a_curve(1, 2, metric=NASTY, host=NASTY), a_curve(1, 2, 3)))
    html = job._repr_html_()
    assert "<script" not in html
    assert "\x1b" not in repr(job)
    assert "Failed" in repr(job)


def test_a_job_without_points_has_no_plot() -> None:
    html = FollowedJob(a_description("j"), ())._repr_html_()
    assert "<svg" not in html
    assert "<table" not in html
    assert "<svg" not in FollowedJob(a_description("j"), (a_curve(1),))._repr_html_()


def test_hosts_are_told_apart_in_a_plot() -> None:
    curves = [a_curve(1, 2), a_curve(2, 1, host="algo-2")]
    svg = svg_of(curves, ["algo-1", "algo-2"])
    root = ElementTree.fromstring(svg)
    lines = root.findall("{http://www.w3.org/2000/svg}polyline")
    assert len({line.get("stroke") for line in lines}) == 2
    assert "algo-2" in "".join(root.itertext())


@pytest.mark.parametrize("values", [(1.0,), (2.0, 2.0), (-1.7e308, 1.7e308), range(10_000)])
def test_any_values_have_a_place(values: tuple[float, ...]) -> None:
    svg = svg_of([a_curve(*values)], ["algo-1"])
    (line,) = ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}polyline")
    places = [place.split(",") for place in str(line.get("points")).split()]
    assert len(places) <= 601
    assert all(0 <= float(x) <= 640 and 0 <= float(y) <= 200 for x, y in places)


def test_follow_is_a_public_name() -> None:
    assert callable(sagelet.follow)
    assert "follow" in sagelet.__all__
