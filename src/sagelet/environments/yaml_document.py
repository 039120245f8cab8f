"""One YAML file as plain data, with the line that each key stands on.

The file is composed to nodes first, since only nodes know their lines; the data is then built from
the same nodes by PyYAML's safe constructor, which also resolves anchors and the merge key (`<<`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sagelet.errors import BadConfig

KeyPath = tuple[str, ...]

# Deeper keys are reported by the line of the nearest key above them. The limit also keeps a file of
# nested aliases (each ten times the one before) from costing more than a look at its top.
_DEEPEST_LINE = 4
_WITH_ITEMS = frozenset({"ui"})
"""Top-level keys with lists of keys and values; an item is named by its number, from 0."""


@dataclass(frozen=True, slots=True)
class Document:
    """A YAML mapping, the file that it came from, and where its keys stand."""

    file: Path
    data: Mapping[str, Any]
    lines: Mapping[KeyPath, int]

    def line_of(self, path: KeyPath) -> int:
        """Return the line of a key, or of the nearest key above it."""
        for length in range(len(path), 0, -1):
            if (line := self.lines.get(path[:length])) is not None:
                return line
        return 1

    def problem(self, path: KeyPath, problem: str) -> BadConfig:
        """Return the error that names the file, the line and the key."""
        place = f"line {self.line_of(path)}" + (f", {'.'.join(path)}" if path else "")
        return BadConfig(file=str(self.file), where=place, problem=problem)


def read_document(file: Path) -> Document:
    """Read a YAML file whose top is a mapping; an empty file is an empty mapping.

    Raises:
        BadConfig: the file cannot be read, is not YAML, or its top is something else.
    """
    text = _text_of(file)
    try:
        return _document(file, yaml.SafeLoader(text))
    except yaml.MarkedYAMLError as error:
        raise _not_yaml(file, error) from error
    except yaml.YAMLError as error:
        raise BadConfig(str(file), "somewhere", f"not YAML: {error}") from error


def _document(file: Path, loader: yaml.SafeLoader) -> Document:
    try:
        node = loader.get_single_node()
        if node is None:
            return Document(file, {}, {})
        if not isinstance(node, yaml.MappingNode):
            raise BadConfig(str(file), "line 1", "the top of the file must be keys and values")
        lines: dict[KeyPath, int] = {}
        _Walk(loader, file, lines).visit(node, ())
        return Document(file, loader.construct_document(node), lines)
    finally:
        loader.dispose()


def _text_of(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise BadConfig(str(file), f"byte {error.start}", "not UTF-8 text") from error
    except OSError as error:
        raise BadConfig(str(file), "the file itself", error.strerror or str(error)) from error


def _not_yaml(file: Path, error: yaml.MarkedYAMLError) -> BadConfig:
    mark = error.problem_mark or error.context_mark
    place = f"line {mark.line + 1}, column {mark.column + 1}" if mark is not None else "somewhere"
    words = [word for word in (error.context, error.problem) if word]
    return BadConfig(str(file), place, "not YAML: " + ", ".join(words))


class _Walk:
    """Notes the line of each key, and refuses keys that are no text or stand twice."""

    def __init__(self, loader: yaml.SafeLoader, file: Path, lines: dict[KeyPath, int]) -> None:
        self._loader = loader
        self._file = file
        self._lines = lines
        self._flattened: set[int] = set()

    def visit(self, node: yaml.Node, path: KeyPath) -> None:
        if len(path) >= _DEEPEST_LINE:
            return
        if isinstance(node, yaml.SequenceNode) and path[0] in _WITH_ITEMS:
            for at, item in enumerate(node.value):
                self._lines[(*path, str(at))] = item.start_mark.line + 1
                self.visit(item, (*path, str(at)))
        if not isinstance(node, yaml.MappingNode):
            return
        if id(node) not in self._flattened:
            self._flattened.add(id(node))
            self._refuse_twins(node)
            self._loader.flatten_mapping(node)
        for key, value in node.value:
            place = (*path, self._name_of(key))
            self._lines[place] = key.start_mark.line + 1
            self.visit(value, place)

    def _name_of(self, key: yaml.Node) -> str:
        if isinstance(key, yaml.ScalarNode) and key.tag == "tag:yaml.org,2002:str":
            return str(key.value)
        line = key.start_mark.line + 1
        shown = repr(key.value) if isinstance(key, yaml.ScalarNode) else "a nested value"
        raise BadConfig(str(self._file), f"line {line}", f"a key must be text, not {shown}")

    def _refuse_twins(self, node: yaml.MappingNode) -> None:
        # PyYAML lets the last of two equal keys win, silently; a merged key may be overridden.
        seen: dict[str, int] = {}
        for key, _value in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag == "tag:yaml.org,2002:merge":
                continue
            line = key.start_mark.line + 1
            if key.value in seen:
                where = f"line {line}, {key.value}"
                raise BadConfig(
                    str(self._file), where, f"the key stands in line {seen[key.value]} already"
                )
            seen[key.value] = line
