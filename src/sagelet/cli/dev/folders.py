"""A bare folder: handlers and a model, without a word of configuration."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import click

CODE = "code"
_NAMES = ("inference.py", "serve.py")
_HANDLER = re.compile(r"^(?:async )?def (?:model_fn|transform_fn|predict_fn)\b", re.MULTILINE)
_LONGEST_NAME = 63
PAYLOADS = Path("tests", "payloads")


@dataclass(frozen=True, slots=True)
class BareFolder:
    """A folder in the layout of a model.tar.gz: weights at its root, handlers there or in code/."""

    folder: Path
    entry_point: Path

    @property
    def program(self) -> str:
        """SAGEMAKER_PROGRAM."""
        return self.entry_point.name

    @property
    def endpoint(self) -> str:
        """The endpoint's name: the folder's, as SageMaker allows it."""
        return endpoint_name(self.folder)


def bare_folder(folder: Path) -> BareFolder:
    """Find the handlers of a folder; nothing is imported, since the daemon's worker does that.

    Raises:
        click.UsageError: there are none, or more files than one may be meant.
    """
    if not folder.is_dir():
        raise click.UsageError(f"there is no folder {folder}")
    # As the container looks for them: beside each other in code/, else at the root.
    places = [place for place in (folder / CODE, folder) if place.is_dir()]
    for name in _NAMES:
        for place in places:
            if (place / name).is_file():
                return BareFolder(folder, place / name)
    found = [file for place in places for file in sorted(place.glob("*.py")) if _has_handlers(file)]
    if len(found) == 1:
        return BareFolder(folder, found[0])
    raise click.UsageError(_not_found(folder, found))


def endpoint_name(folder: Path) -> str:
    """Return a name that SageMaker accepts, made from a folder's."""
    made = re.sub(r"[^a-zA-Z0-9]+", "-", folder.resolve().name)
    return made[:_LONGEST_NAME].strip("-") or "model"


def _has_handlers(file: Path) -> bool:
    return bool(_HANDLER.search(file.read_text(encoding="utf-8", errors="replace")))


def _not_found(folder: Path, found: list[Path]) -> str:
    if found:
        names = ", ".join(str(file.relative_to(folder)) for file in found)
        return (
            f"{folder} has handlers in {names}: name the one to serve inference.py, "
            "or write `serve:` with `entry_point:` in a sagelet.yml"
        )
    return (
        f"no handlers in {folder}; looked for inference.py and serve.py, in code/ and beside it, "
        "and for one .py file there with model_fn, transform_fn or predict_fn"
    )
