"""Public endpoints: their page, their API, on what terms, and all that strangers do not get."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from sagelet import __version__
from sagelet.domain.hosting import EndpointStatus
from sagelet.domain.invocation import Answer
from sagelet.errors import QueueFull
from tests.page_text import attributes, texts
from tests.public_guests import (
    ANSWER,
    BASE,
    BODY,
    GUEST,
    NAME,
    SLUG,
    Public,
    a_public_bench,
    filled,
)
from tests.web_routes import known_routes

PAGE = f"/p/{SLUG}"
RUN = f"/p/{SLUG}/run"
PREDICT = f"/api/v1/predict/{SLUG}"
SCHEMA = f"/api/v1/endpoints/{SLUG}/schema"
PATHS = (
    PAGE,
    SCHEMA,
    f"/api/v1/endpoints/{SLUG}/examples",
    f"/api/v1/endpoints/{SLUG}/openapi.json",
)
JSON = {"content-type": "application/json"}
XSS = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'>"
TRACEBACK = (
    "no text in /home/me/secret/project/input.json\n"
    "Traceback (most recent call last):\n"
    '  File "/opt/ml/model/code/inference.py", line 12, in input_fn\n'
    "    raise ValueError(token)\nValueError: token=hunter2\n"
)


@pytest.fixture
async def public(tmp_path: Path) -> AsyncIterator[Public]:
    async with a_public_bench(tmp_path) as bench:
        yield bench


async def predict(guest: httpx.AsyncClient, **headers: str) -> httpx.Response:
    return await guest.post(PREDICT, content=BODY, headers={**JSON, **headers})


async def test_nothing_is_public_until_its_owner_says_so_and_then_at_once(public: Public) -> None:
    async with public.guest() as guest:
        for path in PATHS:
            assert (await guest.get(path)).status_code == 404
        assert (await predict(guest)).status_code == 404
        assert (await guest.post(RUN, data=filled())).status_code == 404
        assert public.host.invocations == []
        shared = await public.share()
        assert shared.json()["addresses"] == {"preview": f"http://127.0.0.1:7543/p/{SLUG}"}
        for path in PATHS:
            assert (await guest.get(path)).status_code == 200, path
        assert (await predict(guest)).status_code == 200
        csrf = {"x-csrf-token": public.web.csrf}
        await public.web.owner.delete(f"/api/v1/publications/{NAME}", headers=csrf)
        assert [(await guest.get(path)).status_code for path in PATHS] == [404] * len(PATHS)
        assert (await predict(guest)).status_code == 404


async def test_what_is_public_goes_with_its_endpoint(public: Public) -> None:
    await public.share()
    async with public.guest() as guest:
        assert (await guest.get(PAGE)).status_code == 200
        with public.web.bench.store.writing() as tx:
            tx.endpoints.remove(NAME)
        assert (await guest.get(PAGE)).status_code == 404
        await public.web.bench.ask(
            "CreateEndpoint", EndpointName=NAME, EndpointConfigName="sentiment-1"
        )
        public.web.bench.move_endpoint(NAME, EndpointStatus.IN_SERVICE)
        assert (await guest.get(PAGE)).status_code == 404


async def test_the_page_runs_without_a_script_a_session_or_a_trace_in_the_history(
    public: Public,
) -> None:
    await public.share()
    public.ship("README.md", "# Which corpus?\n\nIt tells **four** of them apart.")
    async with public.guest() as guest:
        page = await guest.get(PAGE)
        assert texts(page.text, testid="title") == ["Which corpus?"]
        assert texts(page.text, testid="about") == ["It tells four of them apart."]
        assert public.host.invocations == []
        ran = await guest.post(RUN, data=filled())
    assert (ran.status_code, texts(ran.text, "bar-label")) == (200, ["Tweets", "Reviews"])
    (asked,) = public.host.invocations
    assert (asked.endpoint, asked.source, asked.trace) == (NAME, "public", "")
    assert asked.body == BODY.encode()
    assert (asked.target_variant, asked.target_model) == (None, None)
    assert public.web.history.recent(NAME) == ()
    assert "set-cookie" not in {**page.headers, **ran.headers}


async def test_a_script_gets_the_result_alone_and_a_link_to_it_leads_to_the_form(
    public: Public,
) -> None:
    await public.share()
    async with public.guest() as guest:
        part = await guest.post(RUN, data=filled(), headers={"x-fragment": "result"})
        assert part.text.lstrip().startswith('<div id="result"')
        back = await guest.get(RUN)
    assert (back.status_code, back.headers["location"]) == (303, PAGE)


async def test_an_example_fills_the_form_and_runs_nothing(public: Public) -> None:
    await public.share()
    public.ship("examples/wimbledon.json", BODY)
    async with public.guest() as guest:
        page = (await guest.get(f"{PAGE}?ex=wimbledon")).text
        other = (await guest.get(f"{PAGE}?ex=../../etc/passwd")).text
    assert "The Wimbledon tennis tournament" in page
    assert texts(other, testid="note") == [
        "There is no such example: the form is filled in as usual."
    ]
    assert public.host.invocations == []


async def test_strangers_see_nothing_of_what_the_owner_sees(public: Public) -> None:
    await public.share(slug="corpus")
    public.ship("inference.py", "def input_fn(body, content_type): ...\n")
    async with public.guest() as guest:
        told = [
            await guest.get("/p/corpus"),
            await guest.post("/p/corpus/run", data=filled()),
            await guest.post("/api/v1/predict/corpus", content=BODY, headers=JSON),
            *[await guest.get(f"/api/v1/endpoints/corpus/{x}") for x in ("schema", "openapi.json")],
            await guest.get("/healthz"),
            await guest.get("/nothing"),
        ]
    for answer in told:
        whole = f"{answer.headers} {answer.text}"
        for secret in (
            NAME,
            "AllTraffic",
            "generation",
            str(public.folder),
            "inference.py",
            __version__,
        ):
            assert secret not in whole, f"{answer.request.url}: {secret}"
        for name in ("server-timing", "x-model-version", "x-sagelet-generation", "set-cookie"):
            assert name not in answer.headers, name
    assert told[-2].text == "ok\n"
    predicted = told[2].headers
    assert {"x-request-id", "x-model-latency-ms"} <= set(predicted)


async def test_what_others_have_sent_makes_no_strangers_form(public: Public) -> None:
    await public.share()
    secret = '{"diagnosis": "private"}'
    history = public.web.history
    assert history.recent(NAME) == ()
    called = await public.web.owner.post(
        f"/endpoints/{NAME}/run", data={"csrf": public.web.csrf, **filled(secret)}
    )
    assert called.status_code == 200
    async with public.guest() as guest:
        for path in PATHS:
            assert "diagnosis" not in (await guest.get(path)).text


async def test_a_model_that_fails_is_spoken_of_calmly(tmp_path: Path) -> None:
    async with a_public_bench(tmp_path) as public:
        await public.share()
        async with public.guest() as guest:
            for status, says in ((500, "the model could not answer this"), (507, None), (0, None)):
                public.host.line = Answer(status, TRACEBACK.encode(), "text/plain", "v", 1)
                page = await guest.post(RUN, data=filled())
                assert page.status_code == 200
                assert texts(page.text, testid="failed-says") == [
                    says or "the model could not answer this"
                ]
                answer = await predict(guest)
                assert answer.json()["detail"] == "the model could not answer this"
                assert answer.json()["request_id"] == answer.headers["x-request-id"]
                for secret in ("inference", "/home", "hunter2", "Traceback", "input_fn"):
                    assert secret not in page.text + answer.text
            public.host.line = Answer(400, TRACEBACK.encode(), "text/plain", "v", 1)
            page = await guest.post(RUN, data=filled())
            assert texts(page.text, testid="failed-says") == ["no text in …"]
            assert "hunter2" not in page.text
            assert (await predict(guest)).json()["detail"] == "no text in …"


async def test_what_cannot_be_asked_has_its_status(public: Public) -> None:
    await public.share()
    async with public.guest() as guest:
        public.host.line = QueueFull(endpoint=NAME, waiting=9)
        busy = await guest.post(RUN, data=filled())
        assert (busy.status_code, NAME in busy.text) == (503, False)
        answer = await predict(guest)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        public.host.line = ANSWER
        public.host.known.clear()
        page = await guest.get(PAGE)
        assert (page.status_code, len(texts(page.text, testid="not-serving"))) == (200, 1)
        assert (await guest.post(RUN, data=filled())).status_code == 503


async def test_a_key_is_asked_for_where_the_owner_wants_one(public: Public) -> None:
    await public.share("key")
    good, other = public.key(NAME), public.key("other")
    async with public.guest() as guest:
        page = await guest.get(PAGE)
        assert attributes(page.text, "type", testid="api-key") == ["password"]
        assert "Authorization: Bearer" in texts(page.text, testid="snippet-curl")[0]
        for key, status in (("", 401), ("sgl_live_nonsense", 401), (other, 403), (good, 200)):
            ran = await guest.post(RUN, data=filled(**{"api.key": key}))
            assert ran.status_code == status, key
            assert attributes(ran.text, "value", testid="api-key") == [good if key == good else ""]
            headers = {"authorization": f"Bearer {key}"} if key else {}
            assert (await predict(guest, **headers)).status_code == status, key
        assert (await guest.get(SCHEMA)).status_code == 401
        assert (await guest.get(SCHEMA, headers={"x-api-key": good})).status_code == 200
        assert len(public.host.invocations) == 2
        public.web.app.site.access.keys.revoke(good.removeprefix("sgl_live_")[:8])
        assert (await predict(guest, authorization=f"Bearer {good}")).status_code == 401
        assert (await guest.post(RUN, data=filled(**{"api.key": good}))).status_code == 401
    await public.web.app.site.access.keys.settled()


async def test_a_key_never_stands_in_an_address(public: Public) -> None:
    await public.share("key")
    key = public.key(NAME)
    async with public.guest() as guest:
        assert (await guest.post(f"{RUN}?api.key={key}", data=filled())).status_code == 401
        assert (await guest.post(f"{PREDICT}?key={key}", content=BODY)).status_code == 401


async def test_each_client_asks_so_often_and_no_more(public: Public) -> None:
    await public.share(per_minute=2)
    async with public.guest() as guest, public.guest("203.0.113.8") as another:
        assert [(await predict(guest)).status_code for _ in range(3)] == [200, 200, 429]
        page = await guest.post(RUN, data=filled())
        assert (page.status_code, int(page.headers["retry-after"]) > 0) == (429, True)
        assert (await predict(another)).status_code == 200
    public_ids = ("2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8:0:1::1")
    statuses = []
    for address in public_ids:
        async with public.guest(address) as guest:
            statuses.append((await predict(guest)).status_code)
    assert statuses == [200, 200, 429, 200]


async def test_each_key_asks_so_often_wherever_it_comes_from(public: Public) -> None:
    await public.share("key", per_minute=100)
    bearer = f"Bearer {public.key(NAME, per_minute=2)}"
    statuses = []
    for last in range(3):
        async with public.guest(f"203.0.113.{last}") as guest:
            statuses.append((await predict(guest, authorization=bearer)).status_code)
    assert statuses == [200, 200, 429]
    await public.web.app.site.access.keys.settled()


async def test_only_a_named_proxy_is_believed(public: Public) -> None:
    await public.share(per_minute=1)
    told = {
        "x-forwarded-for": "198.51.100.99",
        "x-forwarded-host": "models.example.com",
        "x-forwarded-proto": "https",
    }
    async with public.guest() as guest:
        page = await guest.get(PAGE, headers={**told, "host": "evil.example"})
        assert texts(page.text, testid="predict-url") == [f"POST {BASE}{PREDICT}"]
        assert (await predict(guest, **told)).status_code == 200
        again = {**told, "x-forwarded-for": "198.51.100.98"}
        assert (await predict(guest, **again)).status_code == 429
    async with public.guest("10.0.0.2", proxies=("10.0.0.0/24",)) as proxy:
        page = await proxy.get(PAGE, headers=told)
        assert texts(page.text, testid="predict-url") == [
            f"POST https://models.example.com{PREDICT}"
        ]
        statuses = [
            (await predict(proxy, **{"x-forwarded-for": hops})).status_code
            for hops in ("198.51.100.1", "198.51.100.2", "6.6.6.6, 198.51.100.1, 10.0.0.9")
        ]
        assert statuses == [200, 200, 429]


async def test_links_have_the_address_that_the_owner_has_named(public: Public) -> None:
    await public.share()
    async with public.guest(public_url="https://models.example.com") as guest:
        page = (await guest.get(PAGE, headers={"host": "evil.example"})).text
        document = (await guest.get(f"/api/v1/endpoints/{SLUG}/openapi.json")).json()
    assert "evil.example" not in page
    assert "https://models.example.com/api/v1/predict/texts-1" in page
    assert document["servers"] == [{"url": "https://models.example.com"}]
    assert "security" not in document


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        (BASE, 200),
        ("https://198.51.100.1:8080", 200),
        ("http://evil.example", 403),
        ("null", 403),
        ("http://198.51.100.1:8081", 403),
    ],
)
async def test_another_sites_page_asks_nothing(public: Public, origin: str, status: int) -> None:
    await public.share()
    async with public.guest() as guest:
        for answer in (
            await guest.post(RUN, data=filled(), headers={"origin": origin}),
            await predict(guest, origin=origin),
        ):
            assert answer.status_code == status
            assert "access-control-allow-origin" not in answer.headers
        options = await guest.options(PREDICT, headers={"origin": "http://evil.example"})
        assert options.status_code == 403
        crossed = await guest.post(RUN, data=filled(), headers={"sec-fetch-site": "cross-site"})
        assert crossed.status_code == 403


async def test_a_name_that_was_made_to_lead_here_is_no_name_of_ours(public: Public) -> None:
    await public.share()
    rebound = {"host": "evil.example", "origin": "http://evil.example"}
    async with public.guest(public_url="https://models.example.com") as guest:
        assert (await guest.post(RUN, data=filled(), headers=rebound)).status_code == 403
        assert (await predict(guest, **rebound)).status_code == 403
        for own in ("https://models.example.com", BASE):
            asked = await guest.post(RUN, data=filled(), headers={"origin": own})
            assert asked.status_code == 200


async def test_a_site_that_a_key_names_may_ask_with_it(public: Public) -> None:
    await public.share("key")
    site = "https://app.example"
    headers = {"origin": site, "authorization": f"Bearer {public.key(NAME, origins=(site,))}"}
    async with public.guest() as guest:
        answer = await predict(guest, **headers)
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, site)
        assert (await guest.post(RUN, data=filled(), headers=headers)).status_code == 403
    await public.web.app.site.access.keys.settled()


async def test_no_owners_page_or_call_is_there_whoever_asks(public: Public) -> None:
    """Every route of the daemon's own port, with a session, its token and a key that is good."""
    await public.share()
    site = public.web.app.site
    session = {site.access.cookie: site.access.sessions.begin()}
    names = {"slug": "other", "name": "other", "endpoint": "other"}
    with public.web.bench.store.reading() as snapshot:
        before = list(snapshot.models._on.connection.iterdump())
    async with public.guest() as guest:
        guest.cookies.update(session)
        for route in known_routes(site):
            path = route.filled(_AnyName(names))
            answer = await guest.request(
                route.method, path, headers={"x-csrf-token": public.web.csrf}
            )
            assert answer.status_code in (404, 405), f"{route}: {answer.status_code}"
            assert "set-cookie" not in answer.headers
    with public.web.bench.store.reading() as snapshot:
        assert list(snapshot.models._on.connection.iterdump()) == before
    assert public.host.invocations == []


