"""Which rank this is, and how many there are: asked where needed, joined where a run begins."""

from __future__ import annotations

import libcst as cst

from sagelet.upgrade.nodes import Statement
from sagelet.upgrade.snippets import statement, statements
from sagelet.upgrade.upgrading import Upgrading

_JOIN = '''
def join_ranks():
    """Join the other ranks, if there are any: torchrun numbers them, SageMaker lists the hosts."""
    hosts = json.loads(os.environ.get("SM_HOSTS", "[]"))
    if "RANK" not in os.environ and len(hosts) > 1:
        os.environ["RANK"] = str(hosts.index(os.environ.get("SM_CURRENT_HOST", hosts[0])))
        os.environ["WORLD_SIZE"] = str(len(hosts))
        os.environ.setdefault("MASTER_ADDR", hosts[0])
        os.environ.setdefault("MASTER_PORT", "29500")
'''
_WITH_GPUS = """
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", 0)))
    if int(os.environ.get("WORLD_SIZE", 1)) > 1:
        dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
"""
_WITHOUT = """
    if int(os.environ.get("WORLD_SIZE", 1)) > 1:
        dist.init_process_group("gloo")
"""

OF_RANK_0 = '''
def of_rank_0(value):
    """Return rank 0's value: ranks that decide differently would wait for each other forever."""
    values = [value]
    if dist.is_initialized():
        dist.broadcast_object_list(values, src=0)
    return values[0]
'''

LEAVE = """
if dist.is_initialized():
    dist.destroy_process_group()
"""

_ASKED = {
    "rank": "rank = dist.get_rank() if dist.is_initialized() else 0",
    "world_size": "world_size = dist.get_world_size() if dist.is_initialized() else 1",
}


def join_ranks(*, on_gpus: bool) -> Statement:
    """Return the function by which a run's ranks meet: with nccl only if the model is on GPUs."""
    return statement(_JOIN.rstrip("\n") + (_WITH_GPUS if on_gpus else _WITHOUT))


def number_ranks(work: Upgrading) -> None:
    """Put `rank = …` and `world_size = …` where other edits use these names."""
    for home, names in work.ranked.items():
        lines = [text for name, text in _ASKED.items() if name in names]
        if home is not None:
            work.edits.tops[home][:0] = statements("\n".join(lines))
    if work.ranked:
        work.edits.need("import torch", "import torch.distributed as dist")


def asked_at_start(work: Upgrading) -> list[Statement]:
    """Return the same for what stands under the main guard itself."""
    names = work.ranked.get(None, [])
    return [each for name, text in _ASKED.items() if name in names for each in statements(text)]


def guard_save(work: Upgrading, node: Statement, home: cst.FunctionDef | None) -> None:
    """Let rank 0 alone run a statement."""
    work.number(home, "rank")
    work.edits.guarded[node] = "rank == 0"
