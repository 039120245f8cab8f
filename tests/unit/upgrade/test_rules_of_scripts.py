"""A broken and a clean snippet, or more, for each rule of structure, arguments and environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from sagelet.upgrade.findings import Severity
from tests.unit.upgrade.marked import JOB, a_project, assert_found, findings

PARSER = "import argparse\nimport torch\np = argparse.ArgumentParser()\n"
TRAINS = "def f(loss):\n    loss.backward()\n"

STRUCTURE = [
    ("no-main-guard", JOB + "▸train(1)\n"),
    ("no-main-guard", JOB + "def main():\n    train(1)\n\nx = ▸main()\n"),
    ("no-main-guard", JOB + "if __name__ == '__main__':\n    train(1)\n"),
    ("no-main-guard", JOB + "def main():\n    train(1)\n"),
    ("no-main-guard", "def main():\n    pass\nmain()\n"),
    (
        "training-at-import",
        "import torch\nfor x in y:\n    ▸loss.backward()\n    loss.backward()\n",
    ),
    ("training-at-import", JOB + "▸train(1)\nif __name__ == '__main__':\n    pass\n"),
    ("training-at-import", JOB + "if '__main__' == __name__:\n    train(1)\n"),
    ("training-at-import", JOB + "train(1)\n"),
    ("main-guard-typo", "if ▸__name__ == 'main':\n    pass\n"),
    ("main-guard-typo", "if ▸'__main__ ' == __name__:\n    pass\n"),
    ("main-guard-typo", "if __name__ == '__main__' or __name__ == 'train':\n    pass\n"),
    ("no-arguments", "import torch\n▸def train(loss):\n    loss.backward()\ntrain(1)\n"),
    ("no-arguments", JOB),
    ("no-arguments", "import sys\n" + JOB + "train(sys.argv[1])\n"),
    ("no-arguments", "import os\n" + JOB + "train(os.environ['SM_HPS'])\n"),
    ("no-arguments", PARSER + JOB + "train(1)\n"),
    ("no-device", JOB.replace("loss.b", "▸loss.b") + "train(1)\n"),
    ("no-device", JOB + "train(1)\nmodel.to(device)\n"),
    ("no-device", JOB + "train(1)\nx = torch.zeros(1, device=d)\n"),
]

ARGUMENTS = [
    ("type-list", PARSER + "p.add_argument('--a', type=▸list)\np.add_argument('-b', type=▸dict)\n"),
    ("type-list", PARSER + "p.add_argument('--a', type=str, nargs='+')\n"),
    ("type-list", PARSER + "p.add_argument('--a', type=list, nargs='+')\n"),
    ("type-list", "def list_of(type):\n    pass\nlist_of(type=list)\n"),
    ("type-bool", PARSER + "add = p.add_argument\nadd('--a', type=▸bool)\n"),
    ("type-bool", PARSER + "p.add_argument('--a', type=lambda t: t == 'True')\n"),
    ("store-true", PARSER + TRAINS + "▸p.add_argument('--a', action='store_true')\n"),
    (
        "store-true",
        PARSER + TRAINS + "▸p.add_argument('--a', action=argparse.BooleanOptionalAction)\n",
    ),
    ("store-true", PARSER + TRAINS + "p.add_argument('--a', action='append')\n"),
    ("store-true", PARSER + "p.add_argument('--a', action='store_true')\n"),
    ("missing-type", PARSER + "▸p.add_argument('--a', default=1)\n"),
    ("missing-type", PARSER + "▸p.add_argument('--a', default=0.5, help='x')\n"),
    ("missing-type", PARSER + "p.add_argument('--a', type=int, default=1)\n"),
    ("missing-type", PARSER + "p.add_argument('--a', default='x')\n"),
    ("missing-type", PARSER + "p.add_argument('-v', action='count', default=0)\n"),
    ("missing-type", PARSER + "p.add_argument('--a', default=True)\n"),
    ("positional-argument", PARSER + TRAINS + "▸p.add_argument('data')\n"),
    ("positional-argument", PARSER + TRAINS + "p.add_argument('data', nargs='?')\n"),
    ("positional-argument", PARSER + "p.add_argument('data')\n"),
    ("strict-parse-args", PARSER + TRAINS + "a = ▸p.parse_args()\n"),
    ("strict-parse-args", PARSER + TRAINS + "a, _ = p.parse_known_args()\n"),
    ("strict-parse-args", PARSER + "a = p.parse_args()\n"),
    ("option-dash", PARSER + "p.add_argument(▸'\u2013lr')\np.add_argument(▸'-\u2013b')\n"),
    ("option-dash", PARSER + "p.add_argument('--lr', help='a \u2013 b')\n"),
]

ENVIRONMENT = [
    ("environ-without-default", "import os\nx = ▸os.environ['SM_MODEL_DIR']\n"),
    ("environ-without-default", "from os import environ as e\nx = ▸e['SM_CHANNEL_TRAIN']\n"),
    ("environ-without-default", "import os\nx = os.environ.get('SM_MODEL_DIR', 'm')\n"),
    ("environ-without-default", "import os\nx = os.getenv('SM_HOSTS')\n"),
    ("environ-without-default", "import os\nx = os.environ['HOME']\n"),
    (
        "environ-without-default",
        "import os\nif 'SM_HOSTS' in os.environ:\n    x = os.environ['SM_HOSTS']\n",
    ),
    (
        "environ-without-default",
        "import os\ntry:\n    x = os.environ['SM_HOSTS']\nexcept KeyError:\n    x = '[]'\n",
    ),
    (
        "environ-without-default",
        "import os\nos.environ['SM_HOSTS'] = '1'\nx = os.environ['SM_HOSTS']\n",
    ),
    ("environ-without-default", "import os\ndel os.environ['SM_HOSTS']\n"),
    ("model-dir-variable", JOB + "import os\nx = ▸os.environ['MODEL_DIR']\n"),
    ("model-dir-variable", JOB + "import os\nx = ▸os.environ.get('MODEL_DIR', 'm')\n"),
    ("model-dir-variable", JOB + "import os\nx = os.environ['SM_MODEL_DIR']\n"),
    (
        "model-dir-variable",
        JOB + "import os\nx = os.environ.get('SM_MODEL_DIR') or os.environ.get('MODEL_DIR')\n",
    ),
    ("model-dir-variable", "import os\nx = os.environ['MODEL_DIR']\n"),
    ("unknown-variable", "import os\nx = ▸os.environ['SM_NUM_GPU']\n"),
    ("unknown-variable", "import os\nx = ▸os.environ.get('SM_MODEL_DIRS')\n"),
    ("unknown-variable", "import os\nx = os.environ.get('SM_NUM_GPUS'), os.getenv('SM_HP_X')\n"),
    ("unknown-variable", "import os\nx = os.environ.get('SM_OF_MY_OWN_MAKING')\n"),
    ("rank-without-launcher", JOB + "import os\nx = int(▸os.environ['RANK'])\n"),
    ("rank-without-launcher", "import os\ndef rank():\n    return os.environ['RANK']\n"),
    (
        "rank-without-launcher",
        "import torch.distributed as dist\n▸dist.init_process_group('gloo')\n",
    ),
    ("rank-without-launcher", "import os\nx = os.environ.get('RANK', 0)\ny = os.environ['RANK']\n"),
    (
        "rank-without-launcher",
        "import os\nif 'WORLD_SIZE' in os.environ:\n    x = os.environ['RANK']\n",
    ),
    (
        "rank-without-launcher",
        "import os\nfrom torch import distributed as d\nos.environ['RANK'] = '0'\n"
        "d.init_process_group('gloo')\n",
    ),
    (
        "rank-without-launcher",
        "from torch import distributed as d\nd.init_process_group('gloo', rank=0, world_size=1)\n",
    ),
]


@pytest.mark.parametrize(("rule", "snippet"), [*STRUCTURE, *ARGUMENTS, *ENVIRONMENT])
def test_a_rule_finds_the_marked_places_and_no_other(
    rule: str, snippet: str, tmp_path: Path
) -> None:
    assert_found(rule, snippet, tmp_path)


def test_a_module_that_only_defines_is_no_script(tmp_path: Path) -> None:
    path = tmp_path / "training.py"
    path.write_text(JOB)

    assert findings(path) == []


def test_training_at_import_weighs_more_where_an_endpoint_imports_the_file(tmp_path: Path) -> None:
    path = tmp_path / "train.py"
    path.write_text(JOB + "train(1)\ndef model_fn(model_dir):\n    return 1\n")

    (found,) = findings(path, rule="no-main-guard")

    assert found.severity is Severity.ERROR


OPTIONS = """
    import argparse, os
    p = argparse.ArgumentParser()
    p.add_argument("--batch-size", type=int, default=64)
    p.add_argument("--epochs", type=int, required=True)
    p.add_argument("-k", type=int)
    p.add_argument("--augment", action="store_true")
