"""Every rule of `sagelet check`, by its id, and the checks by what they look at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sagelet.upgrade import suppressions
from sagelet.upgrade.contents import Contents
from sagelet.upgrade.findings import Rule
from sagelet.upgrade.projects import Project
from sagelet.upgrade.rules import (
    archive,
    arguments,
    distributed,
    entry,
    environment,
    hyperparameters,
    loading,
    logs,
    paths,
    rendezvous,
    requirements,
    saving,
    sdk,
    serving,
    structure,
    text,
)
from sagelet.upgrade.subjects import Check, Script

TEXT_CHECKS: Sequence[Check[text.Text]] = (*text.CHECKS, *entry.TEXT_CHECKS)
SCRIPT_CHECKS: Sequence[Check[Script]] = (
    *structure.CHECKS,
    *arguments.CHECKS,
    *hyperparameters.SCRIPT_CHECKS,
    *environment.CHECKS,
    *paths.CHECKS,
    *distributed.CHECKS,
    *rendezvous.CHECKS,
    *saving.CHECKS,
    *loading.CHECKS,
    *serving.CHECKS,
    *logs.CHECKS,
    *sdk.CHECKS,
    *requirements.SCRIPT_CHECKS,
)
PROJECT_CHECKS: Sequence[Check[Project]] = (
    *entry.PROJECT_CHECKS,
    *hyperparameters.PROJECT_CHECKS,
    *requirements.PROJECT_CHECKS,
)
SHELL_CHECKS: Sequence[Check[entry.Shell]] = entry.SHELL_CHECKS
REQUIREMENTS_CHECKS: Sequence[Check[requirements.RequirementsFile]] = requirements.FILE_CHECKS
CONTENTS_CHECKS: Sequence[Check[Contents]] = archive.CHECKS


def _rules_of(*groups: Sequence[Check[Any]]) -> Iterator[Rule]:
    for group in groups:
        for check in group:
            yield check.rule


THEMES: Mapping[str, tuple[Rule, ...]] = {
    "Pasted text": (*_rules_of(text.CHECKS), text.UNREADABLE),
    "Structure": tuple(_rules_of(structure.CHECKS)),
    "Arguments": tuple(_rules_of(arguments.CHECKS)),
    "Hyperparameters": tuple(
        _rules_of(hyperparameters.SCRIPT_CHECKS, hyperparameters.PROJECT_CHECKS)
    ),
    "Environment": tuple(_rules_of(environment.CHECKS)),
    "Paths": tuple(_rules_of(paths.CHECKS)),
    "Many hosts": tuple(_rules_of(distributed.CHECKS, rendezvous.CHECKS)),
    "Saving": tuple(_rules_of(saving.CHECKS)),
    "Loading": tuple(_rules_of(loading.CHECKS)),
    "Serving": tuple(_rules_of(serving.CHECKS)),
    "Logging": tuple(_rules_of(logs.CHECKS)),
    "Deploying": tuple(_rules_of(sdk.CHECKS)),
    "Requirements": tuple(
        _rules_of(requirements.SCRIPT_CHECKS, requirements.FILE_CHECKS, requirements.PROJECT_CHECKS)
    ),
    "Entry points": tuple(_rules_of(entry.PROJECT_CHECKS, entry.SHELL_CHECKS)),
    "The archive": (archive.REFUSED, archive.LAYOUT, archive.JUNK, archive.SIZE),
    "Comments": (suppressions.UNUSED,),
}
"""The rules under the headings of their page, in its order."""

RULES: Mapping[str, Rule] = {rule.id: rule for rules in THEMES.values() for rule in rules}
