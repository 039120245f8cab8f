"""Static files: who gets them, for how long, and how they are sent."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sagelet.web.rendering import STATIC
from tests.web_bench import WebBench, a_web_bench


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[WebBench]:
    async with a_web_bench(tmp_path) as bench:
        yield bench


async def test_texts_are_compressed_for_whoever_takes_that(web: WebBench) -> None:
    plain = await web.visitor.get("/static/app.css", headers={"accept-encoding": "identity"})
    packed = await web.visitor.get("/static/app.css", headers={"accept-encoding": "br, gzip"})
    assert plain.content == packed.content == (STATIC / "app.css").read_bytes()
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < len(plain.content) / 3
    for answer in (plain, packed):
        assert answer.headers["vary"] == "accept-encoding"
        assert answer.headers["content-type"].startswith("text/css")


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
async def test_what_has_not_changed_is_not_sent_again(web: WebBench, encoding: str) -> None:
    takes = {"accept-encoding": encoding}
    first = await web.visitor.get("/static/morph.js", headers=takes)
    again = await web.visitor.get(
        "/static/morph.js", headers={**takes, "if-none-match": first.headers["etag"]}
    )
    assert (again.status_code, again.content) == (304, b"")


async def test_only_a_file_that_is_named_by_its_hash_is_kept(web: WebBench) -> None:
    named = await web.visitor.get("/static/app.css?v=12345678")
    plain = await web.visitor.get("/static/app.css")
    assert "immutable" in named.headers["cache-control"]
    assert plain.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "path",
    ["/static/../rendering.py", "/static/%2e%2e/rendering.py", "/static/", "/static/none.js"],
)
async def test_nothing_else_is_served(web: WebBench, path: str) -> None:
    assert (await web.visitor.get(path)).status_code in (303, 404)
