"""The environment of a serving worker: a little of the machine's, the container's, the model's.

Variables are listed that may pass, not those that may not: a credential that nobody thought of
stays where it is. What the model's Environment says wins over everything.
"""

from __future__ import annotations

from collections.abc import Mapping

from sagelet.domain.account import Account
from sagelet.domain.hosting import Model
from sagelet.hosting import settings

_PASSED = frozenset(
    {
        "CUDA_HOME",
        "CUDA_PATH",
        "CUDA_VISIBLE_DEVICES",
        "CURL_CA_BUNDLE",
        "HF_HOME",
        "HIP_VISIBLE_DEVICES",
        "HOME",
        "HTTPS_PROXY",
        "HTTP_PROXY",
        "LANG",
        "LANGUAGE",
        "LD_LIBRARY_PATH",
        "LOGNAME",
        "NO_PROXY",
        "NVIDIA_VISIBLE_DEVICES",
        "PATH",
        "REQUESTS_CA_BUNDLE",
        "SAGELET_NAMESPACE",
        "SHELL",
        "SSL_CERT_DIR",
        "SSL_CERT_FILE",
        "TMPDIR",
        "TORCH_HOME",
        "TZ",
        "USER",
        "VIRTUAL_ENV",
        "XDG_CACHE_HOME",
        "http_proxy",
        "https_proxy",
        "no_proxy",
    }
)
_PASSED_PREFIX = "LC_"

# Handlers have no AWS account of the user's: the files of keys in HOME are out of their sight.
_NO_CREDENTIALS = {
    "AWS_CONFIG_FILE": "/dev/null",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
}
# They tell the daemon how to serve; a container on AWS would not have them.
_OURS = frozenset({settings.PYTHON, settings.THREADS, settings.CONTRACT})


def worker_environment(
    model: Model, account: Account, machine: Mapping[str, str]
) -> dict[str, str]:
    """Return the whole environment of a worker; /opt/ml in it is the worker's own."""
    passed = {
        name: value
        for name, value in machine.items()
        if name in _PASSED or name.startswith(_PASSED_PREFIX)
    }
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
    return {**passed, **_NO_CREDENTIALS, **container, **own}
