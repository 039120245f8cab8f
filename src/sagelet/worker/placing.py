"""Where a job's /opt/ml is: in a namespace of its own, or where the order's paths say instead."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import overload

from sagelet.worker import namespace, overlaying
from sagelet.worker.overlaying import Missed
from sagelet.worker.spec import HostOrder, Order, Rank, ServeOrder

SWITCH = "SAGELET_NAMESPACE"  # `off` in an order's environment: do as where there is no namespace
ELSEWHERE = "/opt/ml is not ours alone here ({}); the variables say where its folders are"

_OPT_ML = re.compile(r"(?:(?<=://)|(?<![\w./-]))/opt/ml(?![\w.-])")


def _nobody_hears(_line: str) -> None:
    pass


@overload
def place(order: ServeOrder, tell: Callable[[str], None] = ...) -> tuple[ServeOrder, str]: ...
@overload
def place(order: HostOrder, tell: Callable[[str], None] = ...) -> tuple[HostOrder, str]: ...
def place(order: Order, tell: Callable[[str], None] = _nobody_hears) -> tuple[Order, str]:
    """Enter the order's namespace, or write its real paths into it.

    Returns the order to go on with, and why /opt/ml is not the job's own ("" where it is, or
    where the order asks for no such thing). `tell` hears of what could not be overlaid.

    Raises:
        OSError: that could not be copied either.
    """
    if order.mounts is None:
        return order, ""
    missed: list[Missed] = []
    if order.environment.get(SWITCH, "").lower() == "off":
        why = f"{SWITCH}=off"
    else:
        why = namespace.attempt(order.mounts, missed)
    if why:
        missed = [Missed(overlay, why) for overlay in order.mounts.overlays]
    line = overlaying.copy(missed, order.mounts.opt_ml)
    if line:
        tell(line)
    if why:
        return relocated(order, order.mounts.opt_ml), why
    if isinstance(order, HostOrder) and order.mounts.hosts_file is not None:
        order = replace(order, names={})  # they are in /etc/hosts
    return order, ""


def moved(text: str, opt_ml: str) -> str:
    """Return a text that names the folder `opt_ml` wherever it named /opt/ml."""
    return _OPT_ML.sub(lambda _: opt_ml, text)


def relocated(order: Order, opt_ml: str) -> Order:
    """Return an order that names the folder `opt_ml` wherever it named /opt/ml."""
    variables = {name: moved(value, opt_ml) for name, value in order.environment.items()}
    cwd = moved(order.cwd, opt_ml)
    if isinstance(order, HostOrder):
        argv = tuple(moved(part, opt_ml) for part in order.argv)
        ranks = tuple(_relocated_rank(rank, opt_ml) for rank in order.ranks)
        return replace(order, environment=variables, cwd=cwd, argv=argv, ranks=ranks)
    model_dir, code_dir = moved(order.model_dir, opt_ml), moved(order.code_dir, opt_ml)
    return replace(order, environment=variables, cwd=cwd, model_dir=model_dir, code_dir=code_dir)


def _relocated_rank(rank: Rank, opt_ml: str) -> Rank:
    variables = {name: moved(value, opt_ml) for name, value in rank.environment.items()}
    return replace(rank, environment=variables)
