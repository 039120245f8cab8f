"""`sagelet init`: the files that a project starts with."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path

import click

from sagelet.cli.context import App, with_shared_options

# A project's file, and the template that it is made from.
_FILES = {
    "sagelet.yml": "sagelet.yml",
    "train.py": "train.py",
    "serve.py": "serve.py",
    ".sagemakerignore": "sagemakerignore",
}


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=Path())
@with_shared_options
@click.pass_obj
def command(app: App, *, folder: Path) -> None:
    """Write a configuration, a training script and handlers that work; keep what is there.

    \b
    sagelet init line-fit && cd line-fit
    sagelet train && sagelet deploy --model latest && sagelet invoke -d '[[0.5]]'
    """
    folder.mkdir(parents=True, exist_ok=True)
    written, kept = [], []
    for name, template in _FILES.items():
        target = folder / name
        if target.exists():
            kept.append(name)
        else:
            target.write_text(_text(template, _model_name(folder)), encoding="utf-8")
            written.append(name)
    if app.output.json:
        app.output.document({"folder": str(folder), "written": written, "kept": kept})
        return
    for name in written:
        app.output.text(f"wrote  {folder / name}")
    for name in kept:
        app.output.text(f"kept   {folder / name}")
    app.output.say(
        "next: sagelet train, sagelet deploy --model latest, sagelet invoke -d '[[0.5]]'"
    )


def _text(template: str, name: str) -> str:
    text = (resources.files("sagelet.cli") / "templates" / template).read_text(encoding="utf-8")
    return text.format(name=name) if template.endswith(".yml") else text


def _model_name(folder: Path) -> str:
    """Return a name that SageMaker accepts, made from the folder's."""
    return re.sub(r"[^a-zA-Z0-9]+", "-", folder.absolute().name).strip("-")[:63] or "model"
