"""The form of an endpoint as the web app asks for it: from its folder, its calls, or nothing."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sagelet.domain.facts import EndpointFacts, VariantFacts
from sagelet.domain.hosting import EndpointStatus
from sagelet.domain.invocation import Answer, Invocation
from sagelet.errors import EndpointNotFound
from sagelet.hosting.call_history import Made
from sagelet.web.forms import about, fill, form_of, values_of
from tests.form_models import a_folder
from tests.web_bench import WebBench, a_web_bench

NAME = "sentiment"


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[WebBench]:
    async with a_web_bench(tmp_path / "daemon") as bench:
        await bench.bench.create_endpoint(NAME, EndpointStatus.IN_SERVICE)
        yield bench


def serve(web: WebBench, folder: Path, files: dict[str, str | bytes]) -> Path:
    """Have the endpoint serve a folder with these files."""
    a_folder(folder, files)
    host = web.bench.host
    variant = VariantFacts("AllTraffic", 1, "sane", False, 0, ())
    host.known[NAME] = EndpointFacts(NAME, (variant,), None)
    host.folders[NAME] = folder
    return folder


async def test_an_endpoint_that_is_not_there_has_no_form(web: WebBench) -> None:
    with pytest.raises(EndpointNotFound):
        await form_of(web.app.site.backend, "nobody")


async def test_an_endpoint_that_does_not_serve_has_a_free_form(web: WebBench) -> None:
    form = await form_of(web.app.site.backend, NAME)
    assert (form.source.kind, form.fields) == ("free", ())
    assert "does not serve" in form.source.problems[0]


async def test_the_form_follows_the_files_of_the_folder(web: WebBench, tmp_path: Path) -> None:
    backend = web.app.site.backend
    folder = serve(web, tmp_path / "model", {"code/examples/a.json": '{"a": 1}'})
    assert [field.key for field in (await form_of(backend, NAME)).fields] == ["f.a"]
    example = folder / "code/examples/a.json"
    example.write_text('{"b": 2}')
    os.utime(example, ns=(1, 1))
    assert [field.key for field in (await form_of(backend, NAME)).fields] == ["f.b"]
    (folder / "code/sagelet-ui.json").write_text('{"ui": {"title": "Kinds"}}')
    assert (await form_of(backend, NAME)).title == "Kinds"
    assert (await about(backend, NAME)).title == "Kinds"


async def test_what_is_in_our_home_came_from_an_archive_and_stays_in_it(
    web: WebBench, tmp_path: Path
) -> None:
    (tmp_path / "secret.json").write_text("[1]")
    home = web.app.site.backend.home.root
    folder = serve(web, home / "endpoints/1/ml/model", {"examples/own.json": "[2]"})
    (folder / "examples/stolen.json").symlink_to(tmp_path / "secret.json")
    form = await form_of(web.app.site.backend, NAME)
    assert [each.name for each in form.examples] == ["own"]


async def test_calls_that_were_answered_make_a_form_where_no_file_does(
    web: WebBench, tmp_path: Path
) -> None:
    backend = web.app.site.backend
    serve(web, tmp_path / "model", {"model.pth": "weights"})
    answer = Answer(200, b"{}", "application/json", "AllTraffic", 1)
    failed = Answer(400, b"{}", "application/json", "AllTraffic", 1)
    for body, said in ((b'{"age": 3}', answer), (b'{"age": 4}', answer), (b"[1]", failed)):
        asked = Invocation(NAME, body, "application/json")
        web.history.record([Made(asked, said, datetime(2026, 3, 14, tzinfo=UTC))])
    form = await form_of(backend, NAME)
    assert form.source.text == "inferred from 2 recent calls"
    assert [field.key for field in form.fields] == ["f.age"]


async def test_the_page_has_the_form_and_runs_what_is_filled_in(
    web: WebBench, tmp_path: Path
) -> None:
    files: dict[str, str | bytes] = {"code/examples/a.json": '[["x"], ["y"]]'}
    serve(web, tmp_path / "model", files)
    page = await web.owner.get(f"/endpoints/{NAME}")
    assert 'name="f.inputs[].text"' in page.text
    fields = {
        "csrf": web.csrf,
        "f.inputs[].text": ["one", "two"],
        "f.inputs[].text+": ["", "three"],
        "body.mode": "form",
        "content_type": "application/json",
        "accept": "application/json",
    }
    answer = await web.owner.post(f"/endpoints/{NAME}/run", data=fields)
    assert answer.status_code == 200
    assert json.loads(web.bench.host.invocations[-1].body) == [["one"], ["two"], ["three"]]


async def test_a_mistake_is_shown_at_its_field_and_nothing_runs(
    web: WebBench, tmp_path: Path
) -> None:
    serve(web, tmp_path / "model", {"code/examples/a.json": '{"age": 3}'})
    fields = {"csrf": web.csrf, "f.age": "old", "body.mode": "form"}
    answer = await web.owner.post(f"/endpoints/{NAME}/run", data=fields)
    assert answer.status_code == 422
    assert 'id="field-1-error"' in answer.text
    assert 'value="old"' in answer.text
    assert web.bench.host.invocations == []


async def test_every_example_can_be_chosen(web: WebBench, tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "examples/a.json": '{"a": 1}',
        "examples/b.json": '{"a": 22}',
        "examples/other.csv": "1,2\n",
    }
    serve(web, tmp_path / "model", files)
    form = await form_of(web.app.site.backend, NAME)
    for example in form.examples:
        assert fill(form, values_of(form, example.body)) == example.body
