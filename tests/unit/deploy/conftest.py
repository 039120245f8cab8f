"""The project that most tests of this package work on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.deploy.projects import Project, a_project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return a_project(tmp_path / "text clf")
