"""The rules' part of the reference: from the texts that `sagelet explain` shows."""

from __future__ import annotations

from sagelet.upgrade.catalogue import THEMES
from sagelet.upgrade.findings import Rule
from tools.markdown import code, table


def overview() -> str:
    """Return every rule in one line, by theme."""
    rows = [
        [f"[{code(rule.id)}](#{rule.id})", rule.severity.value, rule.title, theme]
        for theme, rules in THEMES.items()
        for rule in rules
    ]
    return table(["rule", "severity", "what it finds", "theme"], rows)


def rules() -> str:
    """Return a section for each rule, under the heading of its theme."""
    parts = []
    for theme, found in THEMES.items():
        parts += [f"## {theme}", *(_section(rule) for rule in found)]
    return "\n\n".join(parts)


def _section(rule: Rule) -> str:
    upgraded = " `sagelet upgrade` does it where that is safe." if rule.is_upgraded else ""
    parts = [
        f"### {rule.id}",
        f"{rule.severity.value.capitalize()}: {rule.title}.",
        rule.why,
        f"Fix: {rule.fix}{upgraded}",
    ]
    if rule.example:
        parts.append(f"```\n{rule.example}\n```")
    return "\n\n".join(parts)
