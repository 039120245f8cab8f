"""`print` becomes a logger's `info`, with the same text, on standard output as before."""

from __future__ import annotations

from collections.abc import Callable

import libcst as cst

from sagelet.upgrade.nodes import string_value
from sagelet.upgrade.snippets import expression, quoted
from sagelet.upgrade.upgrading import Upgrading

CONFIGURE = 'logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(message)s")'
RULE = "print-not-logger"
_TAKEN = ("logger", "logging")


def log_instead_of_printing(work: Upgrading) -> bool:
    """Make logger calls of the script's prints; say whether there is any."""
    script = work.script
    prints = [call for call in script.calls if script.callee(call) == "builtins.print"]
    if work.is_notebook or work.entry.block is None or not prints:
        return False
    if any(each in script.bound for each in _TAKEN) or "print" in script.bound:
        return False
    done = False
    for call in prints:
        if script.home(call) is None and not script.in_guard(call):
            continue  # it prints at import, when no log is set up
        if not isinstance(script.parent(call), cst.Expr):
            work.leave(RULE, call, "this `print` is a value, not a statement")
            continue
        made = _logged(work, call)
        if made is not None:
            work.edits.change(call, made)
            done = True
    if done:
        work.edits.need("import logging", "import sys")
        work.edits.constants.insert(0, "logger = logging.getLogger(__name__)")
        work.did(RULE, "what was printed is logged, to standard output, with the same text")
    return done


def _logged(work: Upgrading, call: cst.Call) -> Callable[[cst.Call], cst.Call] | None:
    """Return what makes a logger's call of a print, or None where it stays."""
    options = {arg.keyword.value: arg.value for arg in call.args if arg.keyword is not None}
    if "file" in options:
        return None  # it is meant for somewhere else
    if any(arg.star for arg in call.args):
        work.leave(RULE, call, "how many values are printed is not seen")
        return None
    if "end" in options:
        work.leave(RULE, call, "it prints a part of a line, which a log has not")
        return None
    separator = string_value(options["sep"]) if "sep" in options else " "
    if separator is None:
        work.leave(RULE, call, "what separates the values is not seen")
        return None

    def make(old: cst.Call) -> cst.Call:
        values = [arg.value for arg in old.args if arg.keyword is None]
        plain = cst.Call(expression("logger.info"), _arguments(values, separator))
        if len(values) == 1 and len(old.args) == 1:
            return plain.with_changes(
                args=[old.args[0]], whitespace_before_args=old.whitespace_before_args
            )
        return plain

    return make


def _arguments(values: list[cst.BaseExpression], separator: str) -> list[cst.Arg]:
    """Return a logger's arguments that give the text which `print` would give."""
    if not values:
        return [cst.Arg(cst.SimpleString('""'))]
    if len(values) == 1:
        return [cst.Arg(values[0])]
    if any(isinstance(each, cst.FormattedString) for each in values):
        joined = _joined(values, separator)
        if joined is not None:
            return [cst.Arg(joined)]
    template, given = [], []
    for each in values:
        text = string_value(each)
        if text is None:
            template.append("%s")
            given.append(each)
        else:
            template.append(text.replace("%", "%%") if len(values) > 1 else text)
    text = separator.replace("%", "%%").join(template)
    if not given:
        text = text.replace("%%", "%")
    comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    args = [cst.Arg(cst.SimpleString(quoted(text))), *(cst.Arg(each) for each in given)]
    return [arg.with_changes(comma=comma) for arg in args[:-1]] + args[-1:]


def _joined(values: list[cst.BaseExpression], separator: str) -> cst.BaseExpression | None:
    """Return one f-string of an f-string and the values beside it."""
    parts: list[str] = []
    for each in values:
        code = cst.Module(body=[]).code_for_node(each)
        text = string_value(each)
        if isinstance(each, cst.FormattedString):
            if each.start.lower() != 'f"':
                return None
            parts.append(code[2:-1])
        elif text is not None:
            if not text.isprintable() or any(mark in text for mark in '"\\{}'):
                return None
            parts.append(text)
        else:
            if any(mark in code for mark in "\"'\\\n{}!:"):
                return None
            parts.append(f"{{{code}!s}}")
    if not separator.isprintable() or any(mark in separator for mark in '"\\{}'):
        return None
    return expression('f"' + separator.join(parts) + '"')
