"""What a job finds on this machine, told without importing torch or calling nvidia-smi."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

_TORCH_VERSION = re.compile(r"""^__version__ = ['"]([^'"]+)['"]""", re.MULTILINE)
_GPU_DEVICE = re.compile(r"nvidia\d+")


@dataclass(frozen=True, slots=True)
class Machine:
    """What a machine has. `torch_version` is empty where the interpreter has no torch."""

    cpus: int
    gpus: int = 0
    torch_version: str = ""


def look_around(python: Path, devices: Path = Path("/dev")) -> Machine:
    """Return what the machine, and an interpreter on it, have."""
    return Machine(
        cpus=os.cpu_count() or 1, gpus=_count_gpus(devices), torch_version=torch_version(python)
    )


def _count_gpus(devices: Path) -> int:
    """Count NVIDIA's device files."""
    return sum(1 for entry in os.listdir(devices) if _GPU_DEVICE.fullmatch(entry))  # noqa: PTH208


def torch_version(python: Path) -> str:
    """Return the version of an interpreter's torch, read from its files; empty without one."""
    for file in sorted(python.parent.parent.glob("lib/python3*/site-packages/torch/version.py")):
        found = _TORCH_VERSION.search(file.read_text(encoding="utf-8", errors="replace"))
        if found:
            return found.group(1)
    return ""
