"""The toolkit's errors."""

from __future__ import annotations

from sagelet.worker.serving.toolkit_errors import (
    BaseInferenceToolkitError,
    GenericInferenceToolkitError,
    UnsupportedFormatError,
)

__all__ = ["BaseInferenceToolkitError", "GenericInferenceToolkitError", "UnsupportedFormatError"]
