"""Any value as a tree that unfolds, up to a bound."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sagelet.web.results.context import Context
from sagelet.web.results.values import (
    Exact,
    Place,
    cut,
    is_number,
    place_text,
    scalar_text,
)

MOST_NODES = 1500
_MOST_DEPTH = 24
_MOST_CHILDREN = 100
_TEXT_CHARACTERS = 1000
_OPEN_NODES = 60


@dataclass(frozen=True, slots=True)
class Node:
    """One value. `kind` is object, list, text, number, truth or nothing; `count` are its parts.

    `more` of its parts are left out; `place` is its path as people write it.
    """

    key: str
    place: str
    kind: str
    text: str = ""
    count: int = 0
    children: tuple[Node, ...] = ()
    more: int = 0
    is_open: bool = False

    @property
    def is_branch(self) -> bool:
        """Whether it has parts, or could have."""
        return self.kind in ("object", "list")


@dataclass(frozen=True, slots=True)
class Tree:
    """A tree; `is_cut` tells that not all of it is shown."""

    template: ClassVar[str] = "results/tree.html.j2"
    root: Node
    is_cut: bool


def detect(value: object, context: Context) -> Tree:
    """Return any value as a tree."""
    growth = _Growth(min(MOST_NODES, context.budget.elements))
    root = growth.node("", value, context.place, 0)
    context.budget.take(growth.count)
    return Tree(root, growth.is_cut)


class _Growth:
    """Counts what is shown already."""

    def __init__(self, most: int) -> None:
        self._left = most
        self.count = 0
        self.is_cut = False

    def node(self, key: str, value: object, place: Place, depth: int) -> Node:
        self._left -= 1
        self.count += 1
        shown = place_text(place)
        if isinstance(value, dict | list):
            return self._branch(key, value, place, depth)
        text = scalar_text(value)
        if len(text) > _TEXT_CHARACTERS:
            self.is_cut = True
        return Node(cut(key, _TEXT_CHARACTERS), shown, _kind(value), cut(text, _TEXT_CHARACTERS))

    def _branch(
        self, key: str, value: dict[str, object] | list[object], place: Place, depth: int
    ) -> Node:
        parts = value.items() if isinstance(value, dict) else enumerate(value)
        children: list[Node] = []
        for name, item in parts:
            if self._left <= 0 or len(children) == _MOST_CHILDREN or depth == _MOST_DEPTH:
                self.is_cut = True
                break
            children.append(self.node(str(name), item, (*place, name), depth + 1))
        return Node(
            cut(key, _TEXT_CHARACTERS),
            cut(place_text(place), _TEXT_CHARACTERS),
            "object" if isinstance(value, dict) else "list",
            count=len(value),
            children=tuple(children),
            more=len(value) - len(children),
            is_open=depth == 0 or (depth == 1 and len(value) <= _OPEN_NODES // 6),
        )


def _kind(value: object) -> str:
    if isinstance(value, str):
        return "text"
    if isinstance(value, Exact) or is_number(value):
        return "number"
    return "nothing" if value is None else "truth"
