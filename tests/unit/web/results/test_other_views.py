"""Tables, numbers, pictures, labelled parts, objects, and what is none of these."""

from __future__ import annotations

import base64
import json
import math
from typing import get_args

import pytest

from sagelet.environments.ui_settings import Renderer
from sagelet.web.results.bars import Bars
from sagelet.web.results.chain import BY_NAME, view_of
from sagelet.web.results.inputs import sent_rows
from sagelet.web.results.matrix import Matrix, Summary
from sagelet.web.results.output import output_of
from sagelet.web.results.pictures import Picture
from sagelet.web.results.rows import PairTable, Rows
from sagelet.web.results.scalars import Figure, Text
from sagelet.web.results.sections import Sections
from sagelet.web.results.spans import Spans
from sagelet.web.results.table import MOST_ROWS, Table, csv_of
from sagelet.web.results.tree import MOST_NODES, Node, Tree
from sagelet.web.results.values import Exact

PNG = base64.b64encode(
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00"
).decode()


def test_objects_with_the_same_members_are_a_table() -> None:
    view = view_of([{"a": 1, "b": "x"}, {"a": 2.5, "c": None}, {"a": 3, "b": "y"}])
    assert isinstance(view, Table)
    assert view.columns == ("a", "b", "c")
    assert [[cell.text for cell in row] for row in view.rows] == [
        ["1", "x", ""],
        ["2.5", "", "null"],
        ["3", "y", ""],
    ]


def test_columns_of_one_length_are_a_table() -> None:
    view = view_of({"name": ["a", "b"], "size": [1, 2]})
    assert isinstance(view, Table)
    assert [[cell.text for cell in row] for row in view.rows] == [["a", "1"], ["b", "2"]]


def test_a_long_table_shows_its_beginning_and_its_file_has_all() -> None:
    rows = [{"n": n, "text": f"line {n}"} for n in range(1000)]
    view = view_of(rows)
    assert isinstance(view, Table)
    assert (len(view.rows), view.more) == (MOST_ROWS, 1000 - MOST_ROWS)
    file = csv_of(rows)
    assert file is not None
    assert len(file.splitlines()) == 1001


def test_a_matrix_is_a_heat_map_with_its_numbers() -> None:
    view = view_of([[0, 1], [2, math.nan]])
    assert isinstance(view, Matrix)
    assert [[(cell.text, cell.heat) for cell in row] for row in view.rows] == [
        [("0", 1), ("1", 5)],
        [("2", 8), ("NaN", 0)],
    ]
    assert (view.facts.least, view.facts.most, view.facts.mean, view.facts.odd) == (
        "0",
        "2",
        "1",
        1,
    )


def test_many_numbers_are_told_by_their_shape() -> None:
    view = view_of([[float(n)] * 65 for n in range(3)])
    assert isinstance(view, Summary)
    assert (view.facts.shape, view.facts.mean) == ((3, 65), "1")
    deep = view_of([[[1, 2], [3, 4]]])
    assert isinstance(deep, Summary)
    assert deep.facts.shape == (1, 2, 2)


def test_numbers_near_the_end_of_the_range_make_a_heat_map_too() -> None:
    view = view_of([[1.7e308, -1.7e308], [10**400, 5]])
    assert isinstance(view, Matrix)
    assert view.rows[1][0].heat == 0


@pytest.mark.parametrize("text", [PNG, f"data:image/png;base64,{PNG}"])
def test_a_picture_in_base64_is_shown(text: str) -> None:
    view = view_of(text)
    assert isinstance(view, Picture)
    assert view.address == f"data:image/png;base64,{PNG}"


@pytest.mark.parametrize(
    "text",
    [
        f"data:image/svg+xml;base64,{PNG}",
        f"data:text/html;base64,{PNG}",
        f"{PNG[:40]} onerror=alert(1) {PNG[40:]}",
        "iVBORw0KGgo" + "!" * 40,
    ],
)
def test_what_only_begins_as_a_picture_is_a_text(text: str) -> None:
    assert isinstance(view_of(text), Text)


def test_labels_of_parts_are_shown_in_the_text() -> None:
    sent = sent_rows(b'{"inputs": "Ada was in Paris"}', "application/json")
    found = [
        {"entity_group": "PER", "score": 0.99, "start": 0, "end": 3},
        {"entity_group": "LOC", "score": 0.98, "start": 11, "end": 16},
        {"entity_group": "X", "start": 12, "end": 14},
    ]
    view = view_of(found, sent)
    assert isinstance(view, Spans)
    assert [(each.text, each.label, each.share) for each in view.pieces] == [
        ("Ada", "PER", "99 %"),
        (" was in ", "", ""),
        ("Paris", "LOC", "98 %"),
    ]
    assert [(each.text, each.label) for each in view.apart] == [("ar", "X")]


def test_parts_that_are_not_in_the_text_are_a_table() -> None:
    sent = sent_rows(b'"short"', "application/json")
    assert isinstance(view_of([{"label": "A", "start": 2, "end": 99}] * 2, sent), Table)


