"""Our worker beside SageMaker's: each recorded case, under `strict` and under `sane`.

Under `strict`, success bodies are the container's byte for byte, and errors have its status, its
first line and its last line. Where we differ on purpose, `departures.py` says how and why.
"""

from __future__ import annotations

import json
import platform
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sagelet.worker.serving.differences import DIFFERENCES
from tests.oracle.cases import CASES, Case, as_recorded
from tests.oracle.departures import DEPARTURES, departure_of
from tests.oracle.ours import answer, toolkit
from tests.oracle.results import Result

RECORDINGS = json.loads(Path(__file__).with_name("recordings.json").read_text(encoding="ascii"))
RECORDED: Mapping[str, Any] = RECORDINGS["cases"]
COUNTED = {row.id for row in DIFFERENCES if row.counted}

# The server takes forms apart and counts bytes; what is recorded begins after it.
BEYOND_THE_WORKER = {"form-body", "request-too-large", "response-too-large"}
EXAMPLES = {
    "accept-list": "told: two types is accepted",
    "answer-metadata": "context: context.set_response_header(0, 'X-Kind', 5)",
    "generator": "handlers: output_fn is a generator",
    "header-case": "context: result = context.get_request_header(0, 'content-type')",
    "media-ranges": "default output: any application is accepted",
    "media-type-case": "default input: a type in capitals",
    "media-type-parameters": "default input: a type with a charset",
    "npy-pickle": "decoder: npy, pickled objects",
    "quality-values": "default output: CSV with less weight than JSON is accepted",
    "scalar-body": "default input: JSON, a bare integer",
    "system-exit": "error: raise SystemExit(3)",
    "unsendable-result": "result: circle",
    "unsupported-406": "default output: npz is accepted",
    "unsupported-415": "default input: JSON lines",
    "utf8-error": "error: raise ValueError('schön')",
    "utf8-status": "result: ('text', 'text/plän')",
}

# The toolkit's ways to read bodies warn; so do ours, where theirs do.
pytestmark = pytest.mark.filterwarnings("ignore")

each = pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in CASES])


@pytest.fixture(scope="module", autouse=True)
def _toolkit() -> Iterator[None]:
    with toolkit():
        yield


def recorded(case: Case) -> Result:
    return Result.from_json(RECORDED[case.name]["result"])


def are_equal(ours: Result, case: Case) -> bool:
    return worded(ours) == worded(recorded(case))


def worded(result: Result) -> Result:
    """A result without its words under another Python: they are in part Python's own."""
    running = ".".join(platform.python_version_tuple()[:2])
    if result.error is None or RECORDINGS["versions"]["python"].startswith(f"{running}."):
        return result
    return replace(result, error=("", ""))


def test_every_case_is_recorded_as_it_is_now() -> None:
    kept = {
        name: {key: value for key, value in entry.items() if key != "result"}
        for name, entry in RECORDED.items()
    }
    assert kept == {case.name: as_recorded(case) for case in CASES}, "make oracle records anew"


def test_there_are_no_two_cases_of_one_name() -> None:
    assert len({case.name for case in CASES}) == len(CASES)


@each
def test_strict_answers_as_the_container(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = answer(case, "strict", tmp_path.resolve(), monkeypatch)
    departure = departure_of(case.name)
    if departure is None:
        assert are_equal(ours.result, case), (ours.result, recorded(case))
        assert ours.differs == ()
    else:
        assert departure.problem(ours.result, recorded(case)) is None


@each
def test_sane_answers_as_the_container_or_names_the_difference(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = answer(case, "sane", tmp_path.resolve(), monkeypatch)
    assert set(ours.differs) <= COUNTED
    if ours.result == recorded(case):
        assert ours.differs == ()
    elif not ours.differs and not are_equal(ours.result, case):
        assert_known(case, ours.result)


def assert_known(case: Case, ours: Result) -> None:
    """What no answer names is a departure of strict's, too, or a row that is not counted."""
    departure = departure_of(case.name)
    if departure is not None:
        assert departure.problem(ours, recorded(case)) is None
    else:
        assert any(are_equal(undo(ours), case) for undo in UNCOUNTED.values()), ours


def without_place(ours: Result) -> Result:
    place = re.compile(rb"(Unsupported model output data type\.) \([^\n]+\)")
    return replace(ours, body=place.sub(rb"\1", ours.body))


def without_type(ours: Result) -> Result:
    return replace(ours, content_type=None)


UNCOUNTED = {"unserialisable-place": without_place, "part-type": without_type}


def test_what_no_answer_names_is_a_row_that_is_not_counted() -> None:
    assert set(UNCOUNTED) <= {row.id for row in DIFFERENCES if not row.counted}


@pytest.mark.parametrize(("difference", "name"), EXAMPLES.items())
def test_each_difference_is_named_by_the_answers_that_it_changes(
    difference: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = next(case for case in CASES if case.name == name)
    assert difference in answer(case, "sane", tmp_path.resolve(), monkeypatch).differs


def test_each_difference_has_an_example() -> None:
    assert set(EXAMPLES) | BEYOND_THE_WORKER == COUNTED


def test_the_cases_of_each_departure_are_there() -> None:
    names = {case.name for case in CASES}
    assert [name for row in DEPARTURES for name in row.cases if name not in names] == []
