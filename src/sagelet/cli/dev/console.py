"""Lines that come, above a status line that stays, on a terminal; plain lines elsewhere."""

from __future__ import annotations

import json
import os
import shutil
import sys
from typing import Any

import click

from sagelet.cli.output import Output, safe

_CLEAR = "\r\x1b[2K"


class Console:
    """What `sagelet dev` shows. One thread writes."""

    def __init__(self, output: Output, *, has_status: bool = True) -> None:
        """Keep a status line where standard output is a terminal that can show one.

        Not if the terminal is another's as well (`has_status`): a debugger's, say.
        """
        self._output = output
        can_move = sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
        self.is_live = has_status and can_move and not (output.json or output.quiet)
        self._status = ""

    def line(self, text: str, *, style: str | None = None, dim: bool = False) -> None:
        """Write text from anywhere, without what could drive the terminal."""
        self._clear()
        for each in safe(text).splitlines() or [""]:
            self._output.text(click.style(each, fg=style, dim=dim or None))
        self._draw()

    def record(self, **facts: Any) -> bool:  # noqa: ANN401  whatever JSON can say
        """Write facts as one line of JSON, if that is what was asked for."""
        if self._output.json:
            click.echo(json.dumps(facts, ensure_ascii=False))
            sys.stdout.flush()
        return self._output.json

    def status(self, text: str) -> None:
        """Replace the status line."""
        if self.is_live and text != self._status:
            self._clear()
            self._status = text
            self._draw()

    def close(self) -> None:
        """Take the status line away."""
        self._clear()
        self._status = ""

    def _clear(self) -> None:
        if self._status:
            sys.stdout.write(_CLEAR)

    def _draw(self) -> None:
        if self._status:
            # A line that is wider than the terminal would wrap, and its beginning stay.
            width = shutil.get_terminal_size().columns - 1
            text = click.style(self._status[:width], reverse=True)
            sys.stdout.write(text if self._output.colour else self._status[:width])
        sys.stdout.flush()
