"""A model's error: which handler, which line, and the traceback with the user's own frames."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from sagelet.web.results.values import cut

_TRACEBACK = "Traceback (most recent call last):"
_FRAME = re.compile(r'\s*(?:\|\s*)*File "(?P<file>[^"]+)", line (?P<line>\d+)')
_NOT_THE_USERS = re.compile(r"/(?:site|dist)-packages/|/lib/python\d|^<|/sagelet/worker/")
_MOST_CHARACTERS = 32_000
_MESSAGE_CHARACTERS = 4000
_EXCERPT_CHARACTERS = 600

_HINTS: Mapping[int, str] = {
    0: "The model did not answer in time: the worker's stacks are in the log. "
    "SAGEMAKER_MODEL_SERVER_TIMEOUT is the limit, in seconds.",
    406: "Choose another type to accept, or write this one in output_fn.",
    413: "The model server takes no payload of this size: MMS_MAX_REQUEST_SIZE is the limit.",
    415: "Say what the payload is by its content type, or read this type in input_fn.",
    503: "The workers are busy or are being replaced: run it again in a moment.",
    507: "The worker was killed, most often for want of memory. A new one takes its place; "
    "the log tells more.",
}
_HINTS_BY_TEXT = (
    (
        re.compile(r"JSONDecodeError|Expecting value"),
        "The payload is no JSON: look at its raw form, and at the content type.",
    ),
    (
        re.compile(r"mat1 and mat2 shapes|size mismatch|shape .* is invalid|must match the size"),
        "The payload's numbers are not of the shape that the model takes.",
    ),
    (
        re.compile(r"[Nn]o module named"),
        "Add the package to requirements.txt beside the handlers, or put the module there.",
    ),
    (
        re.compile(r"is not JSON serializable"),
        "output_fn has to turn tensors and arrays into lists first: tensor.tolist().",
    ),
    (
        re.compile(r"out of memory|MemoryError"),
        "There is not enough memory for this payload: send less at once, or have fewer workers.",
    ),
    (re.compile(r"KeyError|IndexError"), "The payload may lack what the handler looks for."),
)


@dataclass(frozen=True, slots=True)
class Frames:
    """Lines of a traceback that belong together; those of libraries are folded, `count` frames."""

    text: str
    is_library: bool
    count: int


@dataclass(frozen=True, slots=True)
class Failure:
    """A model's error. `frames` are none where there is no traceback, as of a model server's own.

    `where` is `file:line`; `sent` is how the payload begins.
    """

    status: int
    message: str
    handler: str
    where: str
    frames: tuple[Frames, ...]
    hint: str
    sent: str


def failure(
    status: int, body: bytes, *, handler: str = "", where: str = "", sent: bytes = b""
) -> Failure:
    """Read what a container answered when it failed."""
    said, traceback = parted(body[: 4 * _MOST_CHARACTERS].decode("utf-8", "replace"))
    message = cut(_named(_plain(said), traceback), _MESSAGE_CHARACTERS)
    return Failure(
        status=status,
        message=message,
        handler=handler,
        where=where,
        frames=tuple(folded(traceback)),
        hint=_hint(status, f"{message}\n{traceback[-_MESSAGE_CHARACTERS:]}"),
        sent=cut(sent[: 4 * _EXCERPT_CHARACTERS].decode("utf-8", "replace"), _EXCERPT_CHARACTERS),
    )


def parted(text: str) -> tuple[str, str]:
    """Return what stands before a traceback, and the traceback; either may be empty."""
    message, mark, rest = text.partition(_TRACEBACK)
    return message.strip(), cut((mark + rest).rstrip(), _MOST_CHARACTERS)


def folded(traceback: str) -> list[Frames]:
    """Return a traceback in parts: the user's frames, and what libraries did between them.

    If there are only frames of libraries they are all shown.
    """
    parts: list[tuple[bool, list[str]]] = []
    of_library = False
    for line in traceback.splitlines():
        frame = _FRAME.match(line)
        if frame:
            of_library = bool(_NOT_THE_USERS.search(frame["file"]))
        elif not line.lstrip("| ").startswith("^") and not _is_indented(line):
            of_library = False
        if not parts or parts[-1][0] != of_library:
            parts.append((of_library, []))
        parts[-1][1].append(line)
    has_own = any(not is_library and any(map(_FRAME.match, lines)) for is_library, lines in parts)
    return [
        Frames("\n".join(lines), is_library and has_own, sum(1 for x in lines if _FRAME.match(x)))
        for is_library, lines in parts
    ]


def _is_indented(line: str) -> bool:
    return line.lstrip("|").startswith("    ")


def _hint(status: int, said: str) -> str:
    if status in _HINTS:
        return _HINTS[status]
    return next((hint for words, hint in _HINTS_BY_TEXT if words.search(said)), "")


def _named(message: str, traceback: str) -> str:
    """Return a message with the name of its error: `KeyError: 0` rather than `0`."""
    last = traceback.rpartition("\n")[2].strip()
    return last if last.endswith(f": {message}") and "\n" not in message else message


def _plain(message: str) -> str:
    """Return the message of a model server's own JSON error."""
    if not message.startswith("{"):
        return message
    try:
        document = json.loads(message)
    except (ValueError, RecursionError):
        return message
    told = document.get("message") if isinstance(document, dict) else None
    return told.encode("utf-8", "replace").decode() if isinstance(told, str) else message
