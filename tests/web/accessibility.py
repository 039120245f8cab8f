"""axe-core, run in a page: what it finds serious or critical fails the test."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

AXE = Path(__file__).parents[2] / ".venv-web" / "node_modules" / "axe-core" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_FAILS = ("serious", "critical")


@cache
def _source() -> str:
    assert AXE.is_file(), "axe-core is not there: `make .venv-web/ready`"
    return AXE.read_text(encoding="utf-8")


def violations(page: Page) -> list[dict[str, Any]]:
    """Return what axe-core finds in the page as it is now, of every impact."""
    # Evaluated by the browser's debugger, so that the page's own policy stays in force.
    page.evaluate(_source())
    found: list[dict[str, Any]] = page.evaluate(
        "tags => axe.run(document, {runOnly: tags, resultTypes: ['violations']})"
        ".then(result => result.violations)",
        TAGS,
    )
    return found


def check(page: Page) -> None:
    """Fail on a serious or critical violation."""
    bad = [each for each in violations(page) if each["impact"] in _FAILS]
    assert not bad, "\n".join(_told(each) for each in bad)


def _told(violation: dict[str, Any]) -> str:
    places = "\n".join(
        f"    {node['target']}: {node['html'][:200]}\n      {node.get('failureSummary', '')}"
        for node in violation["nodes"][:5]
    )
    return f"{violation['impact']} {violation['id']}: {violation['help']}\n{places}"
