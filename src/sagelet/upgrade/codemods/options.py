"""Arguments that a script reads already: as SageMaker passes them."""

from __future__ import annotations

import libcst as cst

from sagelet.upgrade.entry import destination
from sagelet.upgrade.nodes import argument, string_value
from sagelet.upgrade.passing import settled
from sagelet.upgrade.snippets import expression, statement
from sagelet.upgrade.upgrading import Upgrading

BOOLEAN = '''
def boolean(text):
    """Read True or False, as SageMaker passes them."""
    if text.lower() not in ("true", "false"):
        raise ValueError(text)
    return text.lower() == "true"
'''

LITERAL = '''
def literal(text):
    """Read a list or a dict, as JSON or in Python's way."""
    try:
        return json.loads(text)
    except ValueError:
        return ast.literal_eval(text)
'''


def read_boolean(work: Upgrading) -> str:
    """Return the name of the function that reads a boolean, which is added."""
    return _defined(work, "boolean", BOOLEAN)


def read_literal(work: Upgrading) -> str:
    """Return the name of the function that reads a list or a dict, which is added."""
    work.edits.need("import ast", "import json")
    return _defined(work, "literal", LITERAL)


def _defined(work: Upgrading, name: str, code: str) -> str:
    if name not in work.script.functions:
        work.edits.define(statement(code))
    return name


def mend_options(work: Upgrading) -> None:
    """Mend the types of arguments that argparse reads from text."""
    parsed = work.entry.parsed
    if parsed is None:
        return
    for add in parsed.adds:
        kind = argument(add, None, "type")
        action = argument(add, None, "action")
        name = f"--{destination(add).replace('_', '-')}"
        said = work.script.code(kind.value) if kind is not None else ""
        if kind is not None and said == "bool":
            work.edits.replace(kind.value, cst.Name(read_boolean(work)))
            work.did("type-bool", f"`{name} False` is false")
        elif kind is not None and said in ("list", "dict", "tuple"):
            work.edits.replace(kind.value, cst.Name(read_literal(work)))
            work.did("type-list", f"`{name}` takes a list, not its letters")
        elif kind is None and action is None:
            _say_type(work, add, name)
        elif action is not None and string_value(action.value) in ("store_true", "store_false"):
            _take_value(work, add, string_value(action.value) == "store_true", name)


def _say_type(work: Upgrading, add: cst.Call, name: str) -> None:
    """Say the type of an argument whose default is a number."""
    default = argument(add, None, "default")
    if default is None or not isinstance(default.value, cst.Integer | cst.Float):
        return
    kind = "int" if isinstance(default.value, cst.Integer) else "float"
    template = expression(f"f(type={kind})")
    assert isinstance(template, cst.Call)
    at = add.args.index(default)

    def make(call: cst.Call) -> cst.Call:
        return call.with_changes(args=settled([*call.args[:at], *template.args, *call.args[at:]]))

    work.edits.change(add, make)
    work.did("missing-type", f"`{name}` is a number")


def _take_value(work: Upgrading, add: cst.Call, sets: bool, name: str) -> None:  # noqa: FBT001
    """Let a flag be followed by True or False, which SageMaker puts behind every name."""
    reader = read_boolean(work)
    template = expression(f'f(type={reader}, nargs="?", const={sets}, default={not sets})')
    assert isinstance(template, cst.Call)
    has_default = argument(add, None, "default") is not None

    def make(call: cst.Call) -> cst.Call:
        args: list[cst.Arg] = []
        for arg in call.args:
            if arg.keyword is not None and arg.keyword.value == "action":
                new = settled(list(template.args[:3] if has_default else template.args))
                args += [*new[:-1], new[-1].with_changes(comma=arg.comma)]
            else:
                args.append(arg)
        return call.with_changes(args=settled(args))

    work.edits.change(add, make)
    work.did("store-true", f"`{name}` may be followed by True or False")
