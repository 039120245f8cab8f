"""SageMaker's variables: with a default, so that the script runs alone, too."""

from __future__ import annotations

import libcst as cst

from sagelet.upgrade.nodes import string_value
from sagelet.upgrade.snippets import expression
from sagelet.upgrade.upgrading import Upgrading

RULE = "environ-without-default"

_DEFAULTS = {
    "SM_MODEL_DIR": '"."',
    "SM_OUTPUT_DATA_DIR": '"."',
    "SM_OUTPUT_DIR": '"."',
    "SM_HOSTS": "'[\"localhost\"]'",
    "SM_CURRENT_HOST": '"localhost"',
    "SM_NUM_GPUS": "torch.cuda.device_count()",
    "SM_NUM_CPUS": "os.cpu_count()",
}
_MEANT = {"MODEL_DIR": "SM_MODEL_DIR"}
"""Names that SageMaker's training does not set, and those that are meant."""


def give_defaults(work: Upgrading) -> None:
    """Put `os.environ.get(name, default)` in place of `os.environ[name]`."""
    script = work.script
    for line in script.all_of(cst.Assign):
        _keep_rendezvous(work, line)
    for node in script.all_of(cst.Subscript):
        if script.meaning(node.value) != "os.environ" or len(node.slice) != 1:
            continue
        index = node.slice[0].slice
        name = string_value(index.value) if isinstance(index, cst.Index) else None
        if name is None or isinstance(script.parent(node), cst.AssignTarget | cst.Del):
            continue
        meant = _MEANT.get(name, name)
        default = '"data"' if meant.startswith("SM_CHANNEL_") else _DEFAULTS.get(meant)
        if default is None:
            if name.startswith("SM_"):
                work.leave(
                    RULE,
                    node,
                    f"`{name}` is not set outside SageMaker",
                    "give it a default with `os.environ.get`",
                )
            continue
        if default.startswith("torch.") and script.alias("torch") is None:
            default = "0"
        environ = script.code(node.value)
        work.edits.replace(node, expression(f'{environ}.get("{meant}", {default})'))
        work.did(RULE, f"`{meant}` has a default, for runs outside SageMaker")


def _keep_rendezvous(work: Upgrading, line: cst.Assign) -> None:
    """Let a rendezvous that is written out be a default: SageMaker says one."""
    script = work.script
    if len(line.targets) != 1 or not isinstance(line.targets[0].target, cst.Subscript):
        return
    target = line.targets[0].target
    index = target.slice[0].slice
    name = string_value(index.value) if isinstance(index, cst.Index) else None
    if script.meaning(target.value) != "os.environ" or name not in ("MASTER_ADDR", "MASTER_PORT"):
        return
    code = f"{script.code(target.value)}.setdefault({script.code(index)}, x)"
    template = expression(code)
    assert isinstance(template, cst.Call)
    given = template.with_changes(args=[template.args[0], cst.Arg(line.value)])
    work.edits.replace(line, cst.Expr(given))
    work.did("fixed-master-port", f"`{name}` is set only where nobody has set it")
