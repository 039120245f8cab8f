"""Snippets in which `▸` stands before each place that a rule has to find, and nowhere else."""

from __future__ import annotations

import textwrap
from pathlib import Path

from sagelet.upgrade.checking import check_paths
from sagelet.upgrade.findings import Finding
from sagelet.upgrade.projects import Project, Serving, Training

MARK = "▸"
JOB = "import torch\ndef train(loss):\n    loss.backward()\n"
"""What makes a script one that trains."""
GROUP = (
    "import torch\nimport torch.distributed as dist\nfrom torch.utils.data import DataLoader\n"
    "from torch.nn.parallel import DistributedDataParallel as DDP\n"
    "from torch.utils.data.distributed import DistributedSampler\n"
    "def f(loss):\n    dist.init_process_group('gloo', rank=0, world_size=1)\n    loss.backward()\n"
)
"""What makes it one that trains on several hosts."""


def unmarked(snippet: str) -> tuple[str, set[tuple[int, int]]]:
    """Return a snippet's text without marks, and their places."""
    places = set()
    lines = []
    for number, line in enumerate(textwrap.dedent(snippet).lstrip("\n").split("\n"), start=1):
        while MARK in line:
            places.add((number, line.index(MARK) + 1))
            line = line.replace(MARK, "", 1)
        lines.append(line)
    return "\n".join(lines), places


def findings(path: Path, project: Project | None = None, rule: str | None = None) -> list[Finding]:
    """Return what is found in a file or folder, of one rule or of all."""
    found = check_paths([path], project).findings
    return [each for each in found if rule is None or each.rule == rule]


def assert_found(
    rule: str, snippet: str, folder: Path, *, name: str = "train.py", project: Project | None = None
) -> None:
    """Check that a rule finds the marked places of a snippet, and no other."""
    text, places = unmarked(snippet)
    path = folder / name
    path.write_text(text, encoding="utf-8")
    found = {(each.line, each.column) for each in findings(path, project, rule)}
    assert found == places


def a_project(
    folder: Path,
    *,
    train: str | None = "train.py",
    serve: str | None = None,
    model: str | None = None,
    source: str = "",
    hosts: int = 1,
    channels: dict[str, str] | None = None,
    **hyperparameters: object,
) -> Project:
    """Return a project whose configuration has a line for each thing that a test names."""
    file = folder / "sagelet.yml"
    lines = ["train", "serve", *hyperparameters]
    file.write_text("\n".join(f"{name}:" for name in lines) + "\n")
    places: dict[tuple[str, ...], int] = {("train",): 1, ("serve",): 2}
    for number, name in enumerate(hyperparameters, start=3):
        places["train", "hyperparameters", name] = number
    return Project(
        folder=folder,
        file=file,
        train=Training(
            source=folder / source,
            entry_point=folder / train,
            channels=channels or {},
            hyperparameters=hyperparameters,
            hosts=hosts,
        )
        if train
        else None,
        serve=Serving(folder / source, folder / serve, folder / model if model else None)
        if serve
        else None,
        lines=places,
    )
