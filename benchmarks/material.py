"""What every server is given: the handlers, a model's weights, the request and its answer."""

from __future__ import annotations

import importlib
import json
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

PROJECT = Path(__file__).parent / "project"
BODY = b'["this film was surprisingly good and the acting held up well"]'
CONTENT = {"Content-Type": "application/json", "Accept": "application/json"}
CLOSE = 1e-5


@dataclass(frozen=True)
class Material:
    """A folder with the handlers and `model/model.pth`, and what they answer to BODY."""

    folder: Path
    expected: tuple[float, ...]
    load_s: float

    @classmethod
    def lay_out(cls, folder: Path) -> Material:
        """Copy the project, make the weights, and ask the handlers once in this process."""
        shutil.copytree(PROJECT, folder, ignore=shutil.ignore_patterns("__pycache__"))
        serve = handlers(folder)
        (folder / "model").mkdir()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            torch.save(serve.TextCNN().state_dict(), folder / "model" / "model.pth")
        serve.model_fn(folder / "model")
        model = serve.model_fn(folder / "model")
        answer = serve.output_fn(serve.predict_fn(serve.input_fn(BODY.decode(), ""), model), "")
        return cls(folder, _numbers(answer), model.load_s)

    def copy(self, folder: Path) -> Material:
        """Return the same in another folder, which may be edited."""
        shutil.copytree(self.folder, folder, ignore=shutil.ignore_patterns("__pycache__"))
        return Material(folder, self.expected, self.load_s)

    def is_answer(self, body: bytes) -> bool:
        """Say whether a body is what the handlers answer; rows of a batch differ in the last bits.

        Raises:
            ValueError: it is not even such a list of numbers.
        """
        given = _numbers(body)
        return len(given) == len(self.expected) and all(
            abs(one - other) < CLOSE for one, other in zip(given, self.expected, strict=True)
        )


def handlers(folder: Path, name: str = "serve") -> ModuleType:
    """Import one of the folder's modules, and leave no trace of it for the next import."""
    sys.path.insert(0, str(folder))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(folder))
        for left in {name, "serve"} & sys.modules.keys():
            del sys.modules[left]
        importlib.invalidate_caches()


def _numbers(body: str | bytes) -> tuple[float, ...]:
    rows: Any = json.loads(body)
    try:
        return tuple(float(number) for row in rows for number in row)
    except TypeError as error:
        raise ValueError(f"no list of rows: {body[:200]!r}") from error
