"""Where `contract: sane` is kinder than SageMaker's container: one row for each way.

A request whose answer `contract: strict` (or the container) would have given otherwise carries the
ids of its rows; that is a bug that waits for production. The rows are the docs' table, too
(docs/reference/contract-differences.md).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Difference:
    """What happens here, what in the container, and why.

    `counted` rows are noticed on the requests that they change; the others are not.
    """

    id: str
    here: str
    there: str
    why: str
    counted: bool = True


DIFFERENCES = (
    Difference(
        "media-type-parameters",
        here="`application/json; charset=utf-8` is JSON",
        there="types are compared as text: the handler gets bytes, the default ones answer 500",
        why="HTTP clients add parameters by themselves",
    ),
    Difference(
        "media-type-case",
        here="`Application/JSON` is JSON",
        there="types are compared as text",
        why="media types have no case",
    ),
    Difference(
        "quality-values",
        here="`text/csv;q=0.5, application/json` is weighed",
        there="the header is passed on as text; default handlers do not find the type in it",
        why="Accept is defined so",
    ),
    Difference(
        "media-ranges",
        here="`application/*` and `text/html, */*` mean the first type that can be written",
        there="only an Accept that is `*/*` and nothing else",
        why="browsers send them",
    ),
    Difference(
        "accept-list",
        here="several accepted types label the answer with the best of them",
        there="Content-Type is the whole Accept header",
        why="that is no content type",
    ),
    Difference(
        "unsupported-415",
        here="UnsupportedFormatError from `input_fn` or `transform_fn` is a 415",
        there="500",
        why="it is the client's mistake",
    ),
    Difference(
        "unsupported-406",
        here="UnsupportedFormatError from `output_fn` is a 406",
        there="500",
        why="it is the client's mistake",
    ),
    Difference(
        "npy-pickle",
        here="an npy or npz body with Python objects in it is refused",
        there="it is unpickled, which runs whatever code the client put there",
        why="a defect",
    ),
    Difference(
        "scalar-body",
        here="a JSON or CSV body that is one bare number is refused by the default `input_fn`",
        there="an integer becomes the size of a tensor of uninitialised memory, which is sent "
        "back; any other number a tensor without dimensions",
        why="a defect",
    ),
    Difference(
        "utf8-error",
        here="an error's text may hold any character",
        there="the request hangs and the worker is lost where the text is not ASCII",
        why="a defect",
    ),
    Difference(
        "utf8-status",
        here="a status phrase or a content type may hold any character",
        there="the request hangs and the worker is lost where it is not ASCII",
        why="a defect",
    ),
    Difference(
        "answer-metadata",
        here="a status or a header that a handler sets as another type is converted",
        there="the worker dies unless the status is an integer and headers are text; an error's "
        "phrase that is no text makes its answer a 503",
        why="it is what was meant",
    ),
    Difference(
        "unsendable-result",
        here="a result that contains itself, or text that is no Unicode, is an error that says so",
        there="the worker dies",
        why="an error has a text",
    ),
    Difference(
        "generator",
        here="a generator is streamed",
        there="503 (its way to stream is `send_intermediate_predict_response`)",
        why="it is the obvious way",
    ),
    Difference(
        "request-too-large",
        here="a request may have as much as the daemon takes, unless a variable sets a limit",
        there="one of more than 6,553,500 bytes is a 413",
        why="a limit is for the machine that has it",
    ),
    Difference(
        "response-too-large",
        here="an answer that is larger than the limit is a 500 that names both; there is none "
        "unless a variable sets it, where the container has 6,553,500 bytes",
        there='the worker dies: 500, "Worker died."',
        why="an error has a text, and a limit is for the machine that has it",
    ),
    Difference(
        "header-case",
        here="`get_request_header` finds a header in any case",
        there="only as it was sent; otherwise it returns None",
        why="header names have no case",
    ),
    Difference(
        "form-body",
        here="a form (`application/x-www-form-urlencoded`, `multipart/form-data`) reaches the "
        "handler as it was sent",
        there="it is taken apart; the handler gets the field `body`, or None",
        why="a handler can only read what it gets",
    ),
    Difference(
        "system-exit",
        here="`sys.exit()` in a handler is a 500",
        there="the worker ends",
        why="the model stays loaded",
    ),
    Difference(
        "batch-predict",
        here="requests that wait together go to `predict_batch_fn`, where a module has one",
        there="the function is not known; each goes to `predict_fn`",
        why="speed; the answers are the same but for the last bits",
        counted=False,
    ),
    Difference(
        "part-type",
        here="parts that a handler sends before it returns have the accepted content type",
        there="no content type, unless the handler set one before the first part",
        why="it is what the other answers have",
        counted=False,
    ),
    Difference(
        "unserialisable-place",
        here="the 503 for a result that is no text, no bytes and no JSON names the place",
        there="`Unsupported model output data type.`",
        why="so that it can be found",
        counted=False,
    ),
    Difference(
        "async-handlers",
        here="a handler that is `async def` fails the endpoint",
        there="each request is a 503, for nothing awaits it",
        why="it is known at once",
        counted=False,
    ),
    Difference(
        "no-content",
        here="the statuses 204 and 304 have no body",
        there="what the handler returned is sent after them",
        why="HTTP has none there; it would be taken for the next answer",
        counted=False,
    ),
)

_BY_ID = {row.id: row for row in DIFFERENCES}


class Refused(ValueError):
    """What the container takes at a price that nobody should pay; an error in either contract.

    `difference` is the id of the row that tells.
    """

    def __init__(self, difference: str, message: str) -> None:
        """Add to the message what the container would do."""
        self.difference = difference
        super().__init__(f"{message} (SageMaker's container: {_BY_ID[difference].there}.)")
