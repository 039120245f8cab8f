"""A project has an interpreter of its own, with torch in it and nothing of ours."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.end_to_end.local_aws import REPOSITORY, LocalAws

PYTHON = REPOSITORY / ".venv-torch" / "bin" / "python"

CONFIG = f"""
environments:
  local: {{model_name: foreign, instance_type: local, python: {PYTHON}}}
serve: {{source: ., entry_point: serve.py}}
train: {{source: ., entry_point: train.py}}
"""
LOOK = """
import importlib.util
import subprocess
import sys

import torch

OURS = ("boto3", "botocore", "click", "pydantic", "uvicorn", "watchfiles", "yaml")


def look():
    child = [sys.executable, "-c", "import sagelet"]
    return {
        "executable": sys.executable,
        "prefix": sys.prefix,
        "torch": torch.__file__,
        "ours": [name for name in OURS if importlib.util.find_spec(name)],
        "path": sys.path,
        "child": subprocess.run(child, capture_output=True).returncode,
    }
"""
TRAIN = """
import json
import os

import look
import torch

print("SEEN " + json.dumps(look.look()))
model_dir = os.environ["SM_MODEL_DIR"]
torch.save(torch.nn.Linear(1, 1).state_dict(), os.path.join(model_dir, "model.pth"))
"""
SERVE = """
import json
import os

import look
import torch


def model_fn(model_dir):
    model = torch.nn.Linear(1, 1)
    model.load_state_dict(torch.load(os.path.join(model_dir, "model.pth"), weights_only=True))
    return model


def input_fn(body, content_type):
    return torch.tensor(json.loads(body), dtype=torch.float32)


def predict_fn(data, model):
    return {"shape": list(model(data).shape), **look.look()}


def output_fn(prediction, accept):
    return json.dumps(prediction), accept
"""


@dataclass(frozen=True)
class Seen:
    """What the project's code saw around it while it trained, and while it served."""

    training: dict[str, object]
    serving: dict[str, object]


@pytest.fixture(scope="module")
def seen(local: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    folder = tmp_path_factory.mktemp("foreign")
    for name, text in {
        "sagelet.yml": CONFIG,
        "look.py": LOOK,
        "train.py": TRAIN,
        "serve.py": SERVE,
    }.items():
        (folder / name).write_text(text)
    trained = local.sagelet("train", cwd=folder).stdout
    said = next(line for line in trained.splitlines() if "SEEN " in line)
    local.sagelet("deploy", "--model", "latest", cwd=folder)
    answer = local.sagelet("invoke", "-d", "[[1], [2]]", cwd=folder).stdout
    yield Seen(json.loads(said.partition("SEEN ")[2]), json.loads(answer))
    local.sagelet("rm", "foreign", "-y", cwd=folder)


def test_the_project_trains_and_serves_in_its_own_interpreter(seen: Seen) -> None:
    assert seen.serving["shape"] == [2, 1]
    for saw in (seen.training, seen.serving):
        assert Path(str(saw["executable"])) == PYTHON
        assert Path(str(saw["prefix"])) == PYTHON.parents[1]
        assert Path(str(saw["torch"])).is_relative_to(PYTHON.parents[1])


def test_its_code_sees_no_library_of_ours(seen: Seen) -> None:
    for saw in (seen.training, seen.serving):
        assert saw["ours"] == []


def test_programs_that_its_code_starts_do_not_find_us(seen: Seen) -> None:
    for saw in (seen.training, seen.serving):
        assert saw["child"] == 1
