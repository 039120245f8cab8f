"""A payload that a form is made of, and that nobody changes, comes out as it went in."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from sagelet.web.forms.building import built
from sagelet.web.forms.filling import fill
from sagelet.web.forms.form import MODE, Encoding, Form, InferenceSource, SourceKind
from sagelet.web.forms.json_text import loads, parse
from sagelet.web.forms.learning import learned
from sagelet.web.forms.reading import values_of

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.sampled_from(["2026-03-14", "a\r\nb", "a\nb", "x" * 100, "<script>", "\u202eabc", ""])
)
rows = st.lists(st.lists(st.text(), min_size=1, max_size=1), min_size=1, max_size=4)
grids = st.integers(1, 4).flatmap(
    lambda width: st.lists(
        st.lists(st.integers() | st.floats(-1e6, 1e6), min_size=width, max_size=width), min_size=1
    )
)
tables = st.lists(
    st.fixed_dictionaries({"a": st.text(), "b": st.integers()}, optional={"c": scalars}),
    max_size=4,
)
values = st.recursive(
    scalars | rows | grids | tables,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
texts = st.builds(
    lambda value, indent, is_ascii, after: (
        json.dumps(value, indent=indent, ensure_ascii=is_ascii).encode("utf-8", "replace") + after
    ),
    values,
    st.sampled_from([None, 1, 4]),
    st.booleans(),
    st.sampled_from([b"", b"\n"]),
)


def form_for(*bodies: bytes) -> Form:
    parsed = [parse(body.decode()) for body in bodies]
    made = built(learned([each.root for each in parsed]), parsed[0])
    return Form(
        "e",
        made.fields,
        made.shape,
        Encoding.JSON,
        "application/json",
        "application/json",
        InferenceSource(SourceKind.EXAMPLES, ""),
        before=made.before,
        after=made.after,
    )


@settings(max_examples=100)
@given(texts)
def test_an_example_that_nobody_changes_comes_out_byte_by_byte(body: bytes) -> None:
    form = form_for(body)
    assert fill(form, values_of(form)) == body


@settings(max_examples=100)
@given(texts, texts)
def test_any_of_several_examples_comes_out_with_its_values_and_types(
    first: bytes, second: bytes
) -> None:
    form = form_for(first, second)
    for body in (first, second):
        assert loads(fill(form, values_of(form, body)).decode()) == loads(body.decode())


@settings(max_examples=100)
@given(texts, texts)
def test_a_payload_seen_by_other_forms_is_not_changed(one: bytes, other: bytes) -> None:
    form = form_for(one)
    shown = values_of(form, other)
    assert loads(fill(form, shown).decode()) == loads(other.decode())
    assert shown[MODE] in (["form"], ["raw"])