class _AnyName(dict[str, str]):
    """A name for each parameter that a route may come to have."""

    def __missing__(self, _parameter: str) -> str:
        return "other"


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/readyz",
        "/metrics",
        f"/endpoints/{NAME}",
        f"/endpoints/{NAME}/invocations",
        f"/endpoints/{SLUG}/history",
        f"/api/v1/endpoints/{SLUG}",
        f"/api/v1/endpoints/{SLUG}/history",
        f"/api/v1/endpoints/{SLUG}/snippets",
        "/api/v1/endpoints",
        "/api/v1/events",
        "/static/login.js",
        "/static/log-tail.js",
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/static/css/%2e%2e/%2e%2e/rendering.py",
        f"/p/{SLUG}/",
        f"/p/{SLUG.upper()}",
        f"/p/{NAME}",
        f"/p/{SLUG}%00",
        f"/p/{SLUG}%0a",
        f"/p/x%2f..%2f{SLUG}",
        f"/p/..%2fp%2f{SLUG}",
        f"/p/./{SLUG}x",
        f"/p/{SLUG}%20",
        "/p/",
        "/p",
        f"//p/{SLUG}",
        "/p/%ff",
        "/p/\uff54exts-1",
    ],
)
async def test_nothing_else_is_there(public: Public, path: str) -> None:
    await public.share()
    async with public.guest() as guest:
        for method in ("GET", "POST", "PUT", "DELETE", "PATCH"):
            answer = await guest.request(method, path, content=b"{}" if method != "GET" else None)
            assert answer.status_code in (404, 405), f"{method}: {answer.status_code}"
            assert "location" not in answer.headers
    assert public.host.invocations == []


