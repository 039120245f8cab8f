"""The machine's GPUs, divided among the hosts of a job.

A host sees its own as a machine of its own would: numbered from 0, and as many as SM_NUM_GPUS
says. Where there are fewer GPUs than hosts, no host has one, since two ranks on one GPU cannot
speak NCCL.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

VISIBLE = "CUDA_VISIBLE_DEVICES"


def devices(count: int, environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return the machine's GPUs, of which an environment may name some."""
    named = environment.get(VISIBLE)
    if named is None:
        return tuple(map(str, range(count)))
    # CUDA stops reading at the first that makes no sense; -1 is what people write for none.
    found = [name.strip() for name in named.split(",")]
    ends = (at for at, name in enumerate(found) if not name or name == "-1")
    return tuple(found[: next(ends, len(found))]) if count else ()


def share(number: int, hosts: int, machine: Sequence[str]) -> tuple[str, ...]:
    """Return the GPUs of one of several hosts, numbered from 0."""
    each = len(machine) // hosts
    return tuple(machine[number * each : (number + 1) * each])
