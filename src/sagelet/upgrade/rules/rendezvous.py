"""How the processes of several hosts find each other."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from sagelet.upgrade.calls import argument, keyword, text_of, words_in
from sagelet.upgrade.findings import Rule, Severity
from sagelet.upgrade.program import Program
from sagelet.upgrade.subjects import Check, Script, Spot

NCCL = Rule(
    id="nccl-on-cpu",
    title="nccl needs a GPU",
    severity=Severity.WARNING,
    why=(
        "The backend `nccl` talks between GPUs, and init_process_group fails on an instance "
        "without one, and on this machine if it has none. gloo works on CPUs. A default of None, "
        "as in the article, chooses by itself from torch 2.0 on; older versions refuse it."
    ),
    fix='Choose by what there is: `"nccl" if torch.cuda.is_available() else "gloo"`.',
    example=(
        'dist.init_process_group("nccl")  # fails on a CPU\n'
        'dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")'
    ),
    is_upgraded=True,
)
MASTER_PORT = Rule(
    id="fixed-master-port",
    title="A rendezvous port that is written out",
    severity=Severity.WARNING,
    why=(
        "Two jobs on one machine that both use the port meet each other, or the second fails. "
        "SageMaker sets MASTER_ADDR and MASTER_PORT, and so does this machine, with a port that "
        "is free."
    ),
    fix="Leave both variables as they are; for a plain run use `os.environ.setdefault`.",
    example=(
        'os.environ["MASTER_PORT"] = "29500"  # two jobs meet\n'
        'os.environ.setdefault("MASTER_PORT", "29500")'
    ),
)
_ASKS_GPU = re.compile(r"cuda|gpu|nccl|device|backend", re.IGNORECASE)


def nccl(script: Script) -> Iterator[Spot]:
    """Find process groups that are always nccl's."""
    program = script.program
    for call in script.process_groups:
        backend = argument(call, 0, "backend")
        option = _option_of(script, backend)
        node = option if option is not None else backend
        if isinstance(backend, ast.Name):
            node = program.single_value(backend)
        if text_of(node) == "nccl" and not _depends_on_gpu(program, call):
            assert node is not None
            yield Spot(node, "nccl fails on an instance without a GPU")


def master_port(script: Script) -> Iterator[Spot]:
    """Find ports of the rendezvous that are written out."""
    program = script.program
    for node in program.nodes(ast.Assign):
        for target in node.targets:
            if (
                isinstance(target, ast.Subscript)
                and program.name_of(target.value) == "os.environ"
                and text_of(target.slice) == "MASTER_PORT"
                and isinstance(_inner(node.value), ast.Constant)
                and not _is_conditional(program, node)
            ):
                yield Spot(node, "a job's own MASTER_PORT is overwritten by one that may be taken")
    for call in script.process_groups:
        method = keyword(call, "init_method")
        if re.match(r"tcp://.*:\d+", text_of(method) or ""):
            assert method is not None
            yield Spot(method, "the rendezvous has a fixed port, which may be taken")


def _option_of(script: Script, node: ast.expr | None) -> ast.expr | None:
    if isinstance(node, ast.Attribute) and script.options.is_parsed(node.value):
        option = script.options.by_dest(node.attr)
        return option.default if option else None
    return None


def _depends_on_gpu(program: Program, node: ast.AST) -> bool:
    return any(
        _ASKS_GPU.search(word) for test in program.tests_around(node) for word in words_in(test)
    )


def _is_conditional(program: Program, node: ast.AST) -> bool:
    """Whether a test of the variable stands around."""
    return any("MASTER_PORT" in words_in(test) for test in program.tests_around(node))


def _inner(node: ast.expr) -> ast.expr:
    """Return what is inside of `str(…)`."""
    is_str = (
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "str"
    )
    return node.args[0] if is_str and isinstance(node, ast.Call) and node.args else node


CHECKS = (
    Check(NCCL, nccl),
    Check(MASTER_PORT, master_port),
)
