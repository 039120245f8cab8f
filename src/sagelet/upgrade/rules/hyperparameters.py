"""The project's hyperparameters beside the options of its script, and beside other images."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from sagelet.upgrade.findings import Rule, Severity
from sagelet.upgrade.options import Options
from sagelet.upgrade.projects import Project
from sagelet.upgrade.subjects import Check, Script, Spot

UNUSED = Rule(
    id="unused-hyperparameter",
    title="A hyperparameter that no option takes",
    severity=Severity.ERROR,
    why=(
        "A hyperparameter comes as `--name value`, its name unchanged: `batch_size` is not "
        "`batch-size`. `parse_args` ends the script at an option that it does not know; "
        "`parse_known_args` goes on with the default, and nobody notices."
    ),
    fix="Give both the same name.",
    example=(
        "# sagelet.yml: train: hyperparameters: {batch_size: 64}\n"
        'add_argument("--batch-size", type=int)  # broken\n'
        'add_argument("--batch_size", type=int)'
    ),
)
REQUIRED = Rule(
    id="required-argument",
    title="An option that must be given, and is not",
    severity=Severity.ERROR,
    why="argparse ends the script where a required option is missing, and so does the job.",
    fix="Give the option a default, or the project the hyperparameter.",
    example='add_argument("--epochs", type=int, required=True)  # and no hyperparameter `epochs`',
)
SPLIT = Rule(
    id="split-hyperparameter",
    title="A value that older images take apart",
    severity=Severity.WARNING,
    why=(
        "Before sagemaker-training 5.1.3 the toolkit joined the script's arguments and let a shell "
        "take them apart again (sagemaker-training-toolkit#128). With the images that have it, a "
        "value with a space becomes several arguments, an empty one disappears, `*` becomes names "
        "of files, and `$` and backticks are run. This machine and newer images hand the value "
        "over as it is; `toolkit: legacy` shows what the older ones do."
    ),
    fix="Write lists without spaces as text, or read SM_HPS instead of the options.",
    example='{sizes: [3, 4, 5]}  # older images: "[3," "4," "5]"\n{sizes: "[3,4,5]"}',
)
APOSTROPHE = Rule(
    id="apostrophe-hyperparameter",
    title="A value with an apostrophe",
    severity=Severity.WARNING,
    why=(
        "The SageMaker SDK's ModelTrainer (version 3) writes hyperparameters between single quotes "
        "into a file that a shell reads: with an apostrophe in one of them the job ends before the "
        "script starts, with an empty failure."
    ),
    fix="Leave the apostrophe out, or put the text into a file of a channel.",
    example="{title: Ada's model}  # breaks ModelTrainer\n{title: Model of Ada}",
)

_SHELL = re.compile(r"[\s$`*?\[\]{}()<>|&;\"'\\~#!]")


def unused(script: Script) -> Iterator[Spot]:
    """Find hyperparameters that the script's options do not take."""
    given, options = script.hyperparameters, script.options
    if not given or not options.options or options.is_open:
        return
    for name in given:
        if options.taking(name) is None:
            yield _unused_spot(script, options, name)


def _unused_spot(script: Script, options: Options, name: str) -> Spot:
    known = [each.lstrip("-") for option in options.options for each in option.names]
    same = [each for each in known if _plain(each) == _plain(name)]
    near = same or difflib.get_close_matches(name, known, n=1)
    outcome = "the job ends at it" if options.is_strict else "the script never sees it"
    hint = f"the option is called --{near[0]}" if near else f"there are: {', '.join(sorted(known))}"
    return _in_configuration(
        script.project,
        name,
        f"no option of {script.source.path.name} takes the hyperparameter {name!r}: {outcome}",
        hint,
        Severity.ERROR if options.is_strict else Severity.WARNING,
    )


def required(script: Script) -> Iterator[Spot]:
    """Find required options that the project gives no hyperparameter for."""
    given, options = script.hyperparameters, script.options
    if given is None:
        return
    for option in options.options:
        if option.is_positional or not option.is_required:
            continue
        if not any(options.taking(name) is option for name in given):
            yield Spot(option.call, f"{option.shown} is required, and no hyperparameter gives it")


def split(project: Project) -> Iterator[Spot]:
    """Find values that a shell would change."""
    for name, value in _given(project).items():
        told = as_argument(value)
        if told is None or not told or _SHELL.search(told):
            shown = "an empty value" if not told else f"`{told}`"
            what = "disappears" if not told else "is taken apart by a shell"
            message = f"{name}: {shown} {what} in images before sagemaker-training 5.1.3"
            yield _in_configuration(project, name, message)


def apostrophe(project: Project) -> Iterator[Spot]:
    """Find values with an apostrophe."""
    for name, value in _given(project).items():
        if "'" in (value if isinstance(value, str) else json.dumps(value, default=str)):
            message = f"{name}: an apostrophe ends jobs of the SDK's ModelTrainer at their start"
            yield _in_configuration(project, name, message)


def as_argument(value: object) -> str | None:
    """Return a value as the toolkit writes it into the script's arguments."""
    if value is None:
        return None
    if isinstance(value, Mapping):
        return ",".join(f"{key}={value[key]}" for key in sorted(value, key=str))
    return str(value)


def _given(project: Project) -> Mapping[str, Any]:
    return project.train.options if project.train else {}


def _plain(name: str) -> str:
    return name.replace("-", "").replace("_", "").lower()


def _in_configuration(
    project: Project | None,
    name: str,
    message: str,
    hint: str = "",
    severity: Severity | None = None,
) -> Spot:
    assert project is not None
    line = project.line_of("train", "hyperparameters", name)
    return Spot((line, 1), message, hint, severity, path=project.file)


SCRIPT_CHECKS = (Check(UNUSED, unused), Check(REQUIRED, required))
PROJECT_CHECKS = (Check(SPLIT, split), Check(APOSTROPHE, apostrophe))
