"""Deaths of workers: the words for them, and the kernel's count of those it killed."""

from __future__ import annotations

from pathlib import Path

import pytest

from sagelet.hosting.death import Death, OutOfMemoryKills


@pytest.mark.parametrize(
    ("death", "status", "text", "cause"),
    [
        (Death(3), 500, "Worker died.", "ended with exit code 3"),
        (
            Death(-11),
            500,
            "Worker died. It was killed by SIGSEGV.",
            "was killed by SIGSEGV",
        ),
        (
            Death(-9, 5 * 2**20),
            507,
            "Worker died. It was killed by SIGKILL (the system may have run out of memory).",
            "was killed by SIGKILL (the system may have run out of memory) (peak 5 MiB)",
        ),
        (
            Death(-9, 39 * 2**30 // 10, is_out_of_memory=True),
            507,
            "Worker died. It ran out of memory (peak 3.9 GiB).",
            "ran out of memory (peak 3.9 GiB) and was killed",
        ),
        (
            Death(137, is_out_of_memory=True),
            507,
            "Worker died. It ran out of memory.",
            "ran out of memory and was killed",
        ),
    ],
)
def test_a_death_is_told_to_who_asked_and_in_the_log(
    death: Death, status: int, text: str, cause: str
) -> None:
    assert (death.status, death.text, death.cause) == (status, text, cause)


def test_the_first_file_that_counts_is_believed(tmp_path: Path) -> None:
    events, vmstat = tmp_path / "memory.events", tmp_path / "vmstat"
    kills = OutOfMemoryKills((events, vmstat))
    assert kills.count() == 0
    vmstat.write_text("pgfault 12\noom_kill 7\n")
    assert kills.count() == 7
    events.write_text("low 0\noom 3\noom_kill 2\noom_group_kill 0\n")
    assert kills.count() == 2
    events.write_text("low 0\n")
    assert kills.count() == 7


def test_on_this_machine_the_count_can_be_asked_for() -> None:
    assert OutOfMemoryKills().count() >= 0
