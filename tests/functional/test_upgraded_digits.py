"""The example's script on one host and on two: over three seeds they learn as much."""

from __future__ import annotations

import json
import os
import re
import socket
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "digits"
RUNS = Path(__file__).parent / "upgraded" / "runs.py"
SEEDS = (1, 2, 3)
ACCURACY = re.compile(r"accuracy: ([0-9.]+)")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """scikit-learn's digits, as the example prepares them."""
    folder = tmp_path_factory.mktemp("digits")
    script = folder / "prepare_data.py"
    script.write_bytes((EXAMPLE / "prepare_data.py").read_bytes())
    subprocess.run([sys.executable, str(script)], check=True, timeout=60, capture_output=True)
    return folder / "data"


def order(root: Path, data: Path, seed: int, hosts: int) -> list[dict[str, Any]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    names = [f"algo-{number + 1}" for number in range(hosts)]
    processes = []
    for name in names:
        folder = root / f"{seed}-{hosts}-{name}"
        folder.mkdir()
        environment = {
            "SM_HOSTS": json.dumps(names),
            "SM_CURRENT_HOST": name,
            "SM_CHANNEL_TRAINING": str(data),
            "SM_MODEL_DIR": str(folder),
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": str(port),
            "GLOO_SOCKET_IFNAME": "lo",
            "CUDA_VISIBLE_DEVICES": "",
        }
        processes.append(
            {
                "script": str(EXAMPLE / "train.py"),
                "arguments": ["--seed", str(seed)],
                "folder": str(folder),
                "log": str(folder / "log.txt"),
                "environment": environment,
                "asks": None,
            }
        )
    return processes


@pytest.mark.full
def test_the_mean_accuracy_of_one_and_two_hosts_differs_by_less_than_a_point(
    data: Path, tmp_path: Path
) -> None:
    orders = [order(tmp_path, data, seed, hosts) for seed in SEEDS for hosts in (1, 2)]
    done = subprocess.run(
        [sys.executable, str(RUNS)],
        input=json.dumps(orders),
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        text=True,
        timeout=300,
        check=True,
    )
    assert all(code == 0 for codes in json.loads(done.stdout) for code in codes)
    found = {
        hosts: [
            float(ACCURACY.findall((tmp_path / f"{seed}-{hosts}-algo-1/log.txt").read_text())[-1])
            for seed in SEEDS
        ]
        for hosts in (1, 2)
    }
    means = {hosts: statistics.mean(each) for hosts, each in found.items()}
    print(f"accuracy by hosts: {found}; means: {means}")
    assert abs(means[1] - means[2]) < 0.01
    assert min(means.values()) > 0.95
