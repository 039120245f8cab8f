"""What a caller says of itself: whether it polls, and would rather be held than told 'not yet'."""

from __future__ import annotations

import re

# botocore lists the features that a call uses as letters: `m/B,Z` has B, for a waiter.
_FEATURES = re.compile(r"(?:^|\s)m/([A-Za-z0-9+,-]+)")
_WAITER = "B"

# The SageMaker SDKs poll in loops of their own.
_POLLING_SDKS = ("AWS-SageMaker-Python-SDK", "AWS-SageMakerCore")


def is_waiter(user_agent: str) -> bool:
    """Say whether a User-Agent is one of botocore's waiters, or of the SageMaker SDK."""
    if any(name in user_agent for name in _POLLING_SDKS):
        return True
    found = _FEATURES.search(user_agent)
    return found is not None and _WAITER in found[1].split(",")
