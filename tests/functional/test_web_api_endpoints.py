"""What the JSON API tells of endpoints, jobs and calls, and what it describes for programs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import validate

from sagelet.domain.facts import EditProblem, EndpointFacts, VariantFacts
from sagelet.domain.hosting import EndpointStatus
from sagelet.domain.invocation import Answer, Invocation, Timing
from sagelet.hosting.call_history import Made
from sagelet.web.api.statuses import ERRORS
from tests.web_bench import ADDRESS, WebBench, a_web_bench

BASE = "/api/v1/endpoints/sentiment"
AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def facts_of(*variants: str) -> EndpointFacts:
    return EndpointFacts(
        "sentiment",
        tuple(
            VariantFacts(name, 3, "sane", is_parked=False, waiting=0, workers=(), started_at=AT)
            for name in variants
        ),
        None,
    )


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[WebBench]:
    async with a_web_bench(tmp_path) as bench:
        await bench.bench.create_endpoint("sentiment", EndpointStatus.IN_SERVICE)
        bench.bench.host.known["sentiment"] = facts_of("AllTraffic")
        yield bench


async def document(web: WebBench, path: str) -> Any:  # noqa: ANN401  any JSON
    answer = await web.owner.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


def called(web: WebBench, body: bytes = b'{"text": "a"}', answer: bytes = b"{}") -> None:
    """Put a call into the history."""
    invocation = Invocation("sentiment", body, "application/json")
    answered = Answer(200, answer, "application/json", "v", 1, timing=Timing(0.1, {}, 0.2))
    web.history.record([Made(invocation, answered, AT)])


async def test_endpoints_are_listed_with_where_they_are_asked(web: WebBench) -> None:
    listed = await document(web, "/api/v1/endpoints")
    assert listed["next"] is None
    (endpoint,) = listed["endpoints"]
    assert (endpoint["name"], endpoint["status"]) == ("sentiment", "InService")
    assert endpoint["predict_url"] == "http://127.0.0.1:7543/api/v1/predict/sentiment"
    assert endpoint["facts"]["variants"][0]["started_at"] == "2026-01-02T03:04:05+00:00"


async def test_what_is_no_text_can_be_told_of(web: WebBench) -> None:
    problem = EditProblem("KeyError: '\udcff'", "\udcff.py:1", "Traceback: \ud800")
    known = facts_of("AllTraffic")
    bad = replace(known, variants=(replace(known.variants[0], problem=problem),))
    web.bench.host.known["sentiment"] = bad
    (variant,) = (await document(web, BASE))["variants"]
    assert variant["problem"]["where"] == "?.py:1"


async def test_a_long_list_comes_in_pages(web: WebBench) -> None:
    await web.bench.ask("CreateEndpoint", EndpointName="b", EndpointConfigName="sentiment-1")
    first = await document(web, "/api/v1/endpoints?limit=1")
    second = await document(web, f"/api/v1/endpoints?limit=1&next={first['next']}")
    names = [each["name"] for page in (first, second) for each in page["endpoints"]]
    assert sorted(names) == ["b", "sentiment"]
    for limit in ("0", "101", "x", "-1"):
        assert (await web.owner.get(f"/api/v1/endpoints?limit={limit}")).status_code == 400


async def test_jobs_are_listed_and_told_of(web: WebBench) -> None:
    await web.bench.create_job("train-1")
    listed = await document(web, "/api/v1/jobs")
    assert [each["name"] for each in listed["jobs"]] == ["train-1"]
    job = await document(web, "/api/v1/jobs/Train-1")
    assert (job["name"], job["status"]) == ("train-1", "InProgress")
    assert job["log"] == {"group": "/aws/sagemaker/TrainingJobs", "prefix": "train-1/"}
    assert job["document"]["TrainingJobName"] == "train-1"
    assert (await web.owner.get("/api/v1/jobs/none")).status_code == 404


async def test_the_history_is_told_from_the_newest_call_on(web: WebBench) -> None:
    for text in ("one", "two", "three"):
        called(web, text.encode())
    first = await document(web, f"{BASE}/history?limit=2")
    assert first["is_on"] is True
    assert [each["preview"] for each in first["calls"]] == ["three", "two"]
    second = await document(web, f"{BASE}/history?limit=2&before={first['next']}")
    assert ([each["preview"] for each in second["calls"]], second["next"]) == (["one"], None)


async def test_one_call_is_told_with_its_bodies(web: WebBench) -> None:
    called(web, b'{"x": 1}', b"\xff\x00")
    (summary,) = (await document(web, f"{BASE}/history"))["calls"]
    call = await document(web, f"{BASE}/history/{summary['id']}")
    assert call["body"] == {"text": '{"x": 1}'}
    assert call["answer_body"] == {"base64": "/wA="}
    missing = await web.owner.get(f"{BASE}/history/01ARZ3NDEKTSV4RRFFQ69G5FAV")
    assert missing.status_code == 404


@pytest.mark.parametrize("path", ["history", "metrics", "schema", "examples", "openapi.json"])
async def test_what_is_not_there_is_not_found(web: WebBench, path: str) -> None:
    assert (await web.owner.get(f"/api/v1/endpoints/other/{path}")).status_code == 404


async def test_metrics_have_a_range_and_variants(web: WebBench) -> None:
    told = await document(web, f"{BASE}/metrics?minutes=1440")
    assert told["period_s"] == 720
    assert [each["variant"] for each in told["variants"]] == ["AllTraffic"]
    assert {"invocations", "errors_4xx", "errors_5xx"} <= set(told["variants"][0]["series"])
    assert (await web.owner.get(f"{BASE}/metrics?minutes=0")).status_code == 400


async def test_an_endpoint_that_does_not_serve_has_no_metrics(web: WebBench) -> None:
    web.bench.host.known.clear()
    assert (await document(web, f"{BASE}/metrics"))["variants"] == []


async def test_openapi_is_valid_and_complete(web: WebBench) -> None:
    called(web, b'{"text": "some words", "limit": 3}')
    web.bench.host.known["sentiment"] = facts_of("blue", "green")
    described = await document(web, f"{BASE}/openapi.json")
    validate(described)
    post = described["paths"]["/api/v1/predict/sentiment"]["post"]
    assert described["servers"] == [{"url": "http://127.0.0.1:7543"}]
    assert post["parameters"][0]["schema"]["enum"] == ["blue", "green"]
    assert set(post["responses"]) == {"200", *(str(each.code) for each in ERRORS)}
    assert "application/json" in post["requestBody"]["content"]


async def test_what_others_sent_is_not_for_key_holders(web: WebBench) -> None:
    called(web, b'{"secretive": "payload"}')
    key = web.app.site.access.keys.create("program")[1]
    headers = {"authorization": f"Bearer {key}"}
    for path in ("schema", "examples", "openapi.json"):
        assert "secretive" in (await web.owner.get(f"{BASE}/{path}")).text
        answer = await web.visitor.get(f"{BASE}/{path}", headers=headers)
        assert answer.status_code == 200
        assert "secretive" not in answer.text
        assert (await web.visitor.get(f"{BASE}/{path}")).status_code == 401


async def test_snippets_are_written_for_the_body_that_is_sent(web: WebBench) -> None:
    sent = {"x-csrf-token": web.csrf, "content-type": "text/csv"}
    path = f"{BASE}/snippets?accept=application/json&variant=green"
    told = (await web.owner.post(path, content=b"1,it's", headers=sent)).json()
    assert told["file"] is None
    curl = told["snippets"][0]
    assert (curl["key"], curl["language"]) == ("curl", "sh")
    assert "--data-raw '1,it'\\''s'" in curl["code"]
    assert "'X-Amzn-SageMaker-Target-Variant: green'" in curl["code"]
    binary = (await web.owner.post(path, content=b"\xff", headers=sent)).json()
    assert binary["file"] == "payload.csv"
    assert len(binary["snippets"]) == len(told["snippets"])
    assert (await web.owner.post(path, content=b"1")).status_code == 403
    named = await web.owner.post(path.replace("sentiment", "SENTIMENT"), content=b"1", headers=sent)
    assert f" {ADDRESS}/api/v1/predict/sentiment " in named.json()["snippets"][0]["code"]
    for odd in ("not-there", "%3Brm%20-rf%20~"):
        gone = await web.owner.post(f"/api/v1/endpoints/{odd}/snippets", headers=sent)
        assert gone.status_code in (400, 404)