async def test_operations_of_aws_are_not_answered(public: Public) -> None:
    async with public.guest() as guest:
        for operation in ("ListEndpoints", "CreateModel", "DeleteEndpoint", "CreateTrainingJob"):
            headers = {
                "x-amz-target": f"SageMaker.{operation}",
                "authorization": "AWS4-HMAC-SHA256 x",
            }
            assert (await guest.post("/", content=b"{}", headers=headers)).status_code == 405 - 1
        listed = await guest.get("/bucket?list-type=2")
        assert listed.status_code == 404


async def test_every_answer_binds_the_browser(public: Public) -> None:
    await public.share()
    async with public.guest() as guest:
        answers = [await guest.get(path) for path in (*PATHS, "/healthz", "/nothing", "/p/nothing")]
        answers += [await predict(guest), await guest.post(RUN, data=filled())]
    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert "default-src 'self'" in policy or "sandbox" in policy
        assert (answer.headers["x-content-type-options"], answer.headers["cache-control"]) == (
            "nosniff",
            "no-store",
        )


async def test_the_static_files_of_the_page_are_there(public: Public) -> None:
    await public.share("key")
    async with public.guest() as guest:
        page = (await guest.get(PAGE)).text
        named = [*attributes(page, "src"), *attributes(page, "href")]
        files = [each for each in named if each.startswith("/static/")]
        assert len(files) > 5
        for file in [*files, "/static/announce.js", "/static/events.js"]:
            assert (await guest.get(file)).status_code == 200, file


