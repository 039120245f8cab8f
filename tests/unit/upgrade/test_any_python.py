"""The upgrade among code that it has never seen: the standard library with a training below."""

from __future__ import annotations

import ast
import sysconfig
import warnings
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sagelet.upgrade.rewriting import upgrade_source
from sagelet.upgrade.sources import read_source, source_of

LIBRARY = Path(sysconfig.get_path("stdlib"))
MODULES = sorted(
    path
    for folder in (".", "asyncio", "email", "json", "logging", "importlib", "unittest", "http")
    for path in (LIBRARY / folder).glob("*.py")
    if 500 < path.stat().st_size < 40_000
)
TRAINING = (Path(__file__).parent / "scripts" / "outputs" / "before.py").read_text("utf-8")


def check(path: Path) -> None:
    alone = upgrade_source(read_source(path))
    assert alone.text == read_source(path).written
    assert alone.why

    text = f"{read_source(path).written}\n\n{TRAINING}"
    if not parses(text):
        return  # its own `from __future__` or encoding does not go with more
    upgraded = upgrade_source(source_of(path, text))
    assert parses(upgraded.text)
    assert "a bug" not in upgraded.why
    assert upgraded.text != text or upgraded.left or upgraded.why
    again = upgrade_source(source_of(path, upgraded.text))
    assert again.text == upgraded.text


def parses(text: str) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ast.parse(text)
        except SyntaxError:
            return False
    return True


@given(st.sampled_from(MODULES))
@settings(max_examples=5, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_a_training_below_any_module_is_upgraded_or_left(path: Path) -> None:
    check(path)


@pytest.mark.full
@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_a_training_below_every_module_is_upgraded_or_left(path: Path) -> None:
    check(path)
