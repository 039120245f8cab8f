"""The reference of the JSON API tells of every call, and of every status of a prediction."""

from __future__ import annotations

import re
from pathlib import Path

from sagelet.web.api.statuses import ERRORS
from tests.web_bench import a_web_bench
from tests.web_routes import known_routes

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "local-api.md"


async def test_every_call_is_documented(tmp_path: Path) -> None:
    text = PAGE.read_text()
    async with a_web_bench(tmp_path) as web:
        paths = {route.path for route in known_routes(web.app.site) if not route.is_page}
    assert len(paths) > 15
    # Not as the beginning of a longer path.
    told = {path for path in paths if re.search(re.escape(path) + r"(?![\w/{.])", text)}
    assert paths - told == set()


def test_every_status_of_a_prediction_is_documented() -> None:
    text = PAGE.read_text()
    for each in ERRORS:
        assert f"| {each.code} | {each.when} | {each.then} |" in text
