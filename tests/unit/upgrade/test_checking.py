from __future__ import annotations

import ast
import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sagelet.errors import InvalidRequest, PathNotFound
from sagelet.upgrade.catalogue import RULES
from sagelet.upgrade.checking import check_paths, paths_of
from sagelet.upgrade.program import Program
from sagelet.upgrade.sources import source_of
from tests.unit.upgrade.marked import GROUP, JOB, a_project, findings

EXAMPLES = Path(__file__).parents[3] / "examples"

# What looks like the code that rules look for, in any order and state.
FRAGMENTS = st.lists(
    st.sampled_from(
        [
            *(
                "import torch\n",
                "def model_fn(d):\n    ",
                "torch.load(",
                "os.environ['SM_X']",
                "“",
                "'",
            ),
            *(
                "*, args = ",
                "**name**",
                "with open(x) as f:\n",
                "\t",
                "    ",
                "\n",
                ")",
                "(",
                "\\\n",
            ),
            *(
                "loss.backward()\n",
                "# sagelet: ignore[",
                "]",
                "f'{x}'",
                '"""',
                "p.add_argument('--a',",
            ),
            *(
                "type=list)",
                "\r",
                "\0",
                "\u2028",
                "é",
                "lambda: ",
                "If x:\n",
                "class A:\n",
                "@",
                "=",
                ":",
            ),
        ]
    ),
    max_size=40,
).map("".join)


def check_text(folder: Path, name: str, content: bytes) -> None:
    path = folder / name
    path.write_bytes(content)
    found = check_paths([path], None).findings
    assert all(each.line >= 1 and each.column >= 1 for each in found)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("any")


@settings(max_examples=150, deadline=None)
@given(text=st.one_of(FRAGMENTS, st.text(max_size=200)))
def test_no_text_makes_the_check_fail(folder: Path, text: str) -> None:
    content = text.encode("utf-8", "surrogatepass")
    check_text(folder, "train.py", content)
    check_text(folder, "requirements.txt", content)
    check_text(folder, "run.sh", content)


@settings(max_examples=100, deadline=None)
@given(content=st.binary(max_size=300))
def test_no_bytes_make_the_check_fail(folder: Path, content: bytes) -> None:
    for name in ("train.py", "train.ipynb", "model.tar.gz", "requirements.txt", "run.sh"):
        check_text(folder, name, content)


@settings(max_examples=50, deadline=None)
@given(cells=st.lists(FRAGMENTS, max_size=4))
def test_no_notebook_makes_the_check_fail(folder: Path, cells: list[str]) -> None:
    notebook = {"cells": [{"cell_type": "code", "source": cell} for cell in cells]}
    check_text(folder, "train.ipynb", json.dumps(notebook).encode())


SCRIPT = (EXAMPLES / "digits" / "normal_script.py").read_text(encoding="utf-8")
# A quarter of a megabyte each of what would show a check that is slower than linear.
LARGE = {
    "broken scripts": "x = “1”\n" + SCRIPT * 125,
    "one long line": "x = [" + "1, " * 85_000 + "]",
    "one long string": "x = '" + "a" * 250_000 + "'\n",
    "quotes that open nothing": "“" * 80_000,
    "brackets": "(" * 250_000,
    "an unclosed docstring": '"""' + "a\n" * 125_000,
    "stars": "**name**" * 31_000,
    "headers without blocks": "if x:\n" * 40_000,
    "guards without blocks": "if __name__ == '__main__':\n" * 9_000,
    "a chain of calls": "x" + ".f()" * 62_000,
    "calls": "torch.load(f)\n" * 18_000,
    "options": "import argparse\np = argparse.ArgumentParser()\n"
    + "p.add_argument('--a')\n" * 11_000,
    "functions": "".join(f"def f{n}(a):\n    f{n + 1}(a)\n" for n in range(8_000)),
    "variables": "import os\n" + "os.environ['SM_MODEL_DIR']\n" * 10_000,
    "loggers": "import logging\n" + "log.info('a', 1)\n" * 15_000,
    "saves": GROUP + "m = DDP(n)\n" + "torch.save(m.state_dict(), 'a')\n" * 3_000,
}


def seconds_of(function: Callable[[], object]) -> float:
    started = time.process_time()
    function()
    return time.process_time() - started


@pytest.fixture(scope="module")
def allowed_s() -> float:
    """Two seconds; more where this machine is so busy that Python's own parser takes long, too."""
    return max(2, 4 * seconds_of(lambda: ast.parse(SCRIPT * 500)))


def test_a_megabyte_is_checked_within_two_seconds(allowed_s: float, tmp_path: Path) -> None:
    path = tmp_path / "train.py"
    path.write_text(SCRIPT * 500, encoding="utf-8")

    assert seconds_of(lambda: check_paths([path], None)) < allowed_s


@pytest.mark.parametrize("name", LARGE)
def test_no_text_takes_more_than_its_size_says(name: str, allowed_s: float, tmp_path: Path) -> None:
    path = tmp_path / "train.py"
    path.write_text(LARGE[name], encoding="utf-8")

    assert seconds_of(lambda: check_paths([path], None)) < allowed_s / 2


