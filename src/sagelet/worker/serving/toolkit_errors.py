"""The errors of SageMaker's inference toolkit: the texts and the statuses that handlers rely on.

A project may have the real `sagemaker_inference` installed, whose classes are not these; so an
error is recognised by its class's name and module, which ours share, and not by the class itself.
"""

from __future__ import annotations

from http import HTTPStatus

_MODULE = "sagemaker_inference.errors"

# The indentation is the toolkit's: its dedent has no effect, because the first line has none.
_UNSUPPORTED = """Content type {} is not supported by this framework.

            Please implement input_fn to to deserialize the request data or an output_fn to
            serialize the response. For more information, see the SageMaker Python SDK README."""


class UnsupportedFormatError(Exception):
    """No codec for a content type (or for an Accept header)."""

    __module__ = _MODULE

    def __init__(self, content_type: object) -> None:
        """Make the toolkit's text."""
        super().__init__(_UNSUPPORTED.format(content_type))


class BaseInferenceToolkitError(Exception):
    """An error that a handler raises to choose the status of the answer."""

    __module__ = _MODULE

    def __init__(self, status_code: int, message: str, phrase: str) -> None:
        """Keep what the answer is made of."""
        self.status_code = status_code
        self.message = message
        self.phrase = phrase
        super().__init__(status_code, message, phrase)


class GenericInferenceToolkitError(BaseInferenceToolkitError):
    """The same with defaults: the message stands in for the phrase."""

    __module__ = _MODULE

    def __init__(
        self, status_code: int, message: str | None = None, phrase: str | None = None
    ) -> None:
        """Fill in what was left out."""
        message = message or "Invalid Request"
        super().__init__(status_code, message, phrase or message)


def is_unsupported_format(error: BaseException) -> bool:
    """Whether this is an UnsupportedFormatError, the toolkit's or ours."""
    return _is_a(error, UnsupportedFormatError)


def chosen_status(error: BaseException) -> int | None:
    """Return the status that a toolkit error carries, or None for any other error."""
    if not _is_a(error, BaseInferenceToolkitError):
        return None
    status = getattr(error, "status_code", None)
    return int(status) if isinstance(status, int) else int(HTTPStatus.INTERNAL_SERVER_ERROR)


def odd_answer(error: BaseException) -> str | None:
    """Say what of a toolkit error's status and phrase an answer cannot be made of, if anything."""
    if chosen_status(error) is None:
        return None
    status, phrase = getattr(error, "status_code", None), getattr(error, "phrase", None)
    if not isinstance(status, int):
        return f"The error's status is {status!r}, which is no integer."
    if not isinstance(phrase, str):
        return f"The error's phrase is {phrase!r}, which is no text."
    return None


def message_of(error: BaseException) -> str:
    """Return what the answer's body begins with: never empty where the error chose no status."""
    if chosen_status(error) is not None:
        return str(getattr(error, "message", ""))
    return _text_of(error) or "Invalid Request"


def phrase_of(error: BaseException) -> str:
    """Return what the container puts in the status line for an error."""
    if chosen_status(error) is not None:
        return str(getattr(error, "phrase", ""))
    return _text_of(error)


def _is_a(error: BaseException, kind: type) -> bool:
    wanted = (kind.__module__, kind.__name__)
    return any((base.__module__, base.__name__) == wanted for base in type(error).__mro__)


def _text_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as broken:  # noqa: BLE001 - a user's __str__ may raise whatever it likes
        return f"{type(error).__name__} (its text is not available: {broken!r})"
