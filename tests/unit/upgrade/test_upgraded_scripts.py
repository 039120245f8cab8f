"""Scripts as people write them, and what the upgrade makes of them: `scripts/<case>/`.

After a change of the codemods: `python -m tests.unit.upgrade.write_upgraded`, then read the diff.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from sagelet.upgrade.rewriting import Upgraded, upgrade_source
from sagelet.upgrade.sources import read_source, source_of

CASES = Path(__file__).parent / "scripts"
SCRIPTS = sorted(each.parent.name for each in CASES.glob("*/before.py"))

LEFT = {
    "global_state": [("training-at-import", 6), ("not-distributed", 14)],
    "method": [("not-distributed", 18), ("missing-model-fn", 21)],
    "lightning": [("not-distributed", 19), ("missing-model-fn", 21)],
    "no_loader": [("not-distributed", 19)],
    "noise": [("print-not-logger", 65), ("print-not-logger", 66)],
    "two_models": [("not-distributed", 10), ("missing-model-fn", 20)],
    "whole_model": [("missing-type", 18)],
}
"""What is left, by its rule and line; the other scripts leave nothing."""


@cache
def upgraded(case: str) -> Upgraded:
    return upgrade_source(read_source(CASES / case / "before.py"))


@pytest.mark.parametrize("case", SCRIPTS)
def test_a_script_becomes_what_was_reviewed(case: str) -> None:
    expected = (CASES / case / "after.py").read_bytes().decode()
    assert upgraded(case).text == expected


@pytest.mark.parametrize("case", SCRIPTS)
def test_what_is_left_is_told_with_its_line(case: str) -> None:
    found = [(each.rule, each.line) for each in upgraded(case).left]
    assert found == LEFT.get(case, [])


@pytest.mark.parametrize("case", SCRIPTS)
def test_a_second_run_changes_nothing(case: str) -> None:
    path = CASES / case / "after.py"
    again = upgrade_source(read_source(path))
    assert again.text == path.read_bytes().decode()
    assert again.changes == ()


@pytest.mark.parametrize("case", SCRIPTS)
def test_an_upgraded_script_needs_nothing_of_ours(case: str) -> None:
    text = upgraded(case).text
    ast.parse(text)
    assert "sagelet" not in text
    assert not [line for line in text.splitlines() if line != line.rstrip()]


@pytest.mark.parametrize("case", SCRIPTS)
def test_the_comments_of_a_script_are_kept(case: str) -> None:
    before = source_of(CASES / case / "before.py", (CASES / case / "before.py").read_text("utf-8"))
    text = upgraded(case).text
    comments = [line.partition("# ")[2] for line in before.lines if "# " in line]
    assert [each for each in comments if each.strip() not in text] == []
