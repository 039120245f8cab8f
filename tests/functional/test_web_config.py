"""The Config tab: what an endpoint is made of, what happened to it, and with whom it is shared."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from sagelet.web.public.door import wanted_of
from tests.page_text import attributes, texts
from tests.public_guests import NAME, SLUG, Public, a_public_bench

TAB = f"/endpoints/{NAME}/config"
SHARING = f"/endpoints/{NAME}/sharing"


@pytest.fixture
async def public(tmp_path: Path) -> AsyncIterator[Public]:
    async with a_public_bench(tmp_path) as bench:
        yield bench


async def shared(public: Public, **fields: str) -> httpx.Response:
    return await public.web.owner.post(SHARING, data={"csrf": public.web.csrf, **fields})


async def test_it_shows_what_the_endpoint_is_made_of(public: Public) -> None:
    bench = public.web.bench
    found = await bench.ask("DescribeModel", ModelName="sentiment")
    container = {name: found["PrimaryContainer"][name] for name in ("Image", "ModelDataUrl")}
    environment = {"AUTH_TOKEN": "hunter2", "MODE": "fast", "PASSWORD": "hunter3"}
    await bench.ask(
        "CreateModel",
        ModelName="two",
        PrimaryContainer={**container, "Environment": environment},
        ExecutionRoleArn=found["ExecutionRoleArn"],
    )
    await bench.create_config("two-1", "two")
    await bench.ask("CreateEndpoint", EndpointName="two", EndpointConfigName="two-1")
    page = (await public.web.owner.get("/endpoints/two/config")).text
    assert "AllTraffictwolocal11" in texts(page, testid="variants")[0]
    assert "MODEfast" in texts(page, testid="environment")[0]
    assert "hunter" not in page
    assert "aws sagemaker describe-endpoint --endpoint-name two" in page
    assert "aws sagemaker describe-model --model-name two" in page
    assert texts(page, testid="shared-now") == ["This endpoint is private: only you see it."]


async def test_the_name_is_told_by_no_case_and_a_link_to_the_form_leads_back(
    public: Public,
) -> None:
    assert (await public.web.owner.get(f"/endpoints/{NAME.lower()}/config")).status_code == 200
    assert (await public.web.owner.get(SHARING)).headers["location"] == TAB
    assert (await public.web.owner.get("/endpoints/nowhere/config")).status_code == 404


async def test_sharing_is_set_and_taken_back_there(public: Public) -> None:
    done = await shared(public, access="open", slug="corpus", per_minute="7")
    assert (done.status_code, done.headers["location"]) == (303, f"{TAB}#sharing")
    page = (await public.web.owner.get(TAB)).text
    assert "anybody may ask it, 7 times a minute" in texts(page, testid="shared-now")[0]
    assert attributes(page, "href", testid="preview") == ["/p/corpus"]
    assert (await public.web.visitor.get("/p/corpus")).status_code == 200
    await shared(public, access="key", slug="", per_minute="")
    found = public.web.app.site.sharing.of(NAME)
    assert found is not None
    assert (found.terms, found.slug, found.per_minute) == ("key", "corpus", 7)
    await shared(public, access="off")
    assert (await public.web.visitor.get("/p/corpus")).status_code == 404


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"access": "open", "slug": "A/b"}, "cannot stand in an address"),
        ({"access": "open", "per_minute": "many"}, "is no number"),
        ({"access": "open", "per_minute": "0"}, "requests a minute"),
        ({"access": "all"}, "access is open, key or off"),
        ({"access": "open", "slug": "taken"}, "already existing public page"),
    ],
)
async def test_what_makes_no_sense_is_shown_with_what_was_typed(
    public: Public, fields: dict[str, str], says: str
) -> None:
    csrf = {"x-csrf-token": public.web.csrf}
    await public.web.bench.ask(
        "CreateEndpoint", EndpointName="other", EndpointConfigName="sentiment-1"
    )
    await public.web.owner.put(
        "/api/v1/publications/other", json={"access": "open", "slug": "taken"}, headers=csrf
    )
    answer = await shared(public, **fields)
    assert answer.status_code == 400
    assert says in texts(answer.text, testid="share-problem")[0]
    assert attributes(answer.text, "value", testid="slug") == []
    assert public.web.app.site.sharing.of(NAME) is None


async def test_nothing_is_shared_without_the_sessions_token(public: Public) -> None:
    for client, status in ((public.web.owner, 403), (public.web.visitor, 401)):
        assert (await client.post(SHARING, data={"access": "open"})).status_code == status
    assert public.web.app.site.sharing.all() == ()


async def test_it_says_that_the_listener_is_open_and_where(public: Public) -> None:
    await shared(public, access="open")
    assert "is closed" in (await public.web.owner.get(TAB)).text
    site = public.web.app.site
    listening = await site.public.open(wanted_of("127.0.0.1:0"))
    page = (await public.web.owner.get(TAB)).text
    assert listening.base in texts(page, testid="listener")[0]
    assert attributes(page, "href", testid="public-address") == [f"{listening.base}/p/{SLUG}"]
    async with httpx.AsyncClient(base_url=listening.base) as guest:
        assert (await guest.get(f"/p/{SLUG}")).status_code == 200
        assert (await guest.get(TAB)).status_code == 404
    assert await site.public.close()
    assert not await site.public.close()


async def test_what_happened_is_text(public: Public) -> None:
    await public.host.notes.add(NAME, "<script>alert(1)</script>")
    page = (await public.web.owner.get(TAB)).text
    assert "<script>alert(1)</script>" in texts(page, testid="notes")[0]
    assert "<script>alert" not in page
