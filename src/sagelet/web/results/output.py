"""What a model's owner says of its answers: `ui.output` of the configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Output:
    """Names for the numbers of a list, what a single number is counted in, and a view to prefer.

    `renderer` is one of those that `chain.BY_NAME` has; empty where the answer decides.
    """

    labels: tuple[str, ...] = ()
    unit: str = ""
    renderer: str = ""


AS_IT_COMES = Output()


def output_of(said: Mapping[str, Any]) -> Output:
    """Read what a form knows of `ui.output`."""
    return Output(
        tuple(str(each) for each in said.get("labels") or ()),
        str(said.get("unit") or ""),
        str(said.get("renderer") or ""),
    )
