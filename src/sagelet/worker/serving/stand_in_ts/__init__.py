"""A `ts` for handlers that import TorchServe's functions where TorchServe is not installed.

The container has TorchServe; handlers take from it how to send a part of an answer, and the names
of metrics. This folder has an entry of its own on the path: a user's `ts` folder, even one without
an `__init__.py`, is never hidden by it.
"""

from __future__ import annotations

from pathlib import Path

from sagelet.worker.serving.offering import StandIn

_STAND_IN = StandIn(str(Path(__file__).resolve().parent), ("ts",))

offer = _STAND_IN.offer
withdraw = _STAND_IN.withdraw
