"""Variables that the real container reads and this one does not: which, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sagelet.hosting import settings

_NO_JAVA = "there is no Java server here"
_ONE_BY_ONE = "the toolkit's handler answers a batch one by one; declare predict_batch_fn instead"
_PLACES = "logs and temporary files are the daemon's to place"

WHY_IGNORED: Mapping[str, str] = {
    "CA_REPOSITORY_ARN": "packages come from pip's own index; configure that",
    "LOG_LOCATION": _PLACES,
    "METRICS_LOCATION": _PLACES,
    "SAGEMAKER_BASE_DIR": "a worker's own /opt/ml is where everything is",
    "SAGEMAKER_HANDLER": "the handlers are those of SAGEMAKER_PROGRAM",
    "SAGEMAKER_INFERENCE_ACCELERATOR_PRESENT": "Elastic Inference is gone from AWS, too",
    "SAGEMAKER_MODEL_SERVER_VMARGS": _NO_JAVA,
    "SAGEMAKER_SAFE_PORT_RANGE": "the real container keeps it and does nothing with it",
    "SAGEMAKER_STARTUP_TIMEOUT": f"{_NO_JAVA} to wait for; a model has 480 s to load",
    "SAGEMAKER_TS_BATCH_SIZE": _ONE_BY_ONE,
    "SAGEMAKER_TS_MAX_BATCH_DELAY": _ONE_BY_ONE,
    "TEMP": _PLACES,
}
"""What has no effect although it is set; handlers see it in their environment all the same."""

TORCHSERVES = "TS_"
_READ = frozenset(
    {
        settings.MAX_REQUEST,
        settings.MAX_RESPONSE,
        settings.TORCHSERVE_DEFAULT_TIMEOUT,
        settings.TORCHSERVE_QUEUE,
        *settings.TORCHSERVE_WORKERS,
    }
)


def notices(environment: Mapping[str, str]) -> Iterator[str]:
    """Yield a line for each variable that is set and has no effect."""
    for name in sorted(environment):
        if name in WHY_IGNORED:
            yield f"{name} has no effect here: {WHY_IGNORED[name]}"
        elif name.startswith(TORCHSERVES) and name not in _READ:
            yield f"{name} has no effect here: it configures TorchServe, which does not run"
