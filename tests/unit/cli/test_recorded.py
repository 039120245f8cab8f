from __future__ import annotations

from pathlib import Path

import click
import pytest

from sagelet.cli.comparing import Content
from sagelet.cli.recorded import Records, payloads_in, payloads_of


def some(folder: Path, *names: str) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("[]")
    return [folder / name for name in names]


def test_recorded_answers_and_hidden_files_are_no_payloads(tmp_path: Path) -> None:
    some(tmp_path, "b.csv", "a.json", "a.answer.json", ".a.json.swp", "deeper/c.json")
    assert [path.name for path in payloads_in(tmp_path)] == ["a.json", "b.csv"]
    assert payloads_in(tmp_path / "nowhere") == []


def test_payloads_are_named_as_files_and_folders(tmp_path: Path) -> None:
    (one,) = some(tmp_path, "one.json")
    some(tmp_path / "more", "two.json", "three.csv")
    found = payloads_of([one, tmp_path / "more"])
    assert [path.name for path in found] == ["one.json", "three.csv", "two.json"]
    with pytest.raises(click.UsageError, match="nothing at"):
        payloads_of([tmp_path / "four.json"])


def test_an_answer_is_recorded_beside_its_payload_and_found_again(tmp_path: Path) -> None:
    (payload,) = some(tmp_path, "a.json")
    records = Records([payload])
    assert records.find(payload) is None
    file = records.write(payload, Content(b"1,2\n", "text/csv; charset=utf-8"))
    assert file.name == "a.answer.csv"
    assert records.find(payload) == Content(b"1,2\n", "text/csv")


def test_an_answer_of_another_type_takes_the_old_ones_place(tmp_path: Path) -> None:
    (payload,) = some(tmp_path, "a.json")
    records = Records([payload])
    records.write(payload, Content(b"1", "text/csv"))
    records.write(payload, Content(b"[1]", "application/json"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.answer.json", "a.json"]


def test_payloads_that_differ_in_their_suffix_have_answers_of_their_own(tmp_path: Path) -> None:
    payloads = some(tmp_path, "a.json", "a.csv")
    records = Records(payloads)
    names = [records.write(each, Content(b"[]", "application/json")).name for each in payloads]
    assert names == ["a.json.answer.json", "a.csv.answer.json"]


def test_two_recorded_answers_of_a_payload_are_a_mistake(tmp_path: Path) -> None:
    (payload, *_) = some(tmp_path, "a.json", "a.answer.json", "a.answer.csv")
    with pytest.raises(click.UsageError, match=r"a\.answer\.csv, a\.answer\.json"):
        Records([payload]).find(payload)


def test_an_unknown_type_is_kept_as_bytes(tmp_path: Path) -> None:
    (payload,) = some(tmp_path, "a.json")
    records = Records([payload])
    answer = Content(b"\0", "application/x-own")
    records.write(payload, answer)
    assert records.find(payload) == records.as_recorded(answer)
