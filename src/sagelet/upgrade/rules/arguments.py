"""How a script reads its options: what argparse makes of the values that a job hands over."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from sagelet.upgrade.calls import keyword, text_of
from sagelet.upgrade.findings import Rule, Severity
from sagelet.upgrade.options import Option
from sagelet.upgrade.pasted import DASHES
from sagelet.upgrade.subjects import Check, Script, Spot

TYPE_LIST = Rule(
    id="type-list",
    title="`type=list` makes a list of characters",
    severity=Severity.ERROR,
    why=(
        'argparse calls the type with the option\'s text, and `list("[1, 2]")` is a list of six '
        "characters. SageMaker hands a list over as one argument, `[1, 2]`. A default that is "
        'computed (as in the article, `default=json.loads(os.environ["SM_HOSTS"])`) hides it '
        "until somebody gives the option. The same goes for tuple, set and dict."
    ),
    fix="Read it as JSON: `type=json.loads`.",
    example=(
        'add_argument("--sizes", type=list)  # broken\nadd_argument("--sizes", type=json.loads)'
    ),
    is_upgraded=True,
)
TYPE_BOOL = Rule(
    id="type-bool",
    title="`type=bool` is true for any text",
    severity=Severity.ERROR,
    why=(
        '`bool("False")` is True: every text but the empty one is. A hyperparameter `false` comes '
        "as `--flag False`, and turns the flag on (sagemaker-python-sdk#4247)."
    ),
    fix='Compare the text: `type=lambda text: text.lower() in ("1", "true", "yes")`.',
    example=(
        'add_argument("--augment", type=bool)  # broken\n'
        'add_argument("--augment", type=lambda text: text.lower() in ("1", "true", "yes"))'
    ),
    is_upgraded=True,
)
STORE_TRUE = Rule(
    id="store-true",
    title="A flag that a hyperparameter cannot set",
    severity=Severity.HINT,
    why=(
        "SageMaker hands every hyperparameter over with a value: `--augment True`. An option with "
        'action="store_true" takes none, and argparse ends the script with "unrecognized '
        'arguments: True" (huggingface/accelerate#980). BooleanOptionalAction takes none either.'
    ),
    fix="Let the option take a value.",
    example=(
        'add_argument("--augment", action="store_true")  # broken, as a hyperparameter\n'
        'add_argument("--augment", type=lambda text: text.lower() in ("1", "true", "yes"))'
    ),
    is_upgraded=True,
)
MISSING_TYPE = Rule(
    id="missing-type",
    title="A number's option without a type",
    severity=Severity.WARNING,
    why=(
        "Without `type=` an option's value is text. The default is a number, so that it works "
        'until a hyperparameter is given: then `range("10")` and `0.1 * "0.5"` fail.'
    ),
    fix="Say the type: `type=int` or `type=float`.",
    example=(
        'add_argument("--epochs", default=10)  # broken\n'
        'add_argument("--epochs", type=int, default=10)'
    ),
)
POSITIONAL = Rule(
    id="positional-argument",
    title="An argument that no job can give",
    severity=Severity.ERROR,
    why=(
        "Hyperparameters come as `--name value`, always. An argument that is given by its place "
        "alone is missing on SageMaker, and argparse ends the script."
    ),
    fix="Give it two dashes and a default.",
    example='add_argument("data")  # broken\nadd_argument("--data", default="data")',
)
STRICT = Rule(
    id="strict-parse-args",
    title="`parse_args` ends the script at an option that it does not know",
    severity=Severity.HINT,
    why=(
        "A hyperparameter that no option takes ends the job within a second. That finds typing "
        "mistakes; it also ends the jobs of tuners and pipelines that add hyperparameters of their "
        "own. `parse_known_args` goes on, and swallows the difference of `batch_size` and "
        "`batch-size` without a word (huggingface/notebooks#52). Where the project says its "
        "hyperparameters (`train: hyperparameters:` in sagelet.yml), `unused-hyperparameter` "
        "compares them with the options, and this rule is silent."
    ),
    fix=(
        "Write `args, unknown = parser.parse_known_args()` and log what is unknown, or keep "
        "`parse_args` and ignore this rule."
    ),
    example=(
        "args = parser.parse_args()  # ends at what is unknown\n"
        'args, unknown = parser.parse_known_args()\nlogger.info("not mine: %s", unknown)'
    ),
)
OPTION_DASH = Rule(
    id="option-dash",
    title="An option that begins with a dash that is no hyphen",
    severity=Severity.ERROR,
    why=(
        "Editors make a dash of two hyphens. argparse takes `\u2013lr` for an argument that is "
        "given by its place, and the script ends since it is missing."
    ),
    fix="Write two hyphens.",
    example='add_argument("\u2013lr")  # broken\nadd_argument("--lr")',
)

_COLLECTIONS = frozenset({"list", "tuple", "set", "dict"})
_BOOLEAN_ACTIONS = frozenset({"store_true", "store_false"})


def type_list(script: Script) -> Iterator[Spot]:
    """Find options whose type takes a text apart."""
    for option in script.options.options:
        given = keyword(option.call, "type")
        if isinstance(given, ast.Name) and given.id in _COLLECTIONS and not _many(option):
            shown = option.shown
            yield Spot(given, f"{shown}: {given.id}() of a text gives its characters")


def type_bool(script: Script) -> Iterator[Spot]:
    """Find options that are on whatever they are told."""
    for option in script.options.options:
        given = keyword(option.call, "type")
        if isinstance(given, ast.Name) and given.id == "bool":
            yield Spot(given, f"{option.shown} False means True: bool() is true for any text")


def store_true(script: Script) -> Iterator[Spot]:
    """Find flags in a job's script, above all those that the project gives a value."""
    if not script.is_job:
        return
    given = script.hyperparameters
    for option in script.options.options:
        action = keyword(option.call, "action")
        is_flag = option.action in _BOOLEAN_ACTIONS or (
            action is not None
            and script.program.name_of(action) == "argparse.BooleanOptionalAction"
        )
        if not is_flag or option.is_positional:
            continue
        names = {name.lstrip("-") for name in option.names}
        if given is None:
            yield Spot(option.call, f"{option.shown} cannot be set by a hyperparameter")
        elif names & given.keys():
            message = f"{option.shown} takes no value, and the hyperparameter gives it one"
            yield Spot(option.call, message, severity=Severity.ERROR)


