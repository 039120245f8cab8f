"""A short training script, as a job and alone."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime

from benchmarks.measuring import Bench, paired, seconds

ROUNDS = 5


@dataclass(frozen=True)
class TrainingTimes:
    """Medians, in seconds: CreateTrainingJob to Completed, `python train.py`, and their ratio."""

    job_s: float
    alone_s: float
    ratio: float


def measure(bench: Bench) -> TrainingTimes:
    """Measure both in turn."""
    return TrainingTimes(*paired(lambda: _job(bench), lambda: _alone(bench), ROUNDS))


def _job(bench: Bench) -> float:
    described = json.loads(bench.sagelet("train", "--json", "-q"))
    ends = [datetime.fromisoformat(described[name]) for name in ("CreationTime", "TrainingEndTime")]
    return (ends[1] - ends[0]).total_seconds()


def _alone(bench: Bench) -> float:
    return seconds(
        lambda: subprocess.run(
            [sys.executable, "train.py"], cwd=bench.project, check=True, capture_output=True
        )
    )