def test_the_digits_as_one_writes_them_at_home_have_the_articles_defects(tmp_path: Path) -> None:
    (tmp_path / "normal_script.py").write_text(SCRIPT)
    found = findings(tmp_path / "normal_script.py")

    assert [(each.rule, each.line) for each in found] == [
        ("no-arguments", 39),
        ("hard-coded-data-path", 41),
        ("hard-coded-data-path", 42),
        ("no-device", 54),
        ("not-distributed", 54),
        ("print-not-logger", 57),
        ("missing-model-fn", 60),
        ("hard-coded-output-path", 60),
        ("no-main-guard", 63),
    ]


def test_the_larger_example_is_clean_but_for_one_hint() -> None:
    found = findings(EXAMPLES / "text-classification")

    # It is checked without its configuration here, which would say that parsing may be strict.
    assert [(each.rule, each.path.name) for each in found] == [("strict-parse-args", "train.py")]


def test_a_folder_is_gone_through_but_for_what_is_not_the_projects(tmp_path: Path) -> None:
    for name in ("a.py", "b/c.sh", ".venv/d.py", "env/lib/e.py", "node_modules/f.py", "g.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    (tmp_path / "env" / "pyvenv.cfg").write_text("")
    (tmp_path / "requirements-dev.txt").write_text("")

    files = check_paths([tmp_path], None).files

    assert [path.relative_to(tmp_path).as_posix() for path in files] == [
        "a.py",
        "requirements-dev.txt",
        "b/c.sh",
    ]


def test_a_file_is_checked_once_however_often_it_is_named(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(JOB + "train(1)\n")

    report = check_paths([tmp_path, tmp_path / "train.py", tmp_path], None)

    assert len(report.files) == 1
    assert len(set(report.findings)) == len(report.findings)


def test_findings_are_sorted_by_place_and_come_with_their_lines(tmp_path: Path) -> None:
    (tmp_path / "b.py").write_text("x = “1”\n")
    (tmp_path / "a.py").write_text("x = 1\nif __name__ == 'main': pass\n")

    report = check_paths([tmp_path / "b.py", tmp_path / "a.py"], None)

    assert [(each.path.name, report.quotes[each]) for each in report.findings] == [
        ("a.py", "if __name__ == 'main': pass"),
        ("b.py", "x = “1”"),
    ]


def test_a_column_counts_characters(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("é = 'ü'; x = __name__ == 'main'\n", encoding="utf-8")

    assert [each.column for each in findings(tmp_path / "a.py")] == [14]


def test_only_chosen_rules_run(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(JOB + "train(1)\n")

    found = check_paths([tmp_path], None, rules={"no-main-guard"}).findings

    assert [each.rule for each in found] == ["no-main-guard"]


def test_what_is_not_there_or_not_known_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("1\n")

    with pytest.raises(PathNotFound):
        check_paths([tmp_path / "train.py"], None)
    with pytest.raises(InvalidRequest, match="is nothing that a check looks at"):
        check_paths([tmp_path / "data.csv"], None)


def test_a_script_without_a_suffix_is_known_by_its_first_line(tmp_path: Path) -> None:
    (tmp_path / "train").write_text("#!/usr/bin/env python3\nx = “1”\n")

    assert [each.rule for each in findings(tmp_path / "train")] == ["smart-quotes"]


def test_a_project_names_what_is_checked(tmp_path: Path) -> None:
    for name in ("train.py", "serve.py", "model.pt"):
        (tmp_path / name).write_text("")
    project = a_project(tmp_path, serve="serve.py", model="model.pt")

    named = [path.relative_to(tmp_path).as_posix() for path in paths_of(project)]

    assert named == [".", "train.py", "serve.py", "model.pt"]


def test_the_configuration_is_not_judged_for_a_script_that_it_does_not_name(tmp_path: Path) -> None:
    for name in ("train.py", "other.py"):
        (tmp_path / name).write_text("")
    project = a_project(tmp_path, title="Ada's")

    assert findings(tmp_path / "other.py", project) == []
    assert findings(tmp_path / "train.py", project)


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_has_a_test(rule: str) -> None:
    tests = Path(__file__).parent.glob("test_*.py")

    assert any(f'"{rule}"' in path.read_text(encoding="utf-8") for path in tests)


def test_names_are_followed_through_imports() -> None:
    text = (
        "import torch.nn as nn, os.path\nfrom torch.utils.data import DataLoader as D\n"
        "nn.Linear\nos.path.join\nD\nx.y().z\n"
    )
    source = source_of(Path("a.py"), text)
    assert source.tree is not None
    program = Program(source.tree, text)

    names = [program.name_of(node.value) for node in source.tree.body[2:]]  # type: ignore[attr-defined]  # expressions

    assert names == ["torch.nn.Linear", "os.path.join", "torch.utils.data.DataLoader", ""]
