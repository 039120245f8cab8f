"""The upgrade of single things: what is done to each, and what is refused."""

from __future__ import annotations

import ast
import json
import textwrap
from pathlib import Path

import pytest

from sagelet.upgrade.rewriting import Upgraded, upgrade_source
from sagelet.upgrade.sources import read_source, source_of

MODEL = """\
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Net(nn.Module):
    def __init__(self, hidden=8):
        super().__init__()
        self.layer = nn.Linear(4, hidden)

    def forward(self, x):
        return self.layer(x)


"""
LOOP = """\
def train(epochs=1, hidden=8):
    data = TensorDataset(torch.randn(8, 4), torch.randn(8, hidden))
    loader = DataLoader(data, batch_size=4, shuffle=True)
    model = Net(hidden)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for epoch in range(epochs):
        for x, y in loader:
            optimizer.zero_grad()
            nn.functional.mse_loss(model(x), y).backward()
            optimizer.step()
    torch.save(model.state_dict(), "model.pth")


train()
"""


def upgraded(text: str) -> Upgraded:
    return upgrade_source(source_of(Path("train.py"), text))


def changed(*pairs: tuple[str, str]) -> Upgraded:
    """The upgrade of the usual loop with other texts in it."""
    text = MODEL + LOOP
    for before, after in pairs:
        assert before in text
        text = text.replace(before, after)
    ast.parse(text)
    return upgraded(text)


def why_not_distributed(result: Upgraded) -> str:
    assert "DistributedSampler" not in result.text
    ast.parse(result.text)
    (left,) = [each for each in result.left if each.rule == "not-distributed"]
    return left.message


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        ("shuffle=True", "sampler=torch.utils.data.RandomSampler(data)", "a sampler of its own"),
        ("shuffle=True", "shuffle=bool(epochs)", "decided at run time"),
        ("batch_size=4, shuffle=True", "shuffle=True", "batches of one row"),
        ("loader = DataLoader(data,", "loader = make(data,", "does not go over a DataLoader"),
        ("mse_loss(model(x), y)", "mse_loss(model(x), y, reduction='sum')", "its loss is a sum"),
        ("model(x)", "model.layer(x)", "gradients are averaged for `forward` only"),
        ("for epoch in range(epochs)", "while True", "a `while` loop"),
        ("for epoch in range(epochs)", "for epoch in ['a', 'b']", "not counted by `range`"),
        ("            optimizer.zero_grad()", "            if y.max() > 9: continue", "leave out"),
        ("torch.optim.SGD", "make_optimizer", "no optimiser of torch.optim"),
        ("    data = ", "    rank = 3\n    data = ", "`rank` means something else"),
    ],
)
def test_what_cannot_be_shared_stays_on_one_host(before: str, after: str, why: str) -> None:
    assert why in why_not_distributed(changed((before, after)))


def test_a_data_set_that_is_iterated_stays_on_one_host() -> None:
    result = changed(
        ("class Net", "class Rows(torch.utils.data.IterableDataset):\n    pass\n\n\nclass Net")
    )
    assert "its data set is iterable" in why_not_distributed(result)


def test_a_batch_size_that_is_a_sum_is_divided_as_a_whole() -> None:
    result = changed(("batch_size=4", "batch_size=2 + 2"))
    assert "batch_size=(2 + 2) // world_size" in result.text


def test_a_step_that_only_counting_leaves_out_is_no_obstacle() -> None:
    result = changed(
        (
            "for x, y in loader:",
            "for i, (x, y) in enumerate(loader):\n            if i > 5:\n                break",
        )
    )
    assert "DistributedSampler(data)" in result.text


def test_early_stopping_is_decided_by_rank_0() -> None:
    result = changed(
        (
            "            optimizer.step()\n",
            "            optimizer.step()\n        if evaluate(model) < 0.1:\n            break\n",
        ),
        ("def train", "def evaluate(model):\n    return 1.0\n\n\ndef train"),
    )
    assert "if of_rank_0(evaluate(model) < 0.1):" in result.text
    assert "def of_rank_0(value):" in result.text


def test_a_model_of_values_that_are_not_plain_has_no_model_fn() -> None:
    result = changed(("Net(hidden)", "Net(data)"))
    (left,) = [each for each in result.left if each.rule == "missing-model-fn"]
    assert "made from `data`, which is no plain value" in left.message


