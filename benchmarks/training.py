"""A short training script, as a job and alone."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime

from benchmarks.measuring import Bench, Row, paired, seconds

ROUNDS = 5


def measure(bench: Bench) -> list[Row]:
    """Return the training lines."""
    job_s, alone_s, ratio = paired(lambda: _job(bench), lambda: _alone(bench), ROUNDS)
    return [
        Row(
            "a training job, CreateTrainingJob to Completed, over `python train.py`",
            f"{ratio:.2f} ({job_s:.2f} s to {alone_s:.2f} s)",
            "below 1: the zygote saves the import",
        )
    ]


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
