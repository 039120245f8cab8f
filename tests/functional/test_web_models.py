"""The pages of models: lists, trees, previews, what a check finds."""

from __future__ import annotations

import asyncio
import html
import re
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from sagelet.domain.hosting import EndpointStatus
from tests.archives import an_archive
from tests.web_bench import WebBench, a_web_bench

HOSTILE = "<img src=x onerror=alert(1)>"
PATIENCE_S = 60.0
KEY = "sentiment/model.tar.gz"
FAULTY = """\
import torch

def model_fn(model_dir):
    return torch.load("/home/ada/model.pt")
"""


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[WebBench]:
    async with a_web_bench(tmp_path) as bench:
        yield bench


async def a_model(web: WebBench, files: Mapping[str, bytes]) -> None:
    await web.bench.create_model("sentiment")
    web.bench.put_object("models", KEY, an_archive(files))


async def page_of(web: WebBench, path: str = "/models/sentiment") -> str:
    answer = await web.owner.get(path)
    assert answer.status_code == 200, answer.text
    return answer.text


async def checked(web: WebBench) -> str:
    """Return the page once the model has been checked."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            page = await page_of(web)
            if "It is being checked" not in page:
                return page


async def test_all_endpoints_that_serve_a_model_are_told(web: WebBench) -> None:
    await web.bench.create_model("sentiment")
    await web.bench.create_config("one", "sentiment")
    for number in range(120):
        await web.bench.ask(
            "CreateEndpoint", EndpointName=f"shop-{number}", EndpointConfigName="one"
        )
    assert (await page_of(web)).count('href="/endpoints/shop-') == 120


async def test_models_are_listed_with_the_endpoints_that_serve_them(web: WebBench) -> None:
    await web.bench.create_endpoint("shop", EndpointStatus.IN_SERVICE)
    page = await page_of(web, "/models")
    assert 'href="/models/sentiment"' in page
    assert 'href="/endpoints/shop"' in page
    assert "No model is called so" in await page_of(web, f"/models?q={HOSTILE}")
    assert 'href="/endpoints/shop"' in await page_of(web)


async def test_a_long_list_of_models_has_pages(web: WebBench) -> None:
    for number in range(30):
        await web.bench.create_model(f"model-{number:02}")
    first = await page_of(web, "/models")
    following = re.search(r'href="([^"]+)" rel="next"', first)
    assert following is not None
    second = await page_of(web, html.unescape(following[1]))
    assert len(re.findall(r'href="/models/model-\d+"', second)) == 5


async def test_the_files_of_a_model_are_a_tree_and_small_texts_can_be_read(web: WebBench) -> None:
    await a_model(web, {"model.pt": b"\0" * 2000, "code/inference.py": HOSTILE.encode()})
    page = await page_of(web)
    assert "2.0 kB" in page
    assert "?file=code/inference.py" in page
    page = await page_of(web, "/models/sentiment?file=code/inference.py")
    assert html.escape(HOSTILE) in page
    assert HOSTILE not in page
    assert "This is no text" in await page_of(web, "/models/sentiment?file=model.pt")
    for file in ("nothing", "../x", "%00"):
        assert (await web.owner.get(f"/models/sentiment?file={file}")).status_code == 404


async def test_hostile_names_are_text_and_can_be_told_apart(web: WebBench) -> None:
    names = [HOSTILE, "a\u202egnp.exe", '"><script>alert(1)</script>', "javascript:alert(1)"]
    await a_model(web, {f"data/{name}": b"x" for name in names})
    page = await page_of(web)
    assert HOSTILE not in page
    assert "<script>alert" not in page
    assert "a\\u202egnp.exe" in page
    assert 'href="javascript' not in page


async def test_a_check_says_where_why_and_what_to_do(web: WebBench) -> None:
    await a_model(web, {"model.pt": b"x", "code/inference.py": FAULTY.encode()})
    page = await checked(web)
    assert 'data-testid="findings"' in page
    assert "code/inference.py:4" in page
    assert "Why: <code>" in page
    assert "/home/ada/model.pt" in page


async def test_a_check_runs_nothing_of_the_model(web: WebBench) -> None:
    await a_model(web, {"code/inference.py": b"import sys; sys.modules['ran_by_a_check'] = sys"})
    await checked(web)
    assert "ran_by_a_check" not in sys.modules


async def test_a_model_that_changes_is_checked_again(web: WebBench) -> None:
    await a_model(web, {"code/inference.py": FAULTY.encode()})
    assert "code/inference.py:4" in await checked(web)
    fine = b"def model_fn(model_dir):\n    return None\n"
    web.bench.put_object("models", KEY, an_archive({"code/inference.py": fine}))
    assert "code/inference.py:4" not in await checked(web)


async def test_a_damaged_archive_is_told_of(web: WebBench) -> None:
    await web.bench.create_model("sentiment")
    web.bench.put_object("models", KEY, b"nothing like an archive")
    page = await checked(web)
    assert "would not be unpacked" in page


async def test_data_that_is_gone_is_told_of(web: WebBench) -> None:
    await web.bench.create_model("sentiment")
    web.bench.buckets.delete("models", KEY)
    page = await page_of(web)
    assert "Its data is not there" in page
    assert "There is nothing here to be checked" in page


async def test_secrets_in_the_environment_are_not_shown(web: WebBench) -> None:
    web.bench.put_object("models", KEY)
    container = {
        "Image": "pytorch-inference:2.3.0",
        "ModelDataUrl": f"s3://models/{KEY}",
        "Environment": {"HF_TOKEN": "hf_123", "NOTE": HOSTILE},
    }
    await web.bench.ask(
        "CreateModel", ModelName="m", PrimaryContainer=container, ExecutionRoleArn="Role"
    )
    page = await page_of(web, "/models/m")
    assert "hf_123" not in page
    assert html.escape(HOSTILE) in page


async def test_models_are_the_owners_to_see(web: WebBench) -> None:
    await web.bench.create_model("sentiment")
    assert (await web.visitor.get("/models/sentiment")).status_code == 303
    assert (await web.owner.get("/models/nobody")).status_code == 404
