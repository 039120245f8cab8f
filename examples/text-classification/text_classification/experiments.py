"""Where plain runs of `train.py` leave their results: one folder each, and `latest`."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

EXPERIMENTS_DIR = Path(__file__).resolve().parents[1] / "experiments"
LATEST = "latest"


class ExperimentNotFound(LookupError):
    """There is no whole experiment of that name."""


def find(experiment_id: str, experiments_dir: Path) -> Path:
    """Return the folder of an experiment, or of the latest one."""
    folder = experiments_dir / experiment_id
    is_name = Path(experiment_id).name == experiment_id and not experiment_id.startswith(".")
    if not is_name or not folder.is_dir():
        raise ExperimentNotFound(
            f"no experiment {experiment_id!r} in {experiments_dir}: run `python train.py` first"
        )
    return folder.resolve()


@contextmanager
def new_experiment(experiments_dir: Path) -> Iterator[Path]:
    """Yield a hidden folder that gets its name, and becomes `latest`, once the block has filled it.

    A run that is interrupted leaves the earlier `latest` as it was.
    """
    experiment_id = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
    partial = experiments_dir / f".{experiment_id}"
    partial.mkdir(parents=True)
    try:
        yield partial
        partial.rename(experiments_dir / experiment_id)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    link = experiments_dir / f".{LATEST}-{experiment_id}"
    link.symlink_to(experiment_id)
    link.replace(experiments_dir / LATEST)
