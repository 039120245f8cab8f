"""The toolkit's logger."""

from __future__ import annotations

import logging

_NAME = "sagemaker-inference"
_FORMAT = "%(asctime)s - %(name)s - %(levelname)s - %(message)s"


def get_logger() -> logging.Logger:
    """Return the logger."""
    return logging.getLogger(_NAME)


def configure_logger() -> None:
    """Let the logger write to stderr, with the time."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter(_FORMAT))
    get_logger().addHandler(handler)
