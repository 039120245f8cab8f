"""XML as plain trees: read without entities and without a document type, written by hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NoReturn
from xml.parsers import expat

from sagelet.wire.faults import Unreadable

_DEPTH_AT_MOST = 32
_ESCAPES = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#13;"}
    | {chr(code): f"&#{code};" for code in range(32) if chr(code) not in "\t\n\r"}
)


@dataclass(slots=True)
class Element:
    """One element: its name without a prefix, its attributes, its children, its own text."""

    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[Element] = field(default_factory=list)
    text: str = ""

    def named(self, name: str) -> list[Element]:
        """Return the children of a name, in order."""
        return [child for child in self.children if child.name == name]


class _Builder:
    """Collects what expat reports."""

    def __init__(self) -> None:
        self.root: Element | None = None
        self._open: list[tuple[Element, list[str]]] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        element = Element(name.rpartition(":")[2], attributes)
        if self._open:
            self._open[-1][0].children.append(element)
        else:
            self.root = element
        self._open.append((element, []))
        if len(self._open) > _DEPTH_AT_MOST:
            raise Unreadable("the XML is nested too deeply")

    def end(self, _: str) -> None:
        element, texts = self._open.pop()
        element.text = "".join(texts)

    def data(self, text: str) -> None:
        self._open[-1][1].append(text)


def _refuse_doctype(*_: object) -> NoReturn:
    raise Unreadable("a document type is not accepted")


def read_xml(body: bytes) -> Element:
    """Return the root element.

    Raises:
        Unreadable: the body is not XML, declares a document type, or nests too deeply.
    """
    builder = _Builder()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = _refuse_doctype
    try:
        parser.Parse(body, True)  # noqa: FBT003  expat takes no keywords
    except (expat.ExpatError, LookupError, ValueError) as error:
        raise Unreadable(f"the XML is not well-formed: {error}") from error
    if builder.root is None:
        raise Unreadable("the XML has no root element")
    return builder.root


def element(name: str, inner: str, attributes: str = "") -> str:
    """Return the text of an element around text that is XML already."""
    return f"<{name}{attributes}>{inner}</{name}>"


def attribute(name: str, value: str) -> str:
    """Return the text of an attribute, with the space before it."""
    return f' {name}="{escape(value)}"'


def escape(text: str) -> str:
    """Return text as XML. Control characters become references, as S3 writes them."""
    return text.translate(_ESCAPES)


def document(root: str) -> bytes:
    """Return a whole document around a root element."""
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n{root}'
    return text.encode("utf-8", "replace")
