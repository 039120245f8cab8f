"""Sagelet: SageMaker on your own machine.

Public names are resolved on first use (PEP 562): a worker that runs in another interpreter imports
`sagelet.worker` without anything else of ours, or of anybody's, being there.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sagelet.cli.jobs.notebook import follow
    from sagelet.cli.notebook_endpoints import Endpoint
    from sagelet.environments.deploy_env import DeployEnv
    from sagelet.errors import SageletError

__version__ = "0.1.0"

_HOMES = {
    "DeployEnv": "sagelet.environments.deploy_env",
    "Endpoint": "sagelet.cli.notebook_endpoints",
    "SageletError": "sagelet.errors",
    "follow": "sagelet.cli.jobs.notebook",
}

__all__ = ["DeployEnv", "Endpoint", "SageletError", "__version__", "follow"]


def __getattr__(name: str) -> object:
    """Import a public name from where it lives."""
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
