"""Where words go: data to standard output, everything else to standard error.

Colour and moving lines appear only where a person looks at a terminal: `NO_COLOR`, `TERM=dumb`, a
pipe or `--no-color` turn them off, `FORCE_COLOR` and `CLICOLOR_FORCE` turn colour on.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import click

_UNSAFE = re.compile(
    r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[PX^_].*?\x1b\\|[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f]"
)
_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b[@-_]?")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m\Z")


class Output:
    """What a command says, under the shared options."""

    def __init__(self) -> None:
        """Start with what holds when no option is given."""
        self.json = False
        self.quiet = False
        self.no_color = False
        self.verbosity = 0

    @property
    def can_ask(self) -> bool:
        """Whether a person can be asked."""
        return sys.stdin.isatty() and sys.stderr.isatty()

    @property
    def is_live(self) -> bool:
        """Whether standard error is a terminal that can show moving lines."""
        return sys.stderr.isatty() and os.environ.get("TERM") != "dumb" and not self.quiet

    @property
    def draws(self) -> bool:
        """Whether standard output is a terminal that can show a plot."""
        can_show = (sys.stdout.encoding or "").lower().startswith("utf")
        return sys.stdout.isatty() and can_show and os.environ.get("TERM") != "dumb"

    @property
    def colour(self) -> bool:
        """Whether standard error may be coloured."""
        return _colour_on(sys.stderr.isatty(), no_color=self.no_color)

    def say(self, message: str, *, style: str | None = None) -> None:
        """Write progress, one line, to standard error."""
        if not self.quiet:
            text = click.style(message, fg=style) if style else message
            click.echo(text, err=True, color=self.colour)

    @contextmanager
    def working(self, message: str) -> Iterator[None]:
        """Say what is going on: a spinner that goes away on a terminal, else one line."""
        if not self.is_live:
            self.say(message)
            yield
            return
        from rich.console import Console
        from rich.markup import escape

        console = Console(stderr=True, no_color=not self.colour, highlight=False)
        with console.status(escape(message)):
            yield

    @contextmanager
    def progress(self, size_bytes: int) -> Iterator[Callable[[int], None]]:
        """Show a bar that fills as bytes are told of, where a person looks at a terminal."""
        if not self.is_live:
            yield lambda _size_bytes: None
            return
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TransferSpeedColumn

        console = Console(stderr=True, no_color=not self.colour)
        columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn())
        with Progress(*columns, console=console, transient=True) as bar:
            task = bar.add_task("", total=size_bytes)
            yield lambda went: bar.advance(task, went)

    def text(self, text: str) -> None:
        """Write data, as it is, with a newline, to standard output."""
        click.echo(text, color=_colour_on(sys.stdout.isatty(), no_color=self.no_color))

    def styled(self, text: str, colour: str) -> str:
        """Return text in a colour where data may be coloured."""
        shown = _colour_on(sys.stdout.isatty(), no_color=self.no_color) and not self.json
        return click.style(text, fg=colour) if shown else text

    def document(self, document: Mapping[str, Any] | Sequence[Any]) -> None:
        """Write data as one JSON document."""
        click.echo(json.dumps(document, indent=2, default=_json_default, ensure_ascii=False))

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Write rows under a heading, in columns as wide as they need to be."""
        widths = [
            max([len(name), *(len(row[index]) for row in rows)])
            for index, name in enumerate(columns)
        ]
        for row in [[name.upper() for name in columns], *rows]:
            cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
            self.text("  ".join(cells).rstrip())


def safe(text: str) -> str:
    """Return text from elsewhere without what could drive a terminal; colours may stay."""
    cleaned = _UNSAFE.sub("", text)
    return _ESCAPE.sub(lambda match: match[0] if _COLOUR.match(match[0]) else "", cleaned)


def _colour_on(is_terminal: bool, *, no_color: bool) -> bool:  # noqa: FBT001  the one thing that it judges
    if no_color or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    forced = os.environ.get("FORCE_COLOR") or os.environ.get("CLICOLOR_FORCE")
    return bool(forced) or is_terminal


def _json_default(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    raise TypeError(f"a {type(value).__name__} in a JSON document")
