"""What stands at a module's own level: what it defines, what it does, and what moves from there."""

from __future__ import annotations

import re
from collections.abc import Iterable

import libcst as cst

from sagelet.upgrade.nodes import Statement, only, string_value
from sagelet.upgrade.shapes import Script

MARKER = re.compile(r"__cell_(\d+)__")
"""Stands where a notebook's cell begins."""

_PURE = re.compile(
    r"torch\.(device|accelerator\.\w+|cuda\.is_available|cuda\.device_count|backends\.mps\.is_available)"
    r"|logging\.getLogger|os\.(environ\.get|getenv)|os\.path\.(join|dirname|abspath)|pathlib\.Path"
    r"|typing\.TypeVar|collections\.namedtuple|re\.compile"
    r"|range|list|dict|set|tuple|frozenset|len|max|min"
)
_SETUP = re.compile(
    r"warnings\.|matplotlib\.(use|rc)|matplotlib\.pyplot\.(style|rc)|sys\.path|os\.environ|seaborn\."
    r"|torch\.set_|torch\.backends|torch\.multiprocessing|logging\.(basicConfig|disable)|sys\.setrec"
)
_LITERAL = re.compile(r"-?(\d[\d_]*\.?\d*(e[-+]?\d+)?|\.\d+(e[-+]?\d+)?)|True|False", re.IGNORECASE)


def is_marker(node: Statement) -> bool:
    """Whether a statement only says where a notebook's cell begins."""
    small = only(node)
    return (
        isinstance(small, cst.Expr)
        and isinstance(small.value, cst.Name)
        and MARKER.fullmatch(small.value.value) is not None
    )


def is_definition(node: Statement) -> bool:
    """Whether a statement defines a function or a class, or imports."""
    if isinstance(node, cst.FunctionDef | cst.ClassDef):
        return True
    if isinstance(node, cst.Try | cst.If):
        inner = [each for each in node.body.body if isinstance(each, Statement)]
        return bool(inner) and all(is_definition(each) for each in inner)
    return isinstance(node, cst.SimpleStatementLine) and all(
        isinstance(each, cst.Import | cst.ImportFrom) for each in node.body
    )


def is_action(script: Script, node: cst.BaseStatement | cst.BaseSmallStatement) -> bool:
    """Whether a statement does something, other than to define, to name, or to set Python up."""
    if not isinstance(node, Statement) or is_definition(node) or is_marker(node):
        return False
    if isinstance(node, cst.BaseCompoundStatement):
        return True
    assert isinstance(node, cst.SimpleStatementLine)
    for small in node.body:
        match small:
            case cst.Assign() | cst.AnnAssign():
                if not all(_is_pure(script, call) for call in script.all_of(cst.Call, small)):
                    return True
            case cst.Expr(value=cst.Call()):
                if not is_setup(script, small):
                    return True
            case cst.Expr() | cst.Pass():
                pass
            case _:
                return True
    return False


def _is_pure(script: Script, call: cst.Call) -> bool:
    return _PURE.fullmatch(script.callee(call).removeprefix("builtins.")) is not None


def is_setup(script: Script, node: cst.CSTNode) -> bool:
    """Whether a statement sets Python or a library up, which an import may do too."""
    calls = script.all_of(cst.Call, node)
    if calls:
        return all(_SETUP.match(script.callee(call)) for call in calls)
    targets = [each.target for each in script.all_of(cst.AssignTarget, node)]
    return any(_SETUP.match(script.meaning(each) or _base(script, each)) for each in targets)


def _base(script: Script, node: cst.BaseExpression) -> str:
    match node:
        case cst.Subscript(value=value) | cst.Attribute(value=value):
            return script.meaning(value)
        case _:
            return ""


def assigned_names(script: Script, nodes: Iterable[Statement]) -> frozenset[str]:
    """Return the names that statements give to something, not counting those inside functions."""
    found = set()
    for node in nodes:
        for name in script.all_of(cst.Name, node):
            if script.home(name) is None and is_target(script, name):
                found.add(name.value)
    return frozenset(found)


def is_target(script: Script, name: cst.Name) -> bool:
    """Whether a name is given a value where it stands."""
    parent = script.parent(name)
    match parent:
        case cst.AssignTarget() | cst.For() | cst.AsName() | cst.NamedExpr() | cst.AugAssign():
            return not (isinstance(parent, cst.For) and parent.iter is name)
        case cst.AnnAssign(target=target):
            return target is name
        case cst.Element():
            return any(
                isinstance(each, cst.AssignTarget | cst.For | cst.AsName)
                for each in list(script.above(name))[:3]
            )
        case _:
            return False


def free_names(script: Script, nodes: Iterable[Statement]) -> frozenset[str]:
    """Return the names that definitions read or change, wherever these come from."""
    found = set()
    for node in nodes:
        for name in script.all_of(cst.Name, node):
            parent = script.parent(name)
            if isinstance(parent, cst.Attribute) and parent.attr is name:
                continue
            if isinstance(parent, cst.Arg) and parent.keyword is name:
                continue
            if not _is_local(script, name):
                found.add(name.value)
    return frozenset(found)


def _is_local(script: Script, name: cst.Name) -> bool:
    """Whether a name is a parameter or a variable of a function around it."""
    for each in script.above(name):
        if isinstance(each, cst.FunctionDef | cst.Lambda):
            own = script.all_of(cst.Param, each.params)
            if any(param.name.value == name.value for param in own):
                return True
        if isinstance(each, cst.FunctionDef) and _assigns(script, each, name.value):
            return True
    return False


def _assigns(script: Script, function: cst.FunctionDef, name: str) -> bool:
    if any(
        item.name.value == name
        for each in script.all_of(cst.Global, function)
        for item in each.names
    ):
        return False
    return any(
        each.value == name and script.home(each) is function and is_target(script, each)
        for each in script.all_of(cst.Name, function.body)
    )


def is_scalar(script: Script, node: cst.BaseExpression) -> bool:
    """Whether an expression is a number, True, False, or a word that is no path."""
    if _LITERAL.fullmatch(script.code(node)):
        return True
    text = string_value(node)
    return text is not None and re.fullmatch(r"[\w-]+", text) is not None
