"""Whatever a model answers: it is shown in bounded time, and no markup of its own gets through."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sagelet.domain.invocation import Timing
from sagelet.web.rendering import Rendering
from sagelet.web.results.result import Result, result_of
from sagelet.web.runs import Payload, Run

AT = datetime(2026, 1, 2, tzinfo=UTC)
EVIL = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)',
    "' autofocus onfocus='alert(1)",
    "</pre></details><svg onload=alert(1)>",
    "javascript:alert(1)",
    "{{ 7 * 7 }}{% raw %}",
    "<!--",
    "]]>",
    "</script><script>alert(1)//",
    "\u202eevil\u2066",
    "\x00\x1b[31m\x1b]0;title\x07",
    "&lt;script&gt;",
    "data:text/html;base64,PHNjcmlwdD4=",
)
ALLOWED = frozenset(
    "section div p h2 h3 h4 span pre details summary table caption thead tbody tr th td dl dt dd "  # noqa: SIM905
    "ol ul li a svg rect data mark small strong bdi figure figcaption img audio video code button "
    "sortable-table json-tree br link".split()
)
RENDERING = Rendering().environment
MACROS = RENDERING.get_template("_macros.html.j2").make_module({"csrf": "", "path": ""})

keys = st.one_of(
    st.sampled_from([*EVIL, "top_n_grams", "labels", "scores", "label", "score", "start", "end"]),
    st.text(max_size=8),
)
leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.floats(0, 1),
    st.text(max_size=20),
    st.sampled_from(EVIL),
)
values = st.recursive(
    leaves,
    lambda inner: st.one_of(st.lists(inner, max_size=5), st.dictionaries(keys, inner, max_size=5)),
    max_leaves=25,
)


class Markup(HTMLParser):
    """Fails on every element and attribute that is none of our templates' own."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in ALLOWED, tag
        for name, value in attrs:
            assert not name.startswith("on"), name
            assert name not in ("style", "srcdoc", "formaction", "autofocus"), name
            if name in ("href", "src"):
                assert (value or "").startswith(("/endpoints/", "/static/", "data:image/")), value
        if tag not in ("br", "img", "rect", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag != "rect":
            assert self.open.pop() == tag

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)


def rendered(result: Result) -> str:
    template = RENDERING.get_template("results/_result.html.j2")
    page = template.render(result=result, logs="/endpoints/e/logs", ui=MACROS)
    page.encode()
    return page


def checked(page: str) -> str:
    markup = Markup()
    markup.feed(page)
    markup.close()
    assert markup.open == []
    return page


def a_run(
    body: bytes, kind: str | None = "application/json", sent: bytes = b"[]", status: int = 200
) -> Run:
    return Run(
        "01ARZ3NDEKTSV4RRFFQ69G5FAV",
        "e",
        AT,
        Payload(sent, "application/json"),
        status,
        body,
        kind,
        headers={"x-evil": EVIL[0]},
        timing=Timing(1, {EVIL[1]: 2}, 4),
        handler=EVIL[2],
        where=f"/home/{EVIL[0]}.py:3",
        lines=EVIL,
    )


def page_of(run: Run, previous: Run | None = None) -> str:
    return checked(rendered(result_of(run, previous=previous, address="/endpoints/e/runs/1")))


@settings(max_examples=300, deadline=None)
@given(values, values)
@example({"a": float("nan")}, [])
@example([{"label": EVIL[0], "score": 0.5}, {"label": EVIL[1], "score": 0.5}], [[EVIL[0]]])
@example([{"entity": EVIL[0], "start": 0, "end": 3}], EVIL[0])
@example([{"top_n_grams": {EVIL[0]: EVIL[1], "2": EVIL[0]}}], [[EVIL[0]]])
@example({"a": [10**400, 1.5]}, [])
def test_any_value_is_shown_without_markup_of_its_own(value: object, sent: object) -> None:
    body, payload = json.dumps(value).encode(), json.dumps(sent).encode()
    page_of(a_run(body, sent=payload), previous=a_run(payload, sent=payload))


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200), st.sampled_from((None, "", "text/csv", "application/x-npy", *EVIL)))
def test_any_bytes_of_any_type_are_shown(body: bytes, kind: str | None) -> None:
    page_of(a_run(body, kind))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.one_of(st.sampled_from(EVIL), st.text(max_size=60)), max_size=6))
def test_any_error_is_shown(said: list[str]) -> None:
    lines = "\n".join(f'  File "{text}", line 3, in {text}\n    {text}' for text in said)
    body = f"{said}\nTraceback (most recent call last):\n{lines}".encode("utf-8", "replace")
    page_of(a_run(body, "text/plain", status=500))


@settings(max_examples=100, deadline=None)
@given(values, values)
def test_the_same_answer_always_gives_the_same_page(value: object, sent: object) -> None:
    run = a_run(json.dumps(value).encode(), sent=json.dumps(sent).encode())
    assert rendered(result_of(run)) == rendered(result_of(run))


def test_a_visitor_sees_that_a_model_failed_and_nothing_of_its_code() -> None:
    said = b'secret.csv\nTraceback (most recent call last):\n  File "/home/me/serve.py", line 1\n'
    page = checked(rendered(result_of(a_run(said, status=500), is_owners=False)))
    for text in ("secret", "/home", "Traceback", "x-evil", "[31m", "alert(1)"):
        assert text not in page, text
    assert "could not make anything" in page


@pytest.mark.parametrize("text", EVIL)
def test_text_of_others_stays_text(text: str) -> None:
    page = page_of(a_run(json.dumps({"word": text, "p": {text: 0.4, "b": 0.6}}).encode()))
    assert "<script" not in page


_INNER = {f"inner {m}": {"x": [0.5, 0.5], "y": "z" * 50} for m in range(60)}
WIDE = {f"key {n}": _INNER for n in range(60)}


@pytest.mark.parametrize(
    "value",
    [
        [{"label": f"l{n}", "score": 0.5} for n in range(60_000)],
        [[{f"l{m}": 0.005 for m in range(200)}] for _ in range(500)],
        [{"probabilities": {f"l{m}": 0.005 for m in range(200)}} for _ in range(500)],
        [{"m": [[0.5] * 64] * 64, "n": n} for n in range(60)],
        [{"text": "x" * 60_000, "list": [1]} for _ in range(80)],
        WIDE,
        {str(n): n for n in range(300_000)},
        "x" * 5_000_000,
        [list(range(40))] * 20_000,
    ],
    ids=("labels", "rows", "members", "matrices", "texts", "wide", "keys", "text", "numbers"),
)
def test_five_megabytes_are_shown_in_a_bounded_time_and_page(value: object) -> None:
    run = a_run(json.dumps(value).encode())
    began = time.thread_time()
    page = rendered(result_of(run, previous=a_run(b"{}")))
    took_s = time.thread_time() - began
    assert len(page) < 4_000_000
    assert took_s < 5, took_s
