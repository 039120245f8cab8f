"""botocore's service models, loaded when they are first asked for, and kept small.

A model's documentation is dropped, and its operations and shapes stay JSON text until one is used:
SageMaker's 425 operations then take 1 MB of memory instead of 10. Only the models that botocore
ships are read; what a user adds under `~/.aws/models` concerns clients.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from botocore.loaders import JSONFileLoader, Loader
from botocore.model import ServiceModel

from sagelet.wire.documents import Value

_KIND = "service-2"
_SPACE = re.compile(r"[ \t\n\r]*")
_KEPT_AS_TEXT = frozenset({"operations", "shapes"})


class TextParts(Mapping[str, Value]):
    """Parts of a document by name, each decoded anew when it is looked up."""

    __slots__ = ("_texts",)

    def __init__(self, texts: Mapping[str, bytes]) -> None:
        """Keep the JSON text of each part."""
        self._texts = texts

    def __getitem__(self, name: str) -> Value:
        """Decode one part."""
        return json.loads(self._texts[name])

    def __contains__(self, name: object) -> bool:
        """Say whether a part is there, without decoding it."""
        return name in self._texts

    def __iter__(self) -> Iterator[str]:
        """Yield the names."""
        return iter(self._texts)

    def __len__(self) -> int:
        """Count the parts."""
        return len(self._texts)


@cache
def service_model(name: str) -> ServiceModel:
    """Return a service's model by botocore's name of it: sagemaker, sagemaker-runtime, logs, s3.

    Raises:
        botocore.exceptions.DataNotFoundError: botocore has no such service.
    """
    return ServiceModel(description(name), name)


@cache
def description(name: str) -> dict[str, Value]:
    """Return the document that a model is made of; its operations and shapes are `TextParts`."""
    loader = Loader(
        extra_search_paths=[Loader.BUILTIN_DATA_PATH],
        file_loader=_CompactFiles(),
        include_default_search_paths=False,
    )
    version = loader.determine_latest_version(name, _KIND)
    loaded: dict[str, Value] = loader.load_data(f"{name}/{version}/{_KIND}")
    return loaded


class _CompactFiles(JSONFileLoader):
    """Reads model files for botocore's Loader, which asks by path without the suffix."""

    def exists(self, file_path: str) -> bool:
        """Say whether there is such a file, plain or compressed."""
        return any(path.is_file() for path in _candidates(file_path))

    def load_file(self, file_path: str) -> dict[str, Value] | None:
        """Return the compact document of a file, or nothing where it is not there."""
        for path in _candidates(file_path):
            if path.is_file():
                data = path.read_bytes()
                text = gzip.decompress(data) if path.suffix == ".gz" else data
                return compact(text.decode())
        return None


def _candidates(file_path: str) -> tuple[Path, Path]:
    return Path(f"{file_path}.json.gz"), Path(f"{file_path}.json")


def compact(text: str) -> dict[str, Value]:
    """Return a service description without its documentation, its big parts still text.

    The parts are decoded one after another, so that the whole is never in memory as objects.
    """
    scan = _Scanner(text)
    document: dict[str, Value] = {}
    for name in scan.members():
        if name in _KEPT_AS_TEXT:
            document[name] = TextParts({part: _packed(scan.value()) for part in scan.members()})
        else:
            document[name] = scan.value()
    return _without_documentation(document)


class _Scanner:
    """Walks through JSON text, one member at a time."""

    def __init__(self, text: str) -> None:
        """Begin at the text's first value."""
        self._text = text
        self._at = 0
        self._decoder = json.JSONDecoder(object_hook=_without_documentation)

    def members(self) -> Iterator[str]:
        """Yield the names in the object that comes next; the caller reads each value in turn."""
        self._step()
        while self._text[self._at] != "}":
            yield self.value()
            self._skip()
            if self._text[self._at] == ",":
                self._step()
        self._step()

    def value(self) -> Value:
        """Decode the value that comes next, and stop at what follows it."""
        self._skip()
        value, self._at = self._decoder.raw_decode(self._text, self._at)
        self._skip()
        if self._text[self._at : self._at + 1] == ":":
            self._step()
        return value

    def _step(self) -> None:
        """Go past one sign of punctuation, and the white space around it."""
        self._skip()
        self._at += 1
        self._skip()

    def _skip(self) -> None:
        space = _SPACE.match(self._text, self._at)
        self._at = space.end() if space else self._at


def _packed(value: Value) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _without_documentation(part: dict[str, Value]) -> dict[str, Value]:
    # A member that is called documentation has a shape, not a string.
    if isinstance(part.get("documentation"), str):
        del part["documentation"]
    return part
