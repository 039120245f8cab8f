"""Where `contract: strict` departs from what was recorded, on purpose: in which cases, and how."""

from __future__ import annotations

from dataclasses import dataclass

from tests.oracle.results import Result


@dataclass(frozen=True)
class Departure:
    """Cases that are answered in another way here.

    `recorded` are the outcomes or statuses in the recordings; `status` and `says` are ours: the
    answer's status, and what its text contains (its first line, where a traceback follows).
    `here`, `container` and `why` are for docs/reference/conformance.md.
    """

    id: str
    cases: tuple[str, ...]
    recorded: tuple[str | int, ...]
    status: int
    says: str
    here: str
    container: str
    why: str

    def problem(self, ours: Result, recorded: Result) -> str | None:
        """Say what is not as this row has it; None if all is."""
        if not {recorded.outcome, recorded.status} & set(self.recorded):
            return f"the container gives {recorded.outcome} {recorded.status}"
        text = ours.error[0] if ours.error else ours.body.decode("utf-8", "replace")
        if ours.status != self.status or self.says not in text:
            return f"we give {ours.outcome} {ours.status}: {text}"
        return None


_WITH_REASON = "500, and why"

DEPARTURES: tuple[Departure, ...] = (
    Departure(
        "npy-pickle",
        tuple(
            f"{reader}: npy, {body}"
            for body in ("pickled objects", "a pickle without a header", "no array")
            for reader in ("decoder", "default input")
        ),
        recorded=(200, 500),
        status=500,
        says="is not read",
        here=_WITH_REASON,
        container="an npy body that is, or may be, a pickle is unpickled",
        why="reading one runs whatever code the client put there",
    ),
    Departure(
        "scalar-body",
        (
            "default input: JSON, a bare integer",
            "default input: JSON, a bare zero",
            "default input: JSON, a bare negative",
            "default input: CSV, one integer",
            "default input: CSV, one integer and a comment",
        ),
        recorded=("leaked", 200, 500),
        status=500,
        says="single value",
        here=_WITH_REASON,
        container="a JSON or CSV body of one bare integer is taken for a tensor's size by the "
        "default `input_fn`; the answer is memory that nobody wrote",
        why="it may hold other requests' data, and a large integer takes all memory",
    ),
    Departure(
        "utf8-error",
        (
            "error: raise ValueError('schön')",
            "error: raise ValueError('日本\\nzwei')",
            "error: raise BaseInferenceToolkitError(422, 'plain', 'schön')",
        ),
        recorded=("hung",),
        status=500,
        says="not ASCII",
        here=_WITH_REASON,
        container="an error whose text or phrase is not ASCII hangs its request and loses the "
        "worker",
        why="nobody waits for that",
    ),
    Departure(
        "utf8-status",
        (
            "context: context.set_response_status(201, 'schön')",
            "result: ('text', 'text/plän')",
        ),
        recorded=("hung",),
        status=500,
        says="is not ASCII",
        here=_WITH_REASON,
        container="a status phrase or a content type that is not ASCII does the same",
        why="nobody waits for that",
    ),
    Departure(
        "answer-metadata",
        (
            "context: context.set_response_status('201', 'Created')",
            "context: context.set_response_header(0, 'X-Kind', 5)",
            "result: ('text', None)",
            "result: ('text', 5)",
            "error: raise BaseInferenceToolkitError('422', 'a text', 'Text')",
            "error: raise BaseInferenceToolkitError(422, 'no phrase', None)",
        ),
        recorded=("died", 503),
        status=500,
        says="is no ",
        here=_WITH_REASON,
        container="a status that is no integer, or a header or a content type that is no text, "
        "ends the worker; a phrase that is no text is a 503 that says `Prediction failed`",
        why="the client could not tell the reason",
    ),
    Departure(
        "unsendable-result",
        (
            "result: '\\ud800'",
            "result: circle",
            "result: functools.reduce(lambda deep, _: [deep], range(5000), 1)",
            "parts: send('\\ud800')",
        ),
        recorded=("died", 500),
        status=500,
        says="The result ",
        here=_WITH_REASON,
        container="text that is no Unicode, and a value that contains itself or is nested too "
        "deep, end the worker",
        why="the client could not tell the reason",
    ),
    Departure(
        "error-half-way",
        ("parts: send('a'); raise ValueError('half-way')",),
        recorded=(200,),
        status=500,
        says="half-way",
        here="the stream ends with an error; without a stream it is a 500",
        container="an error after a part was sent is the last part of a 200",
        why="half an answer is none",
    ),
    Departure(
        "error-without-text",
        (
            "error: class Bad(Exception):\n    def __str__(self):\n"
            "        raise OSError('no text')\nraise Bad",
        ),
        recorded=(503,),
        status=500,
        says="its text is not available",
        here="500, with the traceback",
        container="an error whose own text raises is a 503 that says `Prediction failed`",
        why="the handler's error is what is looked for",
    ),
    Departure(
        "nameless-handler",
        ("handlers: predict_fn is a partial that does not fit",),
        recorded=(500,),
        status=500,
        says="predict_fn takes 1 arguments but 2 were given.",
        here="500, by the name that it has in the module",
        container="a handler without `__name__` that takes another number of arguments is a 500 "
        "about that attribute",
        why="the arguments are what is wrong",
    ),
    Departure(
        "empty-default-accept",
        ("default accept: an empty text",),
        recorded=(500,),
        status=200,
        says="1",
        here="it counts as not set",
        container="an empty `SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT` is the type that is accepted, "
        "and the default `output_fn` fails",
        why="templates leave variables empty",
    ),
    Departure(
        "metrics-error",
        ("context: context.metrics.add_error('Oops', 'text')",),
        recorded=(500,),
        status=200,
        says="done",
        here="a line of the log",
        container="`context.metrics.add_error` takes numbers only",
        why="an error has a text",
    ),
)

_BY_CASE = {case: row for row in DEPARTURES for case in row.cases}


def departure_of(name: str) -> Departure | None:
    """Return how a case departs, None if it does not."""
    return _BY_CASE.get(name)
