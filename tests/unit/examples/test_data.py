"""Where the rows come from and how they are split."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest

from text_classification import data
from text_classification.data import DataError, Row


def test_a_file_with_another_hash_is_refused(tmp_path: Path) -> None:
    (tmp_path / data.ARCHIVE).write_bytes(b"not the archive")
    with pytest.raises(DataError, match="is not the file we know"):
        data.load(tmp_path)


def test_a_csv_may_have_its_columns_in_any_order(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text('label,number,text\nA,1,"one, two"\nB,2,"three\nfour"\n,3,lost\n', "utf-8-sig")
    assert data.load(url=str(path)) == [Row("one, two", "A"), Row("three\nfour", "B")]


def test_a_csv_without_the_columns_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("title,label\nx,y\n")
    with pytest.raises(DataError, match=r"no column text: \['title', 'label'\]"):
        data.load(url=str(path))


def test_a_split_is_stratified_and_takes_each_row_once() -> None:
    rows = [Row(f"text {number}", "AB"[number % 4 == 0]) for number in range(400)]
    parts = data.split(rows)
    assert sorted(parts.train + parts.validation + parts.test) == sorted(rows)
    assert Counter(row.label for row in parts.test) == {"A": 30, "B": 10}
    assert Counter(row.label for row in parts.validation) == {"A": 30, "B": 10}


def test_a_split_does_not_depend_on_the_order_of_the_rows() -> None:
    rows = [Row(f"text {number}", "AB"[number % 2]) for number in range(100)]
    shuffled = random.Random(1).sample(rows, len(rows))
    assert data.split(shuffled) == data.split(rows)


def test_texts_that_read_the_same_are_one_row() -> None:
    rows = [Row("Good!", "A"), Row("good", "A"), Row("x", "A"), Row("y", "A")]
    rows += [Row(text, "B") for text in ("good", "z", "w")]
    parts = data.split(rows)
    assert Counter(row.label for part in parts for row in part) == {"A": 3, "B": 3}


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([Row("a", "A"), Row("b", "A"), Row("c", "A")], "two classes or more"),
        ([Row(text, "A") for text in "abc"] + [Row("x", "B")], "'B' needs three different texts"),
    ],
)
def test_data_that_cannot_be_split_are_refused(rows: list[Row], message: str) -> None:
    with pytest.raises(DataError, match=message):
        data.split(rows)
