"""Which arguments a shell would change: sagemaker-training before 5.1.3 passed them through one."""

from __future__ import annotations

import re
from collections.abc import Mapping

from sagelet.training import toolkit

_CHANGED = re.compile(r"""[\s"'\\$`;&|<>()*?\[\]]|^[~#]""")
_SHOWN = 5


def warnings(hyperparameters: Mapping[str, str]) -> list[str]:
    """Name, in one line, the hyperparameters whose values a shell would split or expand."""
    own = toolkit.Hyperparameters.decode(hyperparameters).script
    names = [
        name
        for name in sorted(own)
        if any(is_changed(part) for part in toolkit.to_arguments({name: own[name]}))
    ]
    if not names:
        return []
    shown = ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")
    return [
        f"WARNING: images with sagemaker-training before 5.1.3 would split or expand {shown}: "
        "they pass arguments through a shell (try it with toolkit: legacy)"
    ]


def is_changed(argument: str) -> bool:
    """Whether a shell would not pass an argument on as it is."""
    return not argument or _CHANGED.search(argument) is not None
