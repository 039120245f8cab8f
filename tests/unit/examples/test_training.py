"""train.py and predict.py, alone and under the training contract's variables."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def train(load_script: Callable[[str], ModuleType]) -> ModuleType:
    return load_script("train.py")


@pytest.fixture
def quick(tiny_csv: Path) -> list[str]:
    return ["--data-url", str(tiny_csv), "--epochs", "2", "--filters", "4", "--dimensions", "8"]


def test_the_variables_of_a_training_job_name_the_folders(
    train: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SM_CHANNEL_TRAINING", "/opt/ml/input/data/training")
    monkeypatch.setenv("SM_MODEL_DIR", "/opt/ml/model")
    monkeypatch.setenv("SM_OUTPUT_DATA_DIR", "/opt/ml/output/data")
    found = train.parse_arguments(["--epochs", "3", "--word-dropout", "0.1"])
    assert found.data_dir == Path("/opt/ml/input/data/training")
    assert found.model_dir == Path("/opt/ml/model")
    assert found.output_data_dir == Path("/opt/ml/output/data")
    assert (found.epochs, found.word_dropout, found.dropout) == (3, 0.1, 0.5)


@pytest.mark.parametrize(
    "wrong", [["--epochs", "0"], ["--batch-size", "x"], ["--epoch-count", "3"]]
)
def test_wrong_hyperparameters_are_refused(
    train: ModuleType, wrong: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        train.parse_arguments(wrong)
    assert wrong[0] in capsys.readouterr().err


def test_a_job_writes_the_model_and_its_metrics_where_it_is_told(
    train: ModuleType, quick: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SM_MODEL_DIR", str(tmp_path / "model"))
    monkeypatch.setenv("SM_OUTPUT_DATA_DIR", str(tmp_path / "output"))
    train.main([*quick, "--experiments-dir", str(tmp_path / "experiments")])
    assert {path.name for path in (tmp_path / "model").iterdir()} == {"model.json", "weights.pt"}
    metrics = json.loads((tmp_path / "output" / "metrics.json").read_text())
    assert set(metrics) == {"best_epoch", "val_accuracy", "test_accuracy", "hyperparameters"}
    assert metrics["hyperparameters"]["epochs"] == 2
    assert not (tmp_path / "experiments").exists()


def test_a_plain_run_becomes_the_latest_experiment_and_predict_reads_it(
    train: ModuleType,
    load_script: Callable[[str], ModuleType],
    quick: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    experiments = ["--experiments-dir", str(tmp_path)]
    train.main([*quick, *experiments])
    capsys.readouterr()
    load_script("predict.py").main([*experiments, "--text", "A tennis match!"])
    (answer,) = json.loads(capsys.readouterr().out)
    assert list(answer) == ["raw_input", "preprocessed_input", "probabilities", "top_n_grams"]
    assert answer["raw_input"] == "A tennis match!"
    assert answer["top_n_grams"]["3"] == answer["preprocessed_input"] == "a tennis match"


def test_the_metrics_lines_can_be_matched(
    train: ModuleType, quick: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train.main([*quick, "--model-dir", str(tmp_path)])
    lines = capsys.readouterr().out.splitlines()
    epochs = [line for line in lines if line.startswith("epoch=")]
    number = r"[0-9.e-]+"
    shape = (
        rf"epoch=\d+ train_loss={number} val_loss={number} val_accuracy={number} seconds={number}"
    )
    assert len(epochs) == 2
    assert all(re.fullmatch(shape, line) for line in epochs)
    assert re.fullmatch(rf"best_epoch=\d val_accuracy={number} test_accuracy={number}", lines[-1])


def test_the_same_seed_trains_the_same_model(
    train: ModuleType, quick: list[str], tmp_path: Path
) -> None:
    metrics = []
    for name in ("first", "second"):
        train.main([*quick, "--model-dir", str(tmp_path / name)])
        metrics.append((tmp_path / name / "weights.pt").read_bytes())
    assert metrics[0] == metrics[1]


def test_predicting_before_training_says_what_to_do(
    load_script: Callable[[str], ModuleType], tmp_path: Path
) -> None:
    with pytest.raises(SystemExit, match=r"run `python train.py` first"):
        load_script("predict.py").main(["--experiments-dir", str(tmp_path), "--text", "x"])
