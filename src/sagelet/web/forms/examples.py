"""The payloads that come with a model.

examples/*, tests/payloads/*         files, one payload each; in `code/` or beside it
widget: in a README's front matter   as model cards have it: `- text: …`, `example_title: …`
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from sagelet.domain.media import JSON, OCTETS, media_type_of
from sagelet.web.forms.folder import CODE, LARGEST_PAYLOAD, ModelFolder
from sagelet.web.forms.form import Example
from sagelet.web.forms.schemas import as_text

FOLDERS = ("examples", "tests/payloads", "payloads")
README = ("README.md", "readme.md", "Readme.md")
_MOST = 50
_MOST_BYTES = 8 * 2**20
_DEPTH = 2
_NO_PAYLOADS = frozenset({".md", ".py", ".ipynb", ".sh", ".yml", ".yaml", ".html", ".toml"})
_ANSWER = ".answer"
"""In the name of what `sagelet test` has recorded beside a payload."""
_MARK = "---"


def find_examples(folder: ModelFolder) -> tuple[Example, ...]:
    """Return the examples of a model, those of files first, in the order of their names."""
    named = [*_candidates(folder)]
    return tuple(_unique([*_read(folder, named), *_widgets(folder)]))


def listed_examples(folder: ModelFolder, places: Sequence[str]) -> tuple[Example, ...]:
    """Return the examples that somebody has listed, by their places in the model."""
    found = [(place, path) for place in places if (path := folder.at(place)) is not None]
    return tuple(_unique(_read(folder, found)))


def example_files(folder: ModelFolder) -> Iterator[Path]:
    """Yield the files that examples would be read from."""
    for _, path in _candidates(folder):
        yield path


def front_matter(text: str) -> tuple[Mapping[str, Any], str]:
    """Return what stands between dashes at a text's beginning, and the rest."""
    lines = text.split("\n")
    if lines[0].strip() != _MARK:
        return {}, text
    for at, line in enumerate(lines[1:], start=1):
        if line.strip() == _MARK:
            return _yaml("\n".join(lines[1:at])), "\n".join(lines[at + 1 :])
    return {}, text


def _candidates(folder: ModelFolder) -> Iterator[tuple[str, Path]]:
    for name in FOLDERS:
        for place in (f"{CODE}/{name}", name):
            for inner, path in folder.files_in(place, _DEPTH):
                if _is_payload(PurePosixPath(inner)):
                    yield inner, path


def _is_payload(path: PurePosixPath) -> bool:
    return (
        path.suffix.lower() not in _NO_PAYLOADS
        and not path.name.startswith((".", "_"))
        and _ANSWER not in path.suffixes
        and media_type_of(path) != OCTETS
    )


def _read(folder: ModelFolder, named: Sequence[tuple[str, Path]]) -> Iterator[Example]:
    left = _MOST_BYTES
    for place, path in named[:_MOST]:
        body = folder.content(path, min(LARGEST_PAYLOAD, left))
        if body is None:
            continue
        left -= len(body)
        shown = PurePosixPath(place.removeprefix(f"{CODE}/"))
        title = shown.stem.replace("_", " ").replace("-", " ")
        yield Example(shown.stem, title, body, media_type_of(shown), str(shown))


def _widgets(folder: ModelFolder) -> Iterator[Example]:
    path = folder.file(*README)
    text = folder.text(path) if path is not None else None
    widgets = front_matter(text)[0].get("widget") if text is not None else None
    for at, widget in enumerate(widgets if isinstance(widgets, list) else (), start=1):
        if not isinstance(widget, dict):
            continue
        title = str(widget.get("example_title") or f"widget {at}")
        body = _widget_body(widget)
        if body is not None:
            yield Example(title, title, body.encode(), JSON, "README.md")


def _widget_body(widget: Mapping[str, Any]) -> str | None:
    """Return the payload of a model card's example: `inputs`, as such models are asked."""
    rest = {key: value for key, value in widget.items() if key not in _NOT_SENT}
    if not rest or "src" in rest:  # a file of the model's repository, which we do not fetch
        return None
    try:
        return as_text({"inputs": rest["text"] if set(rest) == {"text"} else rest})
    except (TypeError, ValueError):
        return None  # a date, or another thing of YAML's that JSON has not


_NOT_SENT = frozenset({"example_title", "group", "output"})


def _unique(examples: Sequence[Example] | Iterator[Example]) -> Iterator[Example]:
    taken: dict[str, Example] = {}
    for example in examples:
        name, number = example.name, 2
        while name in taken and taken[name].body != example.body:
            name, number = f"{example.name}-{number}", number + 1
        if name in taken:
            continue
        taken[name] = example
        yield Example(name, example.title, example.body, example.content_type, example.path)


def _yaml(text: str) -> Mapping[str, Any]:
    try:
        if any(isinstance(each, yaml.AliasEvent) for each in yaml.parse(text)):
            return {}  # a few lines of them may stand for gigabytes
        found = yaml.safe_load(text)
    except yaml.YAMLError:
        return {}
    return found if isinstance(found, dict) else {}
