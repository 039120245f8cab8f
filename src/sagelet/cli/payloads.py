"""What is sent to an endpoint: a text, files, or what comes in on standard input."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from sagelet.domain.media import JSON, media_type_of

STANDARD_INPUT = "-"


@dataclass(frozen=True, slots=True)
class Payload:
    """A body, what it is, and where it came from (nothing for a text)."""

    body: bytes
    content_type: str
    name: str = ""

    @classmethod
    def of_file(cls, path: Path, content_type: str | None = None) -> Payload:
        """Read a file, whose type follows from its suffix unless it is said.

        Raises:
            click.UsageError: it cannot be read.
        """
        try:
            body = path.read_bytes()
        except OSError as error:
            raise click.UsageError(f"{path}: {error.strerror}") from error
        return cls(body, content_type or media_type_of(path), str(path))


def given(data: str | None, files: Sequence[str], content_type: str | None) -> list[Payload]:
    """Return the payloads that a command line gives; without any, what is piped in.

    Raises:
        click.UsageError: there is none, or both a text and files.
    """
    if data is not None and files:
        raise click.UsageError("give the payload once: with --data TEXT, or with --file FILE")
    if data is not None:
        return [Payload(data.encode(), content_type or JSON)]
    if files:
        return [_file(name, content_type) for name in files]
    body = b"" if sys.stdin.isatty() else sys.stdin.buffer.read()
    if not body:
        raise click.UsageError("no payload: give --data TEXT or --file FILE, or pipe one in")
    return [Payload(body, content_type or JSON)]


def _file(name: str, content_type: str | None) -> Payload:
    if name == STANDARD_INPUT:
        return Payload(sys.stdin.buffer.read(), content_type or JSON)
    return Payload.of_file(Path(name), content_type)
