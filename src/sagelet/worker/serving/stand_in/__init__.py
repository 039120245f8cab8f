"""SageMaker's toolkits for projects that import them and do not have them installed.

The container has `sagemaker_inference` and `sagemaker_pytorch_serving_container`; handlers import
the encoder, the decoder, content types, errors and default handlers from them. `offer` makes ours
importable under those names, last of all places. What runs a container (its server, its
transformer) is there to be imported and refuses to run.
"""

from __future__ import annotations

from pathlib import Path

from sagelet.worker.serving.offering import StandIn

_STAND_IN = StandIn(
    str(Path(__file__).resolve().parent),
    ("sagemaker_inference", "sagemaker_pytorch_serving_container"),
)

offer = _STAND_IN.offer
withdraw = _STAND_IN.withdraw
