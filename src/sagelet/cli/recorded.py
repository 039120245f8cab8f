"""Answers on disk, beside the payloads that they are of: `NAME.answer.json` beside `NAME.json`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from sagelet.cli.comparing import Content
from sagelet.domain.media import essence, media_type_of, suffix_of

MARK = ".answer"


def payloads_in(folder: Path) -> list[Path]:
    """Return the payloads of a folder, without recorded answers and hidden files, by name."""
    if not folder.is_dir():
        return []
    return [path for path in sorted(folder.iterdir()) if path.is_file() and _is_payload(path)]


def payloads_of(places: Sequence[Path]) -> list[Path]:
    """Return the payloads at files and folders.

    Raises:
        click.UsageError: one of them is not there.
    """
    found: list[Path] = []
    for place in places:
        if place.is_dir():
            found += payloads_in(place)
        elif place.is_file():
            found.append(place)
        else:
            raise click.UsageError(f"there is nothing at {place}")
    return found


class Records:
    """The recorded answers of some payloads.

    Of two payloads that differ in their suffix only, each answer has the payload's whole name.
    """

    def __init__(self, payloads: Sequence[Path]) -> None:
        """Take the payloads that are looked at together."""
        stems = [path.with_suffix("") for path in payloads]
        self._shared = {stem for stem in stems if stems.count(stem) > 1}

    def find(self, payload: Path) -> Content | None:
        """Return the answer that was recorded for a payload; None where none was."""
        found = self._files(payload)
        if len(found) > 1:
            names = ", ".join(file.name for file in found)
            raise click.UsageError(f"{payload} has more than one recorded answer: {names}")
        return Content(found[0].read_bytes(), media_type_of(found[0])) if found else None

    def write(self, payload: Path, answer: Content) -> Path:
        """Record an answer in place of an older one; return its file."""
        file = Path(f"{self._stem(payload)}{MARK}{suffix_of(answer.content_type)}")
        for old in self._files(payload):
            if old != file:
                old.unlink()
        file.write_bytes(answer.body)
        return file

    def as_recorded(self, answer: Content) -> Content:
        """Return an answer with the type that its file's suffix can say."""
        suffix = suffix_of(answer.content_type)
        return Content(answer.body, essence(media_type_of(Path(f"x{suffix}"))))

    def _stem(self, payload: Path) -> Path:
        stem = payload.with_suffix("")
        return payload if stem in self._shared else stem

    def _files(self, payload: Path) -> list[Path]:
        stem = self._stem(payload)
        beginning = f"{stem.name}{MARK}."
        return sorted(file for file in stem.parent.iterdir() if file.name.startswith(beginning))


def _is_payload(path: Path) -> bool:
    return not path.name.startswith(".") and f"{MARK}." not in path.name