def test_a_model_that_is_changed_after_it_was_made_has_no_model_fn() -> None:
    result = changed(("    optimizer =", "    model.layer = nn.Linear(4, hidden)\n    optimizer ="))
    assert "def model_fn" not in result.text
    (left,) = [each for each in result.left if each.rule == "missing-model-fn"]
    assert "`model.layer` is changed after the model is made" in left.message


def test_a_file_whose_name_is_made_at_run_time_is_not_served() -> None:
    result = changed(('"model.pth"', 'f"model-{epochs}.pth"'))
    assert 'os.path.join(model_dir, f"model-{epochs}.pth")' in result.text
    assert "def model_fn" not in result.text


@pytest.mark.parametrize(
    ("printed", "logged"),
    [
        ("print()", 'logger.info("")'),
        ("print('100%')", "logger.info('100%')"),
        ("print('a', 'b%')", 'logger.info("a b%")'),
        ("print('at', epochs, '%')", 'logger.info("at %s %%", epochs)'),
        ("print(epochs)", "logger.info(epochs)"),
        ("print(epochs, hidden, sep='')", 'logger.info("%s%s", epochs, hidden)'),
        ("print(f'{epochs}', hidden)", "logger.info(\"%s %s\", f'{epochs}', hidden)"),
        ('print(f"{epochs}", hidden)', 'logger.info(f"{epochs} {hidden!s}")'),
        ("print('a', flush=True)", "logger.info('a')"),
        ("print(*[epochs])", "print(*[epochs])"),
        ("print('a', end='')", "print('a', end='')"),
        ("import sys; print('a', file=sys.stderr)", "import sys; print('a', file=sys.stderr)"),
    ],
)
def test_what_is_printed_is_logged_with_the_same_text(printed: str, logged: str) -> None:
    result = changed(("    torch.save", f"    {printed}\n    torch.save"))
    assert f"    {logged}\n" in result.text


@pytest.mark.parametrize(
    ("parameter", "option"),
    [
        ("flag=False", '"--flag", type=boolean, default=False'),
        ("rate=1e-3", '"--rate", type=float, default=1e-3'),
        ("steps=-1", '"--steps", type=int, default=-1'),
        ("name='a b'", "\"--name\", default='a b'"),
        ("sizes=(1, 2)", '"--sizes", type=literal, default=(1, 2)'),
        ("table={'a': 1}", "\"--table\", type=literal, default={'a': 1}"),
        ("rate: float = 1", '"--rate", type=float, default=1'),
        ("rate: 'int | None' = None", '"--rate", type=int, default=None'),
    ],
)
def test_a_parameter_is_an_option_with_its_type(parameter: str, option: str) -> None:
    result = changed(("hidden=8):\n    data", f"hidden=8, {parameter}):\n    data"))
    assert f"    parser.add_argument({option})\n" in result.text


def test_the_values_of_the_call_are_the_defaults() -> None:
    result = changed(("\ntrain()\n", "\ntrain(3, hidden=5)\n"))
    assert 'parser.add_argument("--epochs", type=int, default=3)' in result.text
    assert 'parser.add_argument("--hidden", type=int, default=5)' in result.text
    assert "train(**vars(args))" in result.text


def test_what_is_no_plain_value_stays_in_the_call() -> None:
    result = changed(("\ntrain()\n", "\ntrain(epochs=len('abc'))\n"))
    assert "train(epochs=len('abc'), hidden=args.hidden, model_dir=args.model_dir)" in result.text


def test_options_that_are_there_get_types_that_sagemaker_can_fill() -> None:
    text = (
        MODEL
        + LOOP.replace("train()\n", "").rstrip()
        + textwrap.dedent(
            """


        if __name__ == "__main__":
            import argparse
            parser = argparse.ArgumentParser()
            parser.add_argument("--epochs", default=2)
            parser.add_argument("--deep", type=bool, default=True)
            parser.add_argument("--sizes", type=list, default=[1])
            parser.add_argument("--amp", action="store_true")
            args = parser.parse_args()
            train(args.epochs)
        """
        )
    )
    result = upgraded(text)
    for option in (
        '"--epochs", type=int, default=2',
        '"--deep", type=boolean, default=True',
        '"--sizes", type=literal, default=[1]',
        '"--amp", type=boolean, nargs="?", const=True, default=False',
    ):
        assert f"    parser.add_argument({option})\n" in result.text


