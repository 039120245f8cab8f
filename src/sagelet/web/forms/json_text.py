"""JSON as it was written: a tree that keeps each number's digits and all white space.

Python's parser gives values. A form has to give back `1.0` and `12345678901234567890` and the order
of keys as they stood, so this one keeps the text of each value and what stands between them.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Literal, NoReturn, TypeAlias

DEEPEST = 64

NodeKind: TypeAlias = Literal["object", "array", "string", "number", "boolean", "null"]

_SPACE = re.compile(r"[ \t\n\r]*+")
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]++|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+"')
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?")
_WORDS: tuple[tuple[str, NodeKind], ...] = (
    ("true", "boolean"),
    ("false", "boolean"),
    ("null", "null"),
)
_NO_NUMBERS = ("NaN", "Infinity", "-Infinity")

NOT_A_NUMBER = (
    "JSON has no NaN and no Infinity: send null, leave the value out, or send a large number"
)


class NotJson(ValueError):
    """A text that is not JSON, with the place (from 1) where it stops being it."""

    def __init__(self, problem: str, line: int, column: int) -> None:
        """Keep them."""
        super().__init__(f"line {line}, column {column}: {problem}")
        self.problem = problem
        self.line = line
        self.column = column


@dataclass(frozen=True, slots=True)
class Node:
    """A value. `text` is all of it as written; a container's `end` stands before its bracket."""

    kind: NodeKind
    text: str
    parts: tuple[NodePart, ...] = ()
    end: str = ""

    def value(self) -> Any:  # noqa: ANN401  whatever it is
        """Return it as Python has it."""
        return loads(self.text)

    def member(self, name: str) -> Node | None:
        """Return an object's member."""
        return next((part.value for part in self.parts if part.key == name), None)

    @property
    def has_twins(self) -> bool:
        """Whether a key stands twice in it."""
        return len({part.key for part in self.parts}) != len(self.parts)


@dataclass(frozen=True, slots=True)
class NodePart:
    """A member or an item. `head` is what stands before the value, a key with its colon in it."""

    key: str
    head: str
    value: Node
    tail: str


@dataclass(frozen=True, slots=True)
class JsonText:
    """A whole text: white space, a value, white space."""

    before: str
    root: Node
    after: str


def parse(text: str) -> JsonText:
    """Return what a text says.

    Raises:
        NotJson: it is not JSON, or nested too deeply.
    """
    return _Parser(text).document()


def loads(text: str) -> Any:  # noqa: ANN401  whatever it says
    """Return a text's value.

    Raises:
        NotJson: it is not JSON.
    """
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise NotJson(_in_our_words(error.msg), error.lineno, error.colno) from error
    except _Constant as error:
        at = text.find(str(error))
        raise NotJson(NOT_A_NUMBER, *_place(text, max(at, 0))) from error
    except (RecursionError, ValueError) as error:
        raise NotJson("it is nested too deeply, or a number is too long", 1, 1) from error


def member_head(node: Node, key: str) -> str:
    """Return what stands before the value of a new member, written as an object's others are."""
    written = json.dumps(key, ensure_ascii=False)
    if not node.parts:
        return f"{written}:"
    head = node.parts[-1].head
    space = _SPACE.match(head)
    assert space is not None
    return f"{space[0]}{written}:{head[len(head.rstrip()) :]}"


def item_head(node: Node) -> str:
    """Return what stands before a new item of an array."""
    return node.parts[-1].head if len(node.parts) > 1 else " " if ": " in node.text else ""


class _Constant(Exception):
    pass


def _refuse_constant(name: str) -> NoReturn:
    raise _Constant(name)


def _in_our_words(message: str) -> str:
    return message[:1].lower() + message[1:].replace(" (char 0)", "")


def _place(text: str, at: int) -> tuple[int, int]:
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def document(self) -> JsonText:
        before = self._space()
        root = self._value(0)
        after = self._space()
        if self._at != len(self._text):
            self._fail("there is more after the value")
        return JsonText(before, root, after)

    def _value(self, depth: int) -> Node:
        if depth > DEEPEST:
            self._fail(f"it is nested more than {DEEPEST} levels deep")
        begin = self._at
        match self._text[begin : begin + 1]:
            case "{":
                return self._container(begin, depth, is_array=False)
            case "[":
                return self._container(begin, depth, is_array=True)
            case '"':
                return Node("string", self._string())
            case _:
                return self._word()

    def _word(self) -> Node:
        for word, kind in _WORDS:
            if self._text.startswith(word, self._at):
                self._at += len(word)
                return Node(kind, word)
        return self._number()

    def _number(self) -> Node:
        if any(self._text.startswith(word, self._at) for word in _NO_NUMBERS):
            self._fail(NOT_A_NUMBER)
        found = _NUMBER.match(self._text, self._at)
        if found is None:
            self._fail("a value is expected here")
        self._at = found.end()
        return Node("number", found[0])

    def _string(self) -> str:
        found = _STRING.match(self._text, self._at)
        if found is None:
            self._fail("a text in double quotes is expected here, and one that ends in its line")
        self._at = found.end()
        return found[0]

    def _container(self, begin: int, depth: int, *, is_array: bool) -> Node:
        self._at += 1
        closing = "]" if is_array else "}"
        parts: list[NodePart] = []
        space = self._space()
        if self._take(closing):
            return Node("array" if is_array else "object", self._text[begin : self._at], (), space)
        while True:
            key, head = ("", "") if is_array else self._key()
            value = self._value(depth + 1)
            tail = self._space()
            parts.append(NodePart(key, space + head, value, tail))
            if self._take(closing):
                break
            if not self._take(","):
                self._fail(f"a comma or {closing} is expected here")
            space = self._space()
        # What stands after the last part is the container's, whose last part may change.
        parts[-1] = NodePart(key, parts[-1].head, value, "")
        text = self._text[begin : self._at]
        return Node("array" if is_array else "object", text, tuple(parts), tail)

    def _key(self) -> tuple[str, str]:
        begin = self._at
        key: str = json.loads(self._string())
        self._space()
        if not self._take(":"):
            self._fail("a colon is expected here")
        self._space()
        return key, self._text[begin : self._at]

    def _space(self) -> str:
        found = _SPACE.match(self._text, self._at)
        assert found is not None
        self._at = found.end()
        return found[0]

    def _take(self, character: str) -> bool:
        if not self._text.startswith(character, self._at):
            return False
        self._at += 1
        return True

    def _fail(self, problem: str) -> NoReturn:
        raise NotJson(problem, *_place(self._text, self._at))