async def test_whatever_a_model_is_called_stays_text(public: Public) -> None:
    public.ship("README.md", f"# {XSS}\n\n{XSS}\n")
    settings = {"features": [{"name": XSS, "default": XSS, "help": XSS, "options": [XSS, "b"]}]}
    public.ship("sagelet-ui.json", json.dumps(settings))
    public.ship("examples/evil.json", json.dumps({XSS: XSS}))
    public.host.line = Answer(
        200, json.dumps({XSS: 0.5, "x": 0.5}).encode(), "application/json", "v", 1
    )
    await public.share()
    async with public.guest() as guest:
        pages = [
            await guest.get(PAGE),
            await guest.post(RUN, data=filled(f'["{XSS}"]'.replace("\"'", ""))),
        ]
        public.host.line = Answer(400, XSS.encode(), "text/html", "v", 1)
        pages.append(await guest.post(RUN, data=filled()))
        answer = await predict(guest)
    for page in pages:
        assert page.status_code == 200
        assert "<script>alert" not in page.text
        assert "<img" not in page.text
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_client_that_asks_for_anything_too_often_waits(public: Public) -> None:
    async with public.guest() as guest:
        statuses = {(await guest.get("/nothing")).status_code for _ in range(620)}
        assert statuses == {404, 429}
        assert (await guest.get("/healthz")).status_code == 200