def test_variables_of_sagemaker_get_defaults() -> None:
    result = changed(
        ('"model.pth"', 'os.environ["MODEL_DIR"] + "/model.pth"'),
        ("import torch\n", "import os\n\nimport torch\n"),
    )
    assert 'os.environ.get("SM_MODEL_DIR", ".") + "/model.pth"' in result.text


def test_a_script_that_is_distributed_already_is_left_so() -> None:
    text = MODEL + LOOP.replace(
        "    model = Net(hidden)\n",
        "    torch.distributed.init_process_group('gloo')\n    model = Net(hidden)\n",
    )
    assert "distributes its training already" in why_not_distributed(upgraded(text))


def test_a_wrappers_weights_are_not_served_by_a_model_without_it() -> None:
    text = MODEL + LOOP.replace(
        "    model = Net(hidden)\n",
        "    torch.distributed.init_process_group('gloo')\n"
        "    model = torch.nn.parallel.DistributedDataParallel(Net(hidden))\n",
    )
    result = upgraded(text)
    (left,) = [each for each in result.left if each.rule == "missing-model-fn"]
    assert "whose keys begin with `module.`" in left.message
    assert "def model_fn" not in result.text
    unwrapped = upgraded(text.replace("model.state_dict()", "model.module.state_dict()"))
    assert "def model_fn" in unwrapped.text


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("print(1)\n", "it does not import torch"),
        ("import torch\n\ntorch.zeros(1)\n", "it trains nothing: no `backward()` is called"),
        (
            "import torch\n\n\ndef model_fn(model_dir):\n    return 1\n",
            "it serves a model, and trains none",
        ),
        ("def f(:\n", "line 1 is not Python"),
        ("", "it does not import torch"),
    ],
)
def test_what_does_not_train_is_not_touched(text: str, why: str) -> None:
    result = upgraded(text)
    assert result.text == text
    assert result.why == why
    assert result.changes == ()


def test_a_path_in_a_class_is_read_from_the_variable_on_the_spot() -> None:
    result = changed(
        (
            "class Net",
            "class Rows:\n    def read(self):\n        return open('data/a.csv')\n\n\nclass Net",
        )
    )
    assert (
        'open(os.path.join(os.environ.get("SM_CHANNEL_TRAINING", "data"), "a.csv"))' in result.text
    )


def test_configuration_beside_the_script_and_other_peoples_addresses_stay() -> None:
    lines = "    a, b = open('config.json'), open('/dev/null')\n    torch.save"
    result = changed(("    torch.save", lines))
    assert lines.split("\n")[0] in result.text


def notebook(*cells: str) -> str:
    listed = [
        {
            "cell_type": "code",
            "metadata": {},
            "execution_count": 3,
            "outputs": [{"a": 1}],
            "source": each.splitlines(keepends=True),
        }
        for each in cells
    ]
    return json.dumps(
        {"cells": listed, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}, indent=1
    )


def test_a_notebooks_magics_stand_where_they_stood(tmp_path: Path) -> None:
    path = tmp_path / "a.ipynb"
    head, tail = LOOP.rsplit("\n\n\n", 1)
    first = f"%matplotlib inline\n{MODEL}"
    last = f"for i in range(1):\n    !ls {{i}} \\\n      -l\n{tail}files = !ls\n"
    path.write_text(notebook(first, "%%bash\nls", head, "broken(", last))
    result = upgrade_source(read_source(path))
    assert result.cells is not None
    one, two, three, four, five = result.cells
    assert one.startswith("%matplotlib inline\nimport argparse\n")
    assert (two, four) == ("%%bash\nls", "broken(")
    assert 'def train(epochs=1, hidden=8, model_dir="."):' in three
    assert "    !ls {i} \\\n      -l\n" in five
    assert "    train(**vars(args))" in five
    assert "    files = !ls" in five


def test_a_notebook_of_which_nothing_trains_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "a.ipynb"
    path.write_text(notebook("!pip install x", "import torch\n\n\n", ""))
    result = upgrade_source(read_source(path))
    assert result.cells == ("!pip install x", "import torch\n\n\n", "")
    assert result.changes == ()
