from __future__ import annotations

from pathlib import Path

import pytest

from sagelet.environments.yaml_document import Document, read_document
from sagelet.errors import BadConfig


def document(tmp_path: Path, text: str) -> Document:
    file = tmp_path / "config.yml"
    file.write_text(text, encoding="utf-8")
    return read_document(file)


def test_the_line_of_a_merged_key_is_the_anchors(tmp_path: Path) -> None:
    read = document(
        tmp_path,
        "environments:\n  default: &d\n    model_name: m\n  local:\n    <<: *d\n    threads: 2\n",
    )
    assert read.data["environments"]["local"] == {"model_name": "m", "threads": 2}
    assert read.line_of(("environments", "local", "model_name")) == 3
    assert read.line_of(("environments", "local", "threads")) == 6


def test_a_merged_key_may_be_overridden_and_by_several_environments(tmp_path: Path) -> None:
    read = document(
        tmp_path,
        "a: &a {x: 1, y: 2}\nb: &b {<<: *a, x: 3}\nc: {<<: [*b, *a], y: 4}\n",
    )
    assert read.data["b"] == {"x": 3, "y": 2}
    assert read.data["c"] == {"x": 3, "y": 4}


def test_an_unknown_place_has_the_line_of_the_key_above_it(tmp_path: Path) -> None:
    read = document(tmp_path, "serve:\n  entry_point: a.py\n")
    assert read.line_of(("serve", "model")) == 1
    assert read.line_of(("nothing",)) == 1


def test_an_empty_file_is_an_empty_mapping(tmp_path: Path) -> None:
    assert document(tmp_path, "# nothing yet\n").data == {}


@pytest.mark.parametrize(
    ("text", "place", "problem"),
    [
        ("a: 1\nb: [1,\n", "line 3", "not YAML"),
        ("a: *nobody\n", "line 1", "undefined alias"),
        ("- a\n- b\n", "line 1", "keys and values"),
        ("a: 1\nb: 2\na: 3\n", "line 3, a", "stands in line 1 already"),
        ("a:\n  1: x\n", "line 2", "must be text"),
        ("a: !!python/object/apply:os.system ['true']\n", "line 1", "not YAML"),
        ("a: \x00\n", "somewhere", "not YAML"),
    ],
)
def test_a_mistake_names_its_line(tmp_path: Path, text: str, place: str, problem: str) -> None:
    with pytest.raises(BadConfig) as raised:
        document(tmp_path, text)
    assert raised.value.where.startswith(place)
    assert problem in raised.value.problem


def test_bytes_that_are_no_text_are_named(tmp_path: Path) -> None:
    file = tmp_path / "config.yml"
    file.write_bytes(b"a: \xff\n")
    with pytest.raises(BadConfig, match="byte 3: not UTF-8"):
        read_document(file)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="directory"):
        read_document(tmp_path)


def test_nested_aliases_do_not_blow_up(tmp_path: Path) -> None:
    levels = ["l0: &l0 {k: v}"]
    levels += [
        f"l{n}: &l{n} {{{', '.join(f'k{i}: *l{n - 1}' for i in range(10))}}}" for n in range(1, 20)
    ]
    assert len(document(tmp_path, "\n".join(levels)).data) == 20


def test_a_mapping_that_holds_itself_is_read(tmp_path: Path) -> None:
    read = document(tmp_path, "a: &a\n  b: *a\n")
    assert read.line_of(("a", "b")) == 2
