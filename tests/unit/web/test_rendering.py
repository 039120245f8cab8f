"""Pages and single blocks of them, rendered from templates in memory."""

from __future__ import annotations

from typing import Any

import pytest
from jinja2 import ChoiceLoader, DictLoader
from starlette.requests import Request

from sagelet.web.access.principals import Owner
from sagelet.web.faults import Refused
from sagelet.web.rendering import Rendering

TEMPLATES = {
    "frame.html": "<html>{% block head %}head of {{ name }}{% endblock %}"
    "{% block tab %}{% endblock %}",
    "tab.html": "{% extends 'frame.html' %}{% block tab %}<b>{% block inner scoped %}{{ name }}"
    "{% endblock %}</b>{% endblock %}",
    "leaf.html": "{% extends 'tab.html' %}{% block inner %}leaf: {{ super() }}{% endblock %}",
    "pilled.html": "{% block only %}{{ ui.pill('InService') }}{% endblock %}",
}


@pytest.fixture
def rendering() -> Rendering:
    rendering = Rendering()
    environment = rendering.environment
    assert environment.loader is not None
    environment.loader = ChoiceLoader([DictLoader(TEMPLATES), environment.loader])
    return rendering


def a_request(fragment: str | None = None) -> Request:
    headers = [] if fragment is None else [(b"x-fragment", fragment.encode())]
    scope: dict[str, Any] = {
        "type": "http",
        "method": "GET",
        "path": "/",
        "headers": headers,
        "state": {"principal": Owner(csrf="token")},
    }
    return Request(scope)


def text(rendering: Rendering, template: str, fragment: str | None) -> str:
    answer = rendering.page(a_request(fragment), template, name="<x>")
    return bytes(answer.body).decode()


def test_a_page_is_rendered_whole_and_escaped(rendering: Rendering) -> None:
    assert text(rendering, "leaf.html", None) == "<html>head of &lt;x&gt;<b>leaf: &lt;x&gt;</b>"


def test_a_block_of_a_template_that_the_page_extends_comes_alone(rendering: Rendering) -> None:
    assert text(rendering, "leaf.html", "head") == "head of &lt;x&gt;"


def test_a_block_has_what_the_page_puts_into_it(rendering: Rendering) -> None:
    assert text(rendering, "leaf.html", "tab") == "<b>leaf: &lt;x&gt;</b>"
    assert text(rendering, "leaf.html", "inner") == "leaf: &lt;x&gt;"


def test_a_block_may_use_the_macros(rendering: Rendering) -> None:
    assert 'data-status="InService"' in text(rendering, "pilled.html", "only")


def test_a_block_that_there_is_not_is_refused_but_an_errors_page_is_shown(
    rendering: Rendering,
) -> None:
    with pytest.raises(Refused, match="no block 'nope'"):
        text(rendering, "tab.html", "nope")
    answer = rendering.page(a_request("nope"), "tab.html", 404, name="x")
    assert (answer.status_code, bytes(answer.body)[:6]) == (404, b"<html>")
