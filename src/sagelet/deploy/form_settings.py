"""What the configuration says of the predict form, as a file that travels with the model.

    code/sagelet-ui.json        {"ui": {…}, "examples": ["code/tests/payloads/one.json"]}
    code/sagelet-examples/…     examples that are not in the model already

Nothing else of the configuration is in it. The file is named by its content where it is written, so
that what a running endpoint shows changes with the deployment, and not with the plan of one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from sagelet.deploy.packaging import CODE, Package
from sagelet.environments.config import ProjectConfig

FORM_FILE = f"{CODE}/sagelet-ui.json"
_EXAMPLES = f"{CODE}/sagelet-examples"
_KEPT = 4


def with_form(package: Package, config: ProjectConfig, folder: Path) -> Package:
    """Return a package with the form's settings in it, which are written to a folder if need be.

    Raises:
        BadConfig: an example is not there, or a file of the project has the settings' place.
    """
    if not config.ui.model_fields_set:
        return package
    if FORM_FILE in package.members:
        there = package.members[FORM_FILE]
        raise config.problem(
            ("ui",), f"{there} has the place of these settings; remove one of both"
        )
    added = _examples(package, config)
    everything = {**package.members, **added}
    document = {
        "ui": config.ui.model_dump(mode="json", exclude_unset=True, exclude={"examples"}),
        "examples": [_place(config.path(each), everything) for each in config.ui.examples],
    }
    file = _written(json.dumps(document, ensure_ascii=False, indent=1), folder)
    # A folder with something added to it is no longer one of the project's, whole.
    whole = {name: path for name, path in package.whole_folders.items() if name != CODE}
    return replace(
        package,
        members={**everything, FORM_FILE: file},
        whole_folders=whole,
        unserved=frozenset({FORM_FILE, *added}),
    )


def _examples(package: Package, config: ProjectConfig) -> Mapping[str, Path]:
    """Return the examples that are not members yet, by their names in the model."""
    there = {path.resolve() for path in package.members.values()}
    added: dict[str, Path] = {}
    for at, written in enumerate(config.ui.examples):
        path = config.path(written)
        if not path.is_file():
            raise config.problem(("ui", "examples", str(at)), f"there is no file {path}")
        if path.resolve() not in there:
            there.add(path.resolve())
            name = f"{_EXAMPLES}/{path.name}"
            added[f"{_EXAMPLES}/{at + 1}-{path.name}" if name in added else name] = path
    return added


def _place(example: Path, members: Mapping[str, Path]) -> str:
    wanted = example.resolve()
    return next(name for name, path in members.items() if path.resolve() == wanted)


def _written(text: str, folder: Path) -> Path:
    """Write a text to the file that is named by it; only the latest few are kept."""
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    file = folder / f"{digest}.json"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        temporary = file.with_suffix(".tmp")
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(file)
    older = sorted(folder.glob("*.json"), key=lambda each: each.stat().st_mtime, reverse=True)
    for each in [path for path in older if path != file][_KEPT:]:
        each.unlink()
    return file