async def test_too_many_header_fields_are_refused(public: Public) -> None:
    async with public.guest() as guest:
        headers = {f"x-{number}": "1" for number in range(120)}
        assert (await guest.get("/healthz", headers=headers)).status_code == 431


async def test_the_owner_sees_the_same_page_before_others_do(public: Public) -> None:
    await public.share("key", slug="corpus")
    page = await public.web.owner.get("/p/corpus")
    assert page.status_code == 200
    assert "Sign out" not in page.text
    assert texts(page.text, testid="predict-url") == [
        f"POST http://127.0.0.1:7543/api/v1/predict/{NAME}"
    ]
    refused = await public.web.owner.post("/p/corpus/run", data=filled())
    assert refused.status_code == 401
    ran = await public.web.visitor.post(
        "/p/corpus/run", data=filled(**{"api.key": public.key(NAME)})
    )
    assert ran.status_code == 200
    foreign = await public.web.owner.post(
        "/p/corpus/run", data=filled(), headers={"origin": "http://evil.example"}
    )
    assert foreign.status_code == 403
    await public.web.app.site.access.keys.settled()


async def test_an_open_endpoint_answers_programs_of_this_machine_without_a_key(
    public: Public,
) -> None:
    path = f"/api/v1/predict/{NAME}"
    assert (await public.web.visitor.post(path, content=BODY)).status_code == 401
    await public.share(per_minute=1)
    assert (await public.web.visitor.post(path, content=BODY)).status_code == 200
    assert (await public.web.visitor.post(path, content=BODY)).status_code == 429
    await public.share("key")
    assert (await public.web.visitor.post(path, content=BODY)).status_code == 401


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ({"access": "everybody"}, "access is open, key or off"),
        ({"access": "open", "slug": "../x"}, "cannot stand in an address"),
        ({"access": "open", "slug": "A b"}, "cannot stand in an address"),
        ({"access": "open", "slug": 7}, "slug is text"),
        ({"access": "open", "per_minute": 0}, "requests a minute"),
        ({"access": "open", "per_minute": True}, "per_minute is a whole number"),
        ([], "the body is a JSON object"),
    ],
)
async def test_terms_that_make_no_sense_are_refused(
    public: Public, document: object, says: str
) -> None:
    answer = await public.web.owner.put(
        f"/api/v1/publications/{NAME}", json=document, headers={"x-csrf-token": public.web.csrf}
    )
    assert answer.status_code == 400
    assert says in answer.json()["detail"]
    assert public.web.app.site.sharing.all() == ()


