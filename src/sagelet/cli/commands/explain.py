"""`sagelet explain`: a rule of the check in words, or all of them by name."""

from __future__ import annotations

import dataclasses
import difflib
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from sagelet.cli.context import App, with_shared_options
from sagelet.errors import UnknownRule

if TYPE_CHECKING:
    from sagelet.upgrade.findings import Rule

_WIDTH = 80
_PAGE = "docs/reference/rules.md"


@click.command()
@click.argument("rule", required=False)
@with_shared_options
@click.pass_obj
def command(app: App, *, rule: str | None) -> None:
    """Say what RULE of `sagelet check` finds, why it matters and what to do; list all without one.

    \b
    sagelet explain no-main-guard
    sagelet explain | grep host
    """
    from sagelet.upgrade.catalogue import RULES

    if rule is None:
        _list(app, list(RULES.values()))
        return
    found = RULES.get(rule)
    if found is None:
        near = difflib.get_close_matches(rule, RULES, n=1)
        raise UnknownRule(name=rule, nearest=near[0] if near else "")
    if app.output.json:
        app.output.document({**dataclasses.asdict(found), "link": f"{_PAGE}#{found.id}"})
        return
    for line in _lines(found):
        app.output.text(line)


def _list(app: App, rules: list[Rule]) -> None:
    if app.output.json:
        app.output.document(
            [{"id": each.id, "severity": each.severity, "title": each.title} for each in rules]
        )
        return
    rows = [[each.id, each.severity.value, each.title] for each in rules]
    app.output.table(["rule", "severity", "title"], rows)


def _lines(rule: Rule) -> Iterator[str]:
    yield f"{click.style(rule.id, bold=True)} ({rule.severity.value}): {rule.title}"
    yield ""
    yield from textwrap.wrap(rule.why, _WIDTH)
    if rule.example:
        yield ""
        yield from textwrap.indent(rule.example, "    ").splitlines()
    yield ""
    yield from textwrap.wrap(f"Fix: {rule.fix}", _WIDTH)
    if rule.is_upgraded:
        yield "`sagelet upgrade` does it where that is safe."
    yield ""
    yield f"More: {_PAGE}#{rule.id}"
