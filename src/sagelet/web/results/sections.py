"""An object whose members are worth a look each: its plain members first, then one section each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from sagelet.web.results.context import Context, View
from sagelet.web.results.tree import Tree
from sagelet.web.results.values import cut, is_scalar, scalar_text

_MOST_MEMBERS = 60
_MOST_DEPTH = 6
_FACT_CHARACTERS = 2000
_TEXT_KEYS = ("raw_input", "input", "text", "sentence", "preprocessed_input")


@dataclass(frozen=True, slots=True)
class Section:
    """A member and how it is shown."""

    name: str
    view: View


@dataclass(frozen=True, slots=True)
class Sections:
    """An object: `facts` are its plain members, by name, and `sections` the others."""

    template: ClassVar[str] = "results/sections.html.j2"
    facts: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]

    @property
    def is_plain(self) -> bool:
        """Whether there is nothing but plain members."""
        return not self.sections


def detect(value: object, context: Context) -> Sections | None:
    """Return an object of not too many members."""
    if not isinstance(value, dict) or not 0 < len(value) <= _MOST_MEMBERS:
        return None
    if context.depth > _MOST_DEPTH:
        return None
    text = context.text
    if text is None:
        text = next((value[key] for key in _TEXT_KEYS if isinstance(value.get(key), str)), None)
    before = replace(context.budget)
    facts: list[tuple[str, str]] = []
    sections: list[Section] = []
    for name, item in value.items():
        view = context.look(item, context.within(name, text=text))
        if is_scalar(item) and getattr(view, "is_plain", False):
            facts.append((cut(name, _FACT_CHARACTERS), cut(scalar_text(item), _FACT_CHARACTERS)))
        else:
            sections.append(Section(cut(name, _FACT_CHARACTERS), view))
    if sections and all(isinstance(each.view, Tree) for each in sections):
        context.budget.give_back(before)
        return None
    return Sections(tuple(facts), tuple(sections))
