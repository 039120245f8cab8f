from __future__ import annotations

from pathlib import Path

import pytest

from tests.control_bench import Bench, a_bench


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return a_bench(tmp_path)
