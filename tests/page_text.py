"""What a page says: the texts and the attributes of elements, found by class or by test id."""

from __future__ import annotations

from html.parser import HTMLParser

_VOID = frozenset(("br", "hr", "img", "input", "link", "meta", "source", "rect", "polyline"))


class _Reader(HTMLParser):
    """Gathers the texts of the elements that are wanted; they may lie in each other."""

    def __init__(self, css_class: str, testid: str) -> None:
        super().__init__()
        self.found: list[list[str]] = []
        self.attributes: list[dict[str, str]] = []
        self._wanted = css_class, testid
        self._open: list[tuple[str, list[str] | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        held = {name: value or "" for name, value in attrs}
        css_class, testid = self._wanted
        is_wanted = (
            (css_class and css_class in held.get("class", "").split())
            or (testid and held.get("data-testid") == testid)
            or not (css_class or testid)
        )
        pieces: list[str] | None = None
        if is_wanted:
            pieces = []
            self.found.append(pieces)
            self.attributes.append(held)
        if tag not in _VOID:
            self._open.append((tag, pieces))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        for _, pieces in self._open:
            if pieces is not None:
                pieces.append(data)


def texts(page: str, css_class: str = "", *, testid: str = "") -> list[str]:
    """Return the texts of elements, their white space as a browser shows it."""
    return [" ".join("".join(pieces).split()) for pieces in _read(page, css_class, testid).found]


def attributes(page: str, name: str, css_class: str = "", *, testid: str = "") -> list[str]:
    """Return an attribute of the elements that have it."""
    return [each[name] for each in _read(page, css_class, testid).attributes if name in each]


def _read(page: str, css_class: str, testid: str) -> _Reader:
    reader = _Reader(css_class, testid)
    reader.feed(page)
    reader.close()
    return reader
