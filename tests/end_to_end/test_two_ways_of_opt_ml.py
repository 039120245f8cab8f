"""Code that expects its files at /opt/ml finds them there; where that cannot be, by the variables.

Both ways run here, on every machine that runs this suite.
"""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import pytest

from tests.end_to_end.local_aws import LocalAws

WAYS = {"a-namespace": {}, "the-fallback": {"SAGELET_NAMESPACE": "off"}}
OPT_ML = "/opt/ml"

TRAIN = """
import json
import os
import pathlib

seen = {
    "cwd": os.getcwd(),
    "model_dir": os.environ["SM_MODEL_DIR"],
    "channel": os.environ["SM_CHANNEL_TRAINING"],
    "config": os.environ["SM_INPUT_CONFIG_DIR"],
    "output": os.environ["SM_OUTPUT_DATA_DIR"],
}
assert pathlib.Path(seen["cwd"], "train.py").is_file()
text = pathlib.Path(seen["channel"], "data.txt").read_text()
hyperparameters = json.loads(pathlib.Path(seen["config"], "hyperparameters.json").read_text())
assert hyperparameters["epochs"] == "3", hyperparameters
pathlib.Path(seen["model_dir"], "model.txt").write_text(text.upper())
pathlib.Path(seen["output"], "seen.json").write_text(json.dumps(seen))
"""
SERVE = """
import json
import os
import pathlib


def model_fn(model_dir):
    return {"dir": model_dir, "text": pathlib.Path(model_dir, "model.txt").read_text()}


def input_fn(body, content_type):
    return json.loads(body)


def predict_fn(data, model):
    return {**model, "cwd": os.getcwd(), "beside": pathlib.Path("model.txt").read_text()}


def output_fn(prediction, accept):
    return json.dumps(prediction)
"""


@pytest.mark.parametrize("way", WAYS)
def test_training(local: LocalAws, tmp_path: Path, way: str) -> None:
    source, data = tmp_path / "source", tmp_path / "data"
    source.mkdir()
    data.mkdir()
    (source / "train.py").write_text(TRAIN)
    (data / "data.txt").write_text("text")
    name = f"trained-by-{way}"
    local.train(
        name,
        source,
        HyperParameters={"epochs": "3"},
        Environment=WAYS[way],
        InputDataConfig=[
            {
                "ChannelName": "training",
                "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": data.as_uri()}},
            }
        ],
    )
    job = local.wait_ended(name)
    log = "\n".join(local.job_log(name))
    assert job["TrainingJobStatus"] == "Completed", log

    output = tmp_path / f"{name}-output" / name / "output"
    assert member(output / "model.tar.gz", "model.txt") == b"TEXT"
    seen = json.loads(member(output / "output.tar.gz", "seen.json"))
    at_opt_ml = [path for path in seen.values() if path.startswith(OPT_ML)]
    if way == "a-namespace":
        assert len(at_opt_ml) == len(seen)
        assert "/opt/ml is the job's own, in a mount namespace" in log
    else:
        assert at_opt_ml == []
        assert "SAGELET_NAMESPACE=off" in log


@pytest.mark.parametrize("way", WAYS)
def test_serving(local: LocalAws, tmp_path: Path, way: str) -> None:
    (tmp_path / "inference.py").write_text(SERVE)
    (tmp_path / "model.txt").write_text("weights")
    archive = tmp_path / "model.tar.gz"
    with tarfile.open(archive, "w:gz") as packed:
        packed.add(tmp_path / "inference.py", "code/inference.py")
        packed.add(tmp_path / "model.txt", "model.txt")
    name = f"served-by-{way}"
    local.deploy(name, archive, environment=WAYS[way])
    local.wait_in_service(name)
    try:
        answer = json.loads(local.invoke(name))
    finally:
        local.sagemaker.delete_endpoint(EndpointName=name)
    assert answer["text"] == answer["beside"] == "weights"
    assert (answer["dir"] == f"{OPT_ML}/model") == (way == "a-namespace")
    assert answer["cwd"] == answer["dir"]


def member(archive: Path, name: str) -> bytes:
    """Return a file of an archive."""
    with tarfile.open(archive) as opened:
        file = opened.extractfile(name)
        assert file is not None
        return file.read()