def missing_type(script: Script) -> Iterator[Spot]:
    """Find options whose default is a number and whose value would be text."""
    for option in script.options.options:
        default = option.default
        if (
            isinstance(default, ast.Constant)
            and type(default.value) in (int, float)
            and keyword(option.call, "type") is None
            and option.action == "store"
        ):
            kind = type(default.value).__name__
            message = f"{option.shown} is a number by default and text when it is given"
            yield Spot(option.call, message, hint=f"add type={kind}")


def positional(script: Script) -> Iterator[Spot]:
    """Find arguments by place in a job's script."""
    if not script.is_job:
        return
    for option in script.options.options:
        if option.is_positional and option.is_required and option.names[0][0] not in DASHES:
            yield Spot(option.call, f"nothing gives the argument {option.names[0]!r} in a job")


def strict(script: Script) -> Iterator[Spot]:
    """Find strict parsing where nothing tells which hyperparameters there will be."""
    if not script.is_job or script.hyperparameters is not None:
        return
    for call in script.options.parsing:
        if isinstance(call.func, ast.Attribute) and call.func.attr == "parse_args":
            yield Spot(call, "a hyperparameter that no option takes would end the job here")


def option_dash(script: Script) -> Iterator[Spot]:
    """Find options that a page's editor gave a dash."""
    for option in script.options.options:
        for node in option.call.args:
            name = text_of(node) or ""
            if name[:1] in DASHES or (name[:1] == "-" and name[1:2] in DASHES):
                yield Spot(node, f"{name!r} begins with a dash that is no hyphen")


def _many(option: Option) -> bool:
    """Whether the type is given parts of several arguments, each of which may be one character."""
    return keyword(option.call, "nargs") is not None


CHECKS = (
    Check(TYPE_LIST, type_list),
    Check(TYPE_BOOL, type_bool),
    Check(STORE_TRUE, store_true),
    Check(MISSING_TYPE, missing_type),
    Check(POSITIONAL, positional),
    Check(STRICT, strict),
    Check(OPTION_DASH, option_dash),
)
