"""A small project on disk, and how it is read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sagelet.environments.config import EnvironmentSettings, ProjectConfig, load

SAGELET_YML = """\
environments:
  default: &default {model_name: clf, aws_role: AmazonSageMakerFullAccess}
  local: {<<: *default, instance_type: local}
  production: {<<: *default, instance_type: ml.m5.large, image: my/image}
serve:
  source: .
  entry_point: deploy/sagemaker/serve.py
  model: experiments/latest
train:
  entry_point: train.py
  instance_type: ml.m5.xlarge
  channels: {training: data/}
  hyperparameters: {epochs: 10, name: resnet}
  metrics: {loss: 'loss: ([0-9.]+)'}
"""

FILES = {
    "sagelet.yml": SAGELET_YML,
    ".gitignore": "experiments/\n/data/\n*.log\n",
    "deploy/sagemaker/serve.py": "def model_fn(d): ...\n",
    "text_classification/__init__.py": "",
    "text_classification/predict.py": "x = 1\n",
    "text_classification/__pycache__/predict.cpython-311.pyc": "junk",
    "train.py": "print('training')\n",
    "debug.log": "noise\n",
    "data/a.csv": "1,2\n",
    "data/sub/b.csv": "3,4\n",
    "experiments/run1/model.pt": "weights",
    "experiments/run1/vocab/words.json": "[]",
}


@dataclass
class Project:
    root: Path

    def write(self, name: str, text: str = "x\n") -> Path:
        file = self.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    @property
    def config(self) -> ProjectConfig:
        return load(start=self.root, environ={})

    def settings(self, name: str = "local") -> EnvironmentSettings:
        return self.config.environment(name, flags={}, environ={})

    def replace(self, old: str, new: str, *, file: str = "sagelet.yml") -> None:
        text = (self.root / file).read_text(encoding="utf-8")
        assert old in text
        (self.root / file).write_text(text.replace(old, new), encoding="utf-8")


def a_project(root: Path) -> Project:
    made = Project(root)
    for name, text in FILES.items():
        made.write(name, text)
    (made.root / ".git").mkdir()
    (made.root / "experiments" / "latest").symlink_to("run1")
    return made