"""


def test_hyperparameters_and_options_are_compared(tmp_path: Path) -> None:
    project = a_project(tmp_path, batch_size=64, k=3, aug="yes", lr=0.1)
    assert_found(
        "required-argument",
        OPTIONS.replace('p.add_argument("--epochs"', '▸p.add_argument("--epochs"')
        + "    args = p.parse_args()\n",
        tmp_path,
        project=project,
    )

    found = findings(tmp_path / "train.py", project, "unused-hyperparameter")

    assert [(each.path.name, each.line, each.severity, each.hint) for each in found] == [
        ("sagelet.yml", 3, Severity.ERROR, "the option is called --batch-size"),
        ("sagelet.yml", 6, Severity.ERROR, "there are: augment, batch-size, epochs, k"),
    ]
    assert "the job ends at it" in found[0].message


def test_a_script_that_swallows_what_it_does_not_know_is_warned_of(tmp_path: Path) -> None:
    project = a_project(tmp_path, batch_size=64)
    assert_found(
        "strict-parse-args", OPTIONS + "    a, _ = p.parse_known_args()", tmp_path, project=project
    )

    (found,) = findings(tmp_path / "train.py", project, "unused-hyperparameter")

    assert found.severity is Severity.WARNING
    assert "the script never sees it" in found.message


@pytest.mark.parametrize(
    "more",
    [
        "    for name in names: p.add_argument(f'--{name}')",
        "    p.add_subparsers()",
        "    other.add_arguments(p)",
        "    add = p.add_argument\n    add(*names)",
    ],
)
def test_options_that_cannot_be_told_are_not_guessed(more: str, tmp_path: Path) -> None:
    project = a_project(tmp_path, learning_rate=1)

    assert_found("unused-hyperparameter", OPTIONS + more, tmp_path, project=project)


def test_the_platforms_own_hyperparameters_are_no_options(tmp_path: Path) -> None:
    project = a_project(tmp_path, epochs=1, sagemaker_torch_distributed_enabled=True)

    assert_found("unused-hyperparameter", OPTIONS, tmp_path, project=project)


def test_where_torchrun_starts_the_script_ranks_are_set(tmp_path: Path) -> None:
    snippet = JOB + "import os\nx = os.environ['RANK']\n"
    project = a_project(tmp_path, sagemaker_torch_distributed_enabled=True)

    assert_found("rank-without-launcher", snippet, tmp_path, project=project)


def test_a_flag_that_the_project_gives_a_value_ends_the_job(tmp_path: Path) -> None:
    project = a_project(tmp_path, augment=True)
    flag = OPTIONS.replace('p.add_argument("--augment"', '▸p.add_argument("--augment"')
    assert_found("store-true", flag, tmp_path, project=project)

    (found,) = findings(tmp_path / "train.py", project, "store-true")

    assert found.severity is Severity.ERROR


def test_a_flag_that_the_project_does_not_give_is_fine(tmp_path: Path) -> None:
    assert_found("store-true", OPTIONS, tmp_path, project=a_project(tmp_path, epochs=1))


def test_known_hyperparameters_make_strict_parsing_right(tmp_path: Path) -> None:
    snippet = OPTIONS + "    p.parse_args()"

    assert_found("strict-parse-args", snippet, tmp_path, project=a_project(tmp_path, epochs=1))


@pytest.mark.parametrize(
    ("value", "is_split"),
    [
        (10, False),
        (0.001, False),
        (True, False),
        ("resnet-18", False),
        ("s3://bucket/key.csv", False),
        ("two words", True),
        ([1, 2], True),
        ({"a": 1}, False),
        ({"a": [1, 2]}, True),
        ("*.py", True),
        ("$HOME", True),
        ("", True),
        (None, True),
    ],
)
def test_values_that_older_images_take_apart_are_named(
    value: object, is_split: bool, tmp_path: Path
) -> None:
    project = a_project(tmp_path, value=value)
    (tmp_path / "train.py").write_text("")

    found = findings(tmp_path / "train.py", project, "split-hyperparameter")

    assert [each.line for each in found] == ([3] if is_split else [])


@pytest.mark.parametrize(("value", "count"), [("Ada's", 1), ({"a": ["it's"]}, 1), ("Ada", 0)])
def test_an_apostrophe_in_a_value_is_named(value: object, count: int, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("")

    found = findings(
        tmp_path / "train.py", a_project(tmp_path, value=value), "apostrophe-hyperparameter"
    )

    assert len(found) == count


def test_channels_are_compared_with_the_projects(tmp_path: Path) -> None:
    project = a_project(tmp_path, channels={"train": "data/", "val-set": "data/"})
    snippet = """
        import os
        a = os.environ["SM_CHANNEL_TRAIN"], os.environ["SM_CHANNEL_VAL-SET"]
        b = ▸os.environ["SM_CHANNEL_TRAINING"]
        c = os.environ.get("SM_CHANNEL_TEST")
    """

    assert_found("unknown-channel", snippet, tmp_path, project=project)


def test_a_script_without_hyperparameters_is_warned_of_those_that_the_project_gives(
    tmp_path: Path,
) -> None:
    (tmp_path / "train.py").write_text(JOB + "train(1)\n")

    (found,) = findings(tmp_path / "train.py", a_project(tmp_path, epochs=3), "no-arguments")

    assert found.severity is Severity.WARNING
    assert "(epochs)" in found.message
