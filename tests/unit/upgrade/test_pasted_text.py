from __future__ import annotations

import json
from pathlib import Path

import pytest

from sagelet.upgrade.catalogue import RULES
from sagelet.upgrade.pasted import mend, mended_text
from sagelet.upgrade.sources import source_of
from tests.unit.upgrade.marked import assert_found, findings

# The second article's pieces, as they come out of its page, put together to one script.
ARTICLE = """\
import argparse, logging, os, sys
import torch

logger = logging.getLogger(**name**)

def train(args):
    device = torch.device(“cuda” if args.num_gpus > 0 else “cpu”)
    loss = torch.zeros(1, requires_grad=True)
    loss.backward()

def model_fn(model_dir):
    model = torch.nn.DataParallel(Net())
    with open(os.path.join(model_dir, "model.pth"), "rb") as f:
    model.load_state_dict(torch.load(f))
    return model.to("cpu")

If **name** == "**main**":
    parser = argparse.ArgumentParser() # don't paste
    parser.add*argument("--batch-size",type=int,default=64)
    parser.add_argument(“--epochs", type=int, default=10)
    parser.add_argument("--hosts", type=list, default=[])
    parser.add_argument("--data-dir", type=str, default=os.environ[“SM_CHANNEL_TRAINING"])
    *, args = parser.parse_args()
    train(args)
"""

CASES = [
    ("smart-quotes", "x = ▸“a”\nprint(▸\u2018b\u2019)\n"),
    ("smart-quotes", 'x = "a▸”\n'),
    ("smart-quotes", 'add(▸“--epochs", type=int)\nadd(▸“-”)\n'),
    ("smart-quotes", "# “quoted” in a comment\nx = 'it\u2019s “fine”'\n'''“also”'''\n"),
    ("smart-quotes", "x = (  # not parsed, and “no” code\ny = '“”'\n"),
    ("smart-dash", "x = 3 ▸\u2013 1\n"),
    ("smart-dash", "x = (3 - 1  # \u2013 in a comment\n"),
    ("invisible-character", "x =▸\u00a01\ny =▸\u200b 2\n"),
    ("invisible-character", "x = 'a\u00a0b'\n"),
    ("bold-dunder", "if ▸**name** == ▸'**main**':\n    pass\n"),
    ("bold-dunder", "f(▸**name**)\nx = (\n"),
    ("bold-dunder", "x = 2 **name** 3\ntext = '**main**'\n"),
    ("star-args", "▸*, args = parser.parse_args()\n"),
    ("star-args", "▸args, * = parser.parse_known_args()\n"),
    ("star-args", "first, *rest = 1, 2\nx == y, *z\n"),
    ("lost-underscore", "parser.▸add*argument('--lr')\n"),
    ("lost-underscore", "x = add*weights(1)\ntext = 'parser.add*argument(1)'\n"),
    ("capital-keyword", "▸If x:\n    pass\n▸Else:\n    pass\n▸Import os\n"),
    ("capital-keyword", "If = 1\nElse = If\n"),
    ("capital-keyword", "x = (\nFor example this\n"),
    ("lost-indentation", "with open(x) as f:\n▸y = f\nz = 1\n"),
    ("lost-indentation", "def f():\n    for x in y:\n    ▸print(x)\n    return 1\n"),
    ("lost-indentation", "def f():\n▸for x in y:\n    print(x)\n"),
    ("lost-indentation", "if x:\n    # a comment\n\n    y = {\n  1:\n2}\nelse: pass\nz[1:\n]\n"),
    ("syntax-error", "for ▸in y:\n    pass\n"),
    ("syntax-error", "▸print 'hello'\n"),
    ("syntax-error", "If x:\n    y = “a”\n"),
]


@pytest.mark.parametrize(("rule", "snippet"), CASES)
def test_what_pasting_breaks_is_found_where_it_stands(
    rule: str, snippet: str, tmp_path: Path
) -> None:
    assert_found(rule, snippet, tmp_path)


def test_the_articles_code_parses_once_it_is_mended() -> None:
    mended = mend(source_of(Path("train.py"), ARTICLE))

    assert mended.tree is not None
    assert mended.mistakes == ()
    assert mended.text.count("\n") == ARTICLE.count("\n")
    assert 'if __name__ == "__main__":' in mended.text
    assert "        model.load_state_dict(torch.load(f))\n    return" in mended.text


def test_every_defect_of_the_articles_code_is_told_in_one_run(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(ARTICLE, encoding="utf-8")

    found = {(each.rule, each.line) for each in findings(tmp_path / "train.py")}

    assert found == {
        ("bold-dunder", 4),
        ("smart-quotes", 7),
        ("no-eval", 11),
        ("data-parallel-for-keys", 12),
        ("lost-indentation", 14),
        ("no-map-location", 14),
        ("no-weights-only", 14),
        ("capital-keyword", 17),
        ("bold-dunder", 17),
        ("lost-underscore", 19),
        ("smart-quotes", 20),
        ("type-list", 21),
        ("smart-quotes", 22),
        ("environ-without-default", 22),
        ("star-args", 23),
        ("strict-parse-args", 23),
        ("not-distributed", 9),
    }


@pytest.mark.parametrize(
    ("text", "mended"),
    [
        ("def f():\nx = 1\nreturn x", "def f():\n    x = 1\nreturn x"),
        (
            "if __name__ == '__main__':\nx = 1\nif x:\n    y = 2\nz = 3",
            "if __name__ == '__main__':\n    x = 1\n    if x:\n        y = 2\n    z = 3",
        ),
        ("def f():\nfor x in y:\n    z(x)\n", "def f():\n    for x in y:\n        z(x)\n"),
        ("args, * = p.parse_known_args()", "args, _ = p.parse_known_args()"),
        ("*, args = p.parse_known_args()", "_, args = p.parse_known_args()"),
        ("x = “““a\nb”””\r\ny = (", 'x = """a\nb"""\r\ny = ('),
    ],
)
def test_mending_moves_no_more_than_it_must(text: str, mended: str) -> None:
    assert mended_text(text)[0] == mended


def test_a_broken_cell_is_told_by_its_own_lines(tmp_path: Path) -> None:
    cells = ["x = 1\ny = “2”", "for in y:\n    pass", "!python -m train.py\nz = 3"]
    path = tmp_path / "train.ipynb"
    code = [{"cell_type": "code", "source": cell} for cell in cells]
    path.write_text(json.dumps({"cells": code}))

    found = {(each.rule, each.place.rpartition("/")[2]) for each in findings(path)}

    assert found == {
        ("smart-quotes", "train.ipynb[cell 1]:2"),
        ("syntax-error", "train.ipynb[cell 2]:1"),
        ("python-m-file", "train.ipynb[cell 3]:1"),
    }


def test_a_notebook_that_is_none_is_one_finding(tmp_path: Path) -> None:
    (tmp_path / "broken.ipynb").write_text("{\n{")
    (tmp_path / "train.py").write_text("x = “1”")

    found = {(each.rule, each.path.name, each.line) for each in findings(tmp_path)}

    assert found == {("unreadable", "broken.ipynb", 2), ("smart-quotes", "train.py", 1)}


def test_every_rule_says_what_it_is_for() -> None:
    for rule in RULES.values():
        assert rule.title
        assert len(rule.why) > 20, rule.id
        assert rule.fix.endswith("."), rule.id
        assert "  " not in rule.why, rule.id
