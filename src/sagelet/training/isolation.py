"""How far a host can be by itself on this machine: its own /opt/ml, and channels without a copy."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sagelet.worker import namespace, placing


@dataclass(frozen=True, slots=True)
class Isolation:
    """Why a host here cannot have a /opt/ml of its own, or overlays in it; empty where it can."""

    no_namespace: str = ""
    no_overlay: str = ""


def switched_off(environment: Mapping[str, str]) -> Isolation | None:
    """Return what a host has where a person turned namespaces off; None where nobody did."""
    if environment.get(placing.SWITCH, "").lower() != "off":
        return None
    return Isolation(f"{placing.SWITCH}=off", f"{placing.SWITCH}=off")


def find_out(environment: Mapping[str, str], jobs: Path) -> Isolation:
    """Try what a host can have of its own; `jobs` is the folder that overlays would lie in."""
    off = switched_off(environment)
    if off is not None:
        return off
    try:
        no_namespace = namespace.probe()
        if no_namespace:
            return Isolation(no_namespace, no_namespace)
        jobs.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Isolation(no_overlay=namespace.probe_overlay(str(jobs)))
    except (OSError, subprocess.SubprocessError) as error:
        return Isolation(str(error), str(error))