async def test_only_the_owner_makes_things_public(public: Public) -> None:
    path = f"/api/v1/publications/{NAME}"
    key = {"x-api-key": public.key(NAME)}
    for client, headers, status in (
        (public.web.visitor, {}, 401),
        (public.web.visitor, key, 403),
        (public.web.owner, {}, 403),
    ):
        answer = await client.put(path, json={"access": "open"}, headers=headers)
        assert answer.status_code == status
        listener = await client.post(
            "/api/v1/public-listener", json={"address": "127.0.0.1:0"}, headers=headers
        )
        assert listener.status_code == status
    # A browser, though it is the owner's, opens no port: that is for a signed request.
    csrf = {"x-csrf-token": public.web.csrf}
    opened = await public.web.owner.post(
        "/api/v1/public-listener", json={"address": "127.0.0.1:0"}, headers=csrf
    )
    assert opened.status_code == 403
    assert public.web.app.site.sharing.all() == ()
    assert public.web.app.site.public.listening is None
    await public.web.app.site.access.keys.settled()


async def test_the_guests_address_counts_and_not_what_it_says(public: Public) -> None:
    await public.share(per_minute=1)
    async with public.guest(GUEST) as guest:
        assert (await predict(guest)).status_code == 200
        for header in ("x-forwarded-for", "forwarded", "x-real-ip", "cf-connecting-ip"):
            assert (await predict(guest, **{header: "1.2.3.4"})).status_code == 429
