from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path

from sagelet.deploy import names


def test_a_name_holds_the_hash_and_stays_within_sagemakers_length() -> None:
    assert names.named_by("clf", "0123456789abcdef") == "clf-01234567"
    long = names.named_by("a" * 50 + "-" * 10, "0" * 64)
    assert len(long) <= 63
    assert "--" not in long


def test_a_hash_depends_on_every_fact_and_on_nothing_else() -> None:
    assert names.hash_of("a", {"x": 1, "y": 2}) == names.hash_of("a", {"y": 2, "x": 1})
    assert names.hash_of("a", "b") != names.hash_of("ab")


def test_each_job_has_a_name_of_its_own() -> None:
    at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    first, second = names.job_name("clf", at), names.job_name("clf", at)
    assert first.startswith("clf-20260102-030405-")
    assert first != second
    assert len(names.job_name("a" * 80, at)) <= 63


def test_tags_say_whose_and_from_which_commit(tmp_path: Path) -> None:
    project = tmp_path / "my 'project'"
    project.mkdir()
    assert names.tags(project, "production")["sagelet:project"] == "my -project-"
    assert "sagelet:git-sha" not in names.tags(project, "production")
    for arguments in (
        ["init", "-q"],
        ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "x", "--allow-empty"],
    ):
        subprocess.run(["git", *arguments], cwd=project, check=True)
    assert len(names.tags(project, "production")["sagelet:git-sha"]) == 40
