from __future__ import annotations

import pytest

from sagelet.cli.comparing import Content, first_difference

JSON, CSV = "application/json", "text/csv"


def difference(wanted: str, found: str, kind: str = JSON, tolerance: float = 1e-4) -> str:
    return first_difference(
        Content(wanted.encode(), kind), Content(found.encode(), kind), tolerance
    )


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ('{"a": [1, 2.0]}', '{ "a" : [1.00001, 2] }'),
        ('{"a": 1, "b": 2}', '{"b": 2, "a": 1}'),
        ("0.0", "1e-9"),
        ("NaN", "NaN"),
        ("[Infinity]", "[Infinity]"),
        ('"text"', '"text"'),
    ],
)
def test_json_that_says_the_same_does_not_differ(wanted: str, found: str) -> None:
    assert difference(wanted, found) == ""


@pytest.mark.parametrize(
    ("wanted", "found", "says"),
    [
        ('{"scores": [0.9, 0.1]}', '{"scores": [0.9, 0.2]}', "$.scores[1]: 0.2 is not 0.1"),
        ('{"a": {"b": 1}}', '{"a": {}}', "$.a.b: is missing"),
        ("{}", '{"a": 1}', "$.a: is new"),
        ("[1, 2]", "[1]", "$: 1 items are not 2"),
        ('["x"]', '["y"]', '$[0]: "y" is not "x"'),
        ("[1]", '["1"]', '$[0]: "1" is not 1'),
        ("[true]", "[1]", "$[0]: 1 is not true"),
        ("null", "0", "$: 0 is not null"),
        ("1.0", "NaN", "$: NaN is not 1.0"),
        ("[1]", "{", "byte 0 differs"),
        (f'"{"a" * 80}"', '""', f'$: "" is not "{"a" * 59}…'),
    ],
)
def test_the_first_difference_of_json_has_its_path(wanted: str, found: str, says: str) -> None:
    assert difference(wanted, found) == says


def test_the_tolerance_is_relative_and_zero_means_equal() -> None:
    assert difference("1000.0", "1000.09") == ""
    assert difference("1000.0", "1000.2") != ""
    assert difference("1000.0", "1000.09", tolerance=0) != ""
    assert difference("0.0", "1e-9", tolerance=0) != ""


@pytest.mark.parametrize(
    ("wanted", "found", "says"),
    [
        ("1,2\n3,4\n", "1.00001,2\n3,4.0\n", ""),
        ("a,2\n", "b,2\n", "row 1, column 1: b is not a"),
        ("1,2\n3,4\n", "1,2\n3,5\n", "row 2, column 2: 5 is not 4"),
        ("1,2\n", "1\n", "row 1: 1 columns are not 2"),
        ("1\n2\n", "1\n", "1 rows are not 2"),
    ],
)
def test_csv_is_compared_cell_by_cell(wanted: str, found: str, says: str) -> None:
    assert difference(wanted, found, CSV) == says


def test_anything_else_is_compared_byte_by_byte() -> None:
    assert difference("abc", "abd", "image/png") == "byte 2 differs"
    assert difference("abc", "ab", "image/png") == "2 bytes are not 3"


def test_parameters_of_a_content_type_do_not_count_and_another_type_does() -> None:
    one, other = Content(b"[1]", JSON), Content(b"[1]", "Application/JSON; charset=utf-8")
    assert first_difference(one, other, 1e-4) == ""
    said = first_difference(one, Content(b"[1]", CSV), 1e-4)
    assert said == "the content type text/csv is not application/json"
