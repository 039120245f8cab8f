"""What pasting from a page breaks, and what does not parse."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sagelet.upgrade.findings import Rule, Severity
from sagelet.upgrade.pasted import Mended
from sagelet.upgrade.sources import Source
from sagelet.upgrade.subjects import Check, Spot

_ITALICS = (
    "A page's editor takes underscores for emphasis, and stars are what is left of them: the code "
    "of an article often comes out of its Markdown like this."
)

SMART_QUOTES = Rule(
    id="smart-quotes",
    title="Curly quotes stand where Python wants straight ones",
    severity=Severity.ERROR,
    why=(
        "Word processors and blogs turn straight quotes into curly ones. Python refuses them as "
        "invalid characters, and the script does not even start. Curly quotes inside a proper "
        "string or a comment are no problem and are not reported."
    ),
    fix="Write \" and '.",
    example='device = torch.device(“cuda”)  # broken\ndevice = torch.device("cuda")',
    is_upgraded=True,
)
SMART_DASH = Rule(
    id="smart-dash",
    title="A dash stands where Python wants a hyphen",
    severity=Severity.ERROR,
    why="Editors turn hyphens into dashes. Python refuses them as invalid characters.",
    fix="Write a hyphen (-).",
    example="x = 3 \u2013 1  # broken\nx = 3 - 1",
)
INVISIBLE = Rule(
    id="invisible-character",
    title="An invisible character stands in the code",
    severity=Severity.ERROR,
    why=(
        "Pages keep words apart with spaces that do not break and with characters of no width. "
        "Python refuses them, and they cannot be seen."
    ),
    fix="Type the line anew, or replace the character by a plain space.",
)
BOLD_DUNDER = Rule(
    id="bold-dunder",
    title="`**name**` stands for `__name__`",
    severity=Severity.ERROR,
    why=_ITALICS,
    fix="Write the underscores again.",
    example='if **name** == "**main**":  # broken\nif __name__ == "__main__":',
    is_upgraded=True,
)
STAR_ARGS = Rule(
    id="star-args",
    title="`*, args =` stands for `args, _ =`",
    severity=Severity.ERROR,
    why=_ITALICS + " What was meant is the pair that `parse_known_args` returns.",
    fix="Write `args, _ = parser.parse_known_args()`, or `args = parser.parse_args()`.",
    example="*, args = parser.parse_args()  # broken\nargs = parser.parse_args()",
    is_upgraded=True,
)
LOST_UNDERSCORE = Rule(
    id="lost-underscore",
    title="A star stands for an underscore in a name",
    severity=Severity.ERROR,
    why=_ITALICS
    + " `parser.add*argument(…)` is a product to Python: it fails when the line runs, with a "
    "NameError that says nothing of the cause.",
    fix="Write the underscore again.",
    example='parser.add*argument("--lr")  # broken\nparser.add_argument("--lr")',
    is_upgraded=True,
)
CAPITAL_KEYWORD = Rule(
    id="capital-keyword",
    title="A keyword begins with a capital",
    severity=Severity.ERROR,
    why="Editors begin a sentence with a capital. Python's keywords are small.",
    fix="Write the keyword in small letters.",
    example="If x > 0:  # broken\nif x > 0:",
    is_upgraded=True,
)
LOST_INDENTATION = Rule(
    id="lost-indentation",
    title="A block is not indented",
    severity=Severity.ERROR,
    why=(
        "What follows a line that ends with a colon has to be indented. Pages lose the spaces at "
        "the beginning of lines; the article that this tool was made for loses those below "
        "`with open(…)`, so that its model_fn does not parse."
    ),
    fix="Indent the block by four spaces.",
    example=(
        'with open(path, "rb") as f:\nmodel.load_state_dict(torch.load(f))  # broken\n\n'
        'with open(path, "rb") as f:\n    model.load_state_dict(torch.load(f))'
    ),
    is_upgraded=True,
)
SYNTAX_ERROR = Rule(
    id="syntax-error",
    title="It is not Python",
    severity=Severity.ERROR,
    why=(
        "Python cannot read the file, or the notebook's cell, and runs none of it. It is read by "
        "the Python that runs sagelet: syntax that is newer than that is told of, too."
    ),
    fix="Mend the line. Only what can be seen in the text itself was checked in this file.",
)
UNREADABLE = Rule(
    id="unreadable",
    title="A file cannot be read",
    severity=Severity.ERROR,
    why="The file cannot be opened, or a notebook is not one: it is no JSON, or has no cells.",
    fix="Mend the file, or name others.",
)


@dataclass(frozen=True, slots=True)
class Text:
    """A source whose text was looked at."""

    source: Source
    mended: Mended


def check_for(rule: Rule) -> Check[Text]:
    """Return the check that tells what the mending of a text found of one rule."""

    def find(text: Text) -> Iterator[Spot]:
        for repair in text.mended.repairs:
            if repair.rule == rule.id:
                yield Spot((repair.line, repair.column), repair.message)

    return Check(rule, find)


def syntax_errors(text: Text) -> Iterator[Spot]:
    """Yield what does not parse even after mending."""
    for mistake in text.mended.mistakes:
        yield Spot((mistake.line, mistake.column), mistake.message)


CHECKS = (
    check_for(SMART_QUOTES),
    check_for(SMART_DASH),
    check_for(INVISIBLE),
    check_for(BOLD_DUNDER),
    check_for(STAR_ARGS),
    check_for(LOST_UNDERSCORE),
    check_for(CAPITAL_KEYWORD),
    check_for(LOST_INDENTATION),
    Check(SYNTAX_ERROR, syntax_errors),
)
