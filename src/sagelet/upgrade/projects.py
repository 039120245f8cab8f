"""What a project's configuration tells a check: what runs, with which data and hyperparameters."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sagelet.domain.distribution import FLAGS
from sagelet.environments.config import ProjectConfig, ServeSettings, TrainSettings

REQUIREMENTS = "requirements.txt"
PLATFORM_PREFIX = "sagemaker_"
PLATFORM = frozenset({"_tuning_objective_metric", "default_user_module_name"})


@dataclass(frozen=True, slots=True)
class Training:
    """`train:` of the configuration, with absolute paths."""

    source: Path
    entry_point: Path
    channels: Mapping[str, str] = field(default_factory=dict)
    hyperparameters: Mapping[str, Any] = field(default_factory=dict)
    hosts: int = 1

    @property
    def options(self) -> Mapping[str, Any]:
        """The hyperparameters that reach the script: those that are not the platform's own."""
        return {
            name: value
            for name, value in self.hyperparameters.items()
            if not name.startswith(PLATFORM_PREFIX) and name not in PLATFORM
        }

    @property
    def has_launcher(self) -> bool:
        """Whether the platform starts the script's processes, and sets RANK and its like."""
        return any(self.hyperparameters.get(flag) for flag in FLAGS.values())


@dataclass(frozen=True, slots=True)
class Serving:
    """`serve:` of the configuration, with absolute paths."""

    source: Path
    entry_point: Path
    model: Path | None = None


@dataclass(frozen=True)
class Project:
    """A project. `file` is its configuration; `lines` tells where keys of it stand."""

    folder: Path
    file: Path | None = None
    train: Training | None = None
    serve: Serving | None = None
    lines: Mapping[tuple[str, ...], int] = field(default_factory=dict)

    def line_of(self, *path: str) -> int:
        """Return the line of a key of the configuration, or of the nearest one above it."""
        for length in range(len(path), 0, -1):
            if (line := self.lines.get(path[:length])) is not None:
                return line
        return 1


def read_project(config: ProjectConfig) -> Project:
    """Return what a configuration says, as a check wants it."""
    return Project(
        folder=config.project,
        file=config.file,
        train=_training(config, config.train) if config.train else None,
        serve=_serving(config, config.serve) if config.serve else None,
        lines=config.lines,
    )


def _training(config: ProjectConfig, train: TrainSettings) -> Training:
    return Training(
        source=_path(config, train.source),
        entry_point=_path(config, train.entry_point),
        channels=train.channels,
        hyperparameters=train.hyperparameters,
        hosts=train.hosts,
    )


def _serving(config: ProjectConfig, serve: ServeSettings) -> Serving:
    return Serving(
        source=_path(config, serve.source),
        entry_point=_path(config, serve.entry_point),
        model=_path(config, serve.model) if serve.model is not None else None,
    )


def _path(config: ProjectConfig, written: Path) -> Path:
    return Path(os.path.normpath(config.path(written)))
