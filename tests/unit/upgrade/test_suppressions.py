from __future__ import annotations

import json
from pathlib import Path

import pytest

from sagelet.upgrade.checking import check_paths
from tests.unit.upgrade.marked import JOB, a_project, findings

LOAD = "def model_fn(d):\n    return torch.jit.load(d).eval()"


def found_in(path: Path, text: str, rules: set[str] | None = None) -> list[tuple[str, int]]:
    path.write_text(text)
    return [(each.rule, each.line) for each in check_paths([path], None, rules=rules).findings]


@pytest.mark.parametrize(
    ("comment", "left"),
    [
        ("", ["no-map-location"]),
        ("# sagelet: ignore[no-map-location]", []),
        ("# sagelet:ignore [ no-eval , no-map-location ]", ["unused-ignore"]),
        ("# sagelet: ignore", []),
        ("# noqa: X1  # sagelet: ignore", []),
        ("# sagelet: ignore[no-eval]", ["no-map-location", "unused-ignore"]),
        ("# sagelet: ignore[]", ["no-map-location"]),
        ("; '# sagelet: ignore'", ["no-map-location"]),
    ],
)
def test_a_comment_silences_the_rules_of_its_line(
    comment: str, left: list[str], tmp_path: Path
) -> None:
    text = f"import torch\n{LOAD}  {comment}\n"

    assert sorted(rule for rule, _ in found_in(tmp_path / "serve.py", text)) == left


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("# sagelet: ignore-file[no-map-location]\n{}", []),
        ("#!/usr/bin/env python\n'''A docstring.'''\n# sagelet: ignore-file\n{}", []),
        ("{}\n# sagelet: ignore-file[no-map-location]", ["no-map-location"]),
    ],
)
def test_a_comment_at_the_top_silences_rules_of_the_whole_file(
    text: str, left: list[str], tmp_path: Path
) -> None:
    script = text.format(f"import torch\n{LOAD}\n")

    assert [rule for rule, _ in found_in(tmp_path / "serve.py", script)] == left


def test_a_comment_that_silences_nothing_is_a_hint_at_its_place(tmp_path: Path) -> None:
    path = tmp_path / "train.py"
    path.write_text("x = 1\ny = 2  # sagelet: ignore[no-evil]\nz = 3  # sagelet: ignore\n")

    found = findings(path)

    assert [(each.rule, each.line, each.column, each.message) for each in found] == [
        ("unused-ignore", 2, 8, "there is no rule 'no-evil'; did you mean 'no-eval'?"),
        ("unused-ignore", 3, 8, "nothing is found here that the comment could silence"),
    ]


def test_of_rules_that_did_not_run_nothing_is_said(tmp_path: Path) -> None:
    text = "x = 1  # sagelet: ignore[no-eval]\ny = 2  # sagelet: ignore\n"

    assert found_in(tmp_path / "train.py", text, {"type-list", "unused-ignore"}) == []


def test_comments_count_in_cells_and_in_other_files(tmp_path: Path) -> None:
    cells = ["x = 1", f"import torch\n{LOAD}  # sagelet: ignore[no-map-location]"]
    notebook = {"cells": [{"cell_type": "code", "source": cell} for cell in cells]}
    (tmp_path / "serve.ipynb").write_text(json.dumps(notebook))
    (tmp_path / "run.sh").write_text("python -m a.py  # sagelet: ignore[python-m-file]\n")
    (tmp_path / "requirements.txt").write_text("# sagelet: ignore-file[requirement-name]\nyaml\n")

    assert findings(tmp_path) == []


def test_a_comment_in_the_configuration_counts_too(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(JOB)
    project = a_project(tmp_path, title="Ada's")
    assert project.file is not None
    assert findings(tmp_path, project, "apostrophe-hyperparameter")

    text = project.file.read_text().replace("title:", "title:  # sagelet: ignore")
    project.file.write_text(text)

    assert findings(tmp_path, project, "apostrophe-hyperparameter") == []