def test_a_number_for_each_input_stands_beside_it() -> None:
    view = view_of([1.5, "two"], sent_rows(b'[["a"], ["b"]]', "application/json"))
    assert isinstance(view, PairTable)
    assert [(each.sent.shown, each.text) for each in view.pairs] == [("a", "1.5"), ("b", "two")]


def test_lines_of_csv_stand_beside_their_results_as_they_were_sent() -> None:
    view = view_of([6.0, 15.0], sent_rows(b"1,2,3\n4,x y,6\n", "text/csv"))
    assert isinstance(view, PairTable)
    assert [each.sent.shown for each in view.pairs] == ["1, 2, 3", "4, x y, 6"]
    assert {each.sent.text for each in view.pairs} == {None}


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"instances": [["a"], ["b"]]}', "application/json"),
        (b'{"inputs": ["a", "b"], "parameters": {"k": 1}}', "application/json"),
        (b"a\nb\n", "text/csv"),
        (b'"a"\n"b"\n', "application/jsonlines"),
    ],
)
def test_inputs_are_found_in_every_envelope(body: bytes, kind: str) -> None:
    view = view_of([{"x": {"y": 0.5, "z": 0.5}}] * 2, sent_rows(body, kind))
    assert isinstance(view, Rows)
    assert [card.sent.text for card in view.cards if card.sent] == ["a", "b"]


def test_an_objects_plain_members_come_first_and_the_others_by_name() -> None:
    view = view_of({"version": 3, "labels": {"a": 0.5, "b": 0.5}, "note": "fine"})
    assert isinstance(view, Sections)
    assert view.facts == (("version", "3"), ("note", "fine"))
    assert [section.name for section in view.sections] == ["labels"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3.5, "3.5"),
        (True, "true"),
        (None, "null"),
        (math.nan, "NaN"),
        (-math.inf, "-Infinity"),
        (12345678901234567890123, "12345678901234567890123"),
        (Exact("1e999"), "1e999"),
    ],
)
def test_a_value_alone_is_shown_exactly(value: object, text: str) -> None:
    assert view_of(value) == Figure(text)


def test_a_text_is_cut_where_a_page_ends() -> None:
    view = view_of("x" * 1_000_000)
    assert isinstance(view, Text)
    assert len(view.text) + view.more == 1_000_000


def test_a_tree_is_bounded_and_counts_what_it_leaves_out() -> None:
    view = view_of([[{"deep": [n, "x"]}] for n in range(100_000)])
    assert isinstance(view, Tree)
    assert view.is_cut
    assert (view.root.count, view.root.more) == (100_000, 100_000 - len(view.root.children))
    assert nodes(view.root) <= MOST_NODES


def test_paths_are_as_people_write_them() -> None:
    view = view_of({"a key": [{"b": [1, "x"]}, 2]})
    assert isinstance(view, Tree)
    leaf = view.root.children[0].children[0].children[0].children[1]
    assert leaf.place == '$["a key"][0].b[1]'


def nodes(node: Node) -> int:
    return 1 + sum(map(nodes, node.children))


def test_what_is_nested_hundreds_of_levels_deep_is_cut() -> None:
    value = json.loads("[" * 400 + "1, [2]" + "]" * 400)
    assert isinstance(view_of(value), Tree)


def test_one_rich_result_of_an_unknown_input_is_a_card() -> None:
    rows = view_of([{"probabilities": {"World": 0.25, "Sports": 0.75}}])
    assert isinstance(rows, Rows)
    assert not isinstance(view_of([{"a": {}}]), Rows)


def test_what_the_models_owner_says_of_answers_is_followed() -> None:
    labels = output_of({"labels": ["cat", "dog"]})
    bars = view_of([0.25, 0.5], output=labels)
    assert isinstance(bars, Bars)
    assert [(each.label, each.share) for each in bars.shown] == [("dog", "50 %"), ("cat", "25 %")]
    logits = view_of([-1.0, 3.0], output=labels)
    assert isinstance(logits, Bars)
    assert [each.label for each in logits.softmax] == ["dog", "cat"]
    rows = view_of([[0.25, 0.75], [1.0, 0.0]], output=labels)
    assert isinstance(rows, Rows)
    assert all(isinstance(card.view, Bars) for card in rows.cards)
    assert view_of(21.5, output=output_of({"unit": "°C"})) == Figure("21.5", "°C")


@pytest.mark.parametrize(
    ("renderer", "value", "kind"),
    [
        ("tree", {"a": 0.5, "b": 0.5}, Tree),
        ("matrix", [0.25, 0.75], Matrix),
        ("table", [{"label": "a", "score": 0.5}], Table),
        ("table", 3, Figure),
        ("unknown", 3, Figure),
    ],
)
def test_a_preferred_view_is_taken_where_it_fits(renderer: str, value: object, kind: type) -> None:
    assert isinstance(view_of(value, output=output_of({"renderer": renderer})), kind)


def test_every_renderer_of_the_configuration_is_known() -> None:
    assert {*BY_NAME} == {*get_args(Renderer)}
