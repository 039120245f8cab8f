"""The environment of a serving worker: a little of the machine's, the container's, the model's.

What the model's Environment says wins over everything.
"""

from __future__ import annotations

from collections.abc import Mapping

from sagelet.domain.account import Account
from sagelet.domain.hosting import Model
from sagelet.hosting import settings
from sagelet.supervision.inherited import NO_CREDENTIALS, inherited
from sagelet.worker import placing

# They tell the daemon how to serve; a container on AWS would not have them.
_SWITCHES = (placing.SWITCH,)
_OURS = frozenset(settings.OURS)


def worker_environment(
    model: Model, account: Account, machine: Mapping[str, str], keys: Mapping[str, str]
) -> dict[str, str]:
    """Return the whole environment of a worker; /opt/ml in it is the worker's own.

    `keys` are the variables by which handlers find their credentials.
    """
    # A person who starts the daemon with this switched off means every worker.
    switches = {name: machine[name] for name in _SWITCHES if name in machine}
    container = {
        "AWS_DEFAULT_REGION": account.region,
        "AWS_REGION": account.region,
        "PYTHONDONTWRITEBYTECODE": "1",
        "SAGEMAKER_BASE_DIR": "/opt/ml",
        "SAGEMAKER_CONTAINER_LOG_LEVEL": "20",
        "SAGEMAKER_PROGRAM": "inference.py",
        "SAGEMAKER_REGION": account.region,
        "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
    }
    own = {name: value for name, value in model.environment.items() if name not in _OURS}
    return {**inherited(machine), **switches, **NO_CREDENTIALS, **keys, **container, **own}
