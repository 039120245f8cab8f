"""The example's package is importable, and a tiny data set stands in for the real one."""

from __future__ import annotations

import csv
import importlib.util
import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

_ROOT = Path(__file__).parents[3]
_EXAMPLE = _ROOT / "examples" / "text-classification"
_TOOLKIT_STAND_IN = _ROOT / "src" / "sagelet" / "worker" / "serving" / "stand_in"

if str(_EXAMPLE) not in sys.path:
    sys.path.append(str(_EXAMPLE))

_WORDS = {
    "Sports": ["tennis", "match", "tournament", "goal", "player", "team", "season", "coach"],
    "World": ["president", "minister", "law", "treaty", "election", "parliament", "war", "peace"],
}
_FILLERS = ["the", "a", "of", "in", "on", "next", "last", "week", "this", "year", "new"]


def _load_script(path: str) -> ModuleType:
    """Import a script under a name of its own: `train` or `app` may be somebody else's too."""
    name = "example_" + path.removesuffix(".py").replace("/", "_")
    spec = importlib.util.spec_from_file_location(name, _EXAMPLE / path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def load_script() -> Callable[[str], ModuleType]:
    """A function that imports one of the example's scripts by its path."""
    return _load_script


@pytest.fixture(scope="module")
def serve() -> Iterator[ModuleType]:
    """The handlers; the inference toolkit's stand-in is on the path while they are tested."""
    with pytest.MonkeyPatch.context() as patch:
        if importlib.util.find_spec("sagemaker_inference") is None:
            patch.syspath_prepend(str(_TOOLKIT_STAND_IN))
        yield _load_script("deploy/sagemaker/serve.py")
        for name in [name for name in sys.modules if name.startswith("sagemaker_inference")]:
            patch.delitem(sys.modules, name)


@pytest.fixture(scope="module")
def tiny_csv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CSV of 240 short texts in two classes."""
    draw = random.Random(7)
    path = tmp_path_factory.mktemp("data") / "tiny.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["label", "text"])
        for number in range(240):
            label = "Sports" if number % 2 else "World"
            words = draw.choices(_WORDS[label], k=3) + draw.choices(_FILLERS, k=draw.randint(0, 6))
            draw.shuffle(words)
            writer.writerow([label, " ".join(words) + "!"])
    return path


@pytest.fixture(scope="module")
def model_dir(tiny_csv: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a model that was trained on the tiny data."""
    folder = tmp_path_factory.mktemp("trained") / "model"
    arguments = ["--data-url", str(tiny_csv), "--model-dir", str(folder), "--filters", "16"]
    _load_script("train.py").main([*arguments, "--batch-size", "16"])
    return folder
