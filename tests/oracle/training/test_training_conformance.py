"""A job's script is given what the real training toolkit gives it, but for the listed rows."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from sagelet.worker.spec import HostExit
from tests.oracle.training.job_case import JobCase
from tests.oracle.training.job_cases import CASES
from tests.oracle.training.job_departures import DEPARTURES, WORDS
from tests.oracle.training.ours import Ours
from tests.oracle.training.told import Told, whole

RECORDINGS = json.loads(Path(__file__).with_name("recordings.json").read_text())
RECORDED = whole(RECORDINGS["cases"])
DOCS = Path(__file__).parents[3] / "docs" / "reference" / "contract-differences.md"

BEGUN = [case for case in CASES if not case.name.startswith("end: ")]
ENDED = [case for case in CASES if case.name.startswith("end: ")]


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("installed") / "packages"


def recorded(case: JobCase) -> Told:
    return Told.from_json(RECORDED[case.name])


def expected(case: JobCase) -> Told:
    """What was recorded, with what is different here on purpose."""
    told = recorded(case)
    for row in DEPARTURES:
        told = row.expected(case, told)
    return told


def by_id(cases: list[JobCase]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in cases])


def test_every_case_is_recorded_as_it_is_now() -> None:
    assert {name: entry["case"] for name, entry in RECORDED.items()} == {
        case.name: case.digest for case in CASES
    }, "make oracle records anew"


@by_id(BEGUN)
def test_a_script_is_given_what_the_toolkit_gives_it(
    case: JobCase, tmp_path: Path, packages: Path
) -> None:
    ours, theirs = Ours(case, tmp_path, packages).given(), expected(case)
    if theirs.failure is not None:
        assert ours.failure is not None
        assert_same_failure(ours.failure, theirs.failure, case)
        return
    assert ours.failure is None
    assert (ours.argv, ours.cwd) == (theirs.argv, theirs.cwd)
    if case.entry.endswith(".py"):
        assert ours.path == theirs.path
    if theirs.environ:
        assert dict(ours.environ) == dict(theirs.environ)


@by_id(ENDED)
def test_a_script_ends_a_job_as_it_does_with_the_toolkit(
    case: JobCase, tmp_path: Path, packages: Path
) -> None:
    theirs = recorded(case)
    if theirs.success:
        assert theirs.exit_code == 0
        return
    assert theirs.failure is not None
    code = re.search(r"^ExitCode (-?\d+)$", theirs.failure, re.MULTILINE)
    ended = HostExit(int(code[1]) if code else 4, 1.0, error="" if code else "SystemExit")
    own = "" if code else theirs.failure
    ours = Ours(case, tmp_path, packages).failed(ended, failure=own)
    assert_same_failure(ours, theirs.failure, case)
    if not code:
        assert ours == theirs.failure


def assert_same_failure(ours: str, theirs: str, case: JobCase) -> None:
    """The toolkit's lines are there; the message is ours where the toolkit has none."""
    kept = [line for line in theirs.split("\n") if line.startswith(("ExitCode ", "Command "))]
    first = theirs.split("\n")[0].partition(" cannot be used")[0].partition(" Please use")[0]
    for line in (first, *kept):
        assert line.rstrip(' "') in ours, (case.name, ours)


@pytest.mark.parametrize("row", [row.id for row in DEPARTURES])
def test_each_row_changes_what_some_job_is_given(row: str) -> None:
    (departure,) = [other for other in DEPARTURES if other.id == row]
    assert any(departure.expected(case, recorded(case)) != recorded(case) for case in BEGUN)


@pytest.mark.parametrize("row", [*(row.id for row in DEPARTURES), WORDS])
def test_each_row_is_in_the_table_of_differences(row: str) -> None:
    training = DOCS.read_text().split("\n## Serving")[0]
    assert f"| `{row}` |" in training


def test_the_recordings_are_compact_and_whole_again() -> None:
    plain = RECORDED["plain"]
    assert plain["environ"]["SM_TRAINING_ENV"] == "as the rest"
    assert replace(Told.from_json(plain)).as_json() == {
        key: value for key, value in plain.items() if key != "case"
    }
