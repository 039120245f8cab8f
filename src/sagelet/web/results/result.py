"""A run as a page shows it: its answer or its error, its times, its log lines, its raw bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from sagelet.domain.invocation import UNTIMED
from sagelet.domain.media import essence, suffix_of
from sagelet.web.ansi import Span, spans
from sagelet.web.results.contents import Shown, shown
from sagelet.web.results.difference import Difference, difference
from sagelet.web.results.failure import Failure, failure
from sagelet.web.results.inputs import sent_rows
from sagelet.web.results.output import AS_IT_COMES, Output
from sagelet.web.results.scalars import Text, text_of
from sagelet.web.results.waterfall import Waterfall, waterfall
from sagelet.web.runs import Run

_HEADER_CHARACTERS = 1000
_FAILED = b"The model could not make anything of this input."
_MOST_HEADERS = 50


@dataclass(frozen=True, slots=True)
class Result:
    """What there is to see of a run: `shown` of one that went well, else `failure`.

    `raw` is the answer as text, None where it is none. `since` compares with the run before it.
    `address` is where its files are downloaded, without a slash at its end; empty where nowhere.
    `has_raw`: whoever looks may see the answer itself.
    """

    run: Run
    shown: Shown | None
    failure: Failure | None
    raw: Text | None
    waterfall: Waterfall
    lines: tuple[tuple[Span, ...], ...]
    headers: tuple[tuple[str, str], ...]
    since: Difference | None = None
    address: str = ""
    has_raw: bool = True

    @property
    def status_text(self) -> str:
        """The status in words."""
        if not self.run.status:
            return "no answer"
        try:
            return f"{self.run.status} {HTTPStatus(self.run.status).phrase}"
        except ValueError:
            return str(self.run.status)

    @property
    def has_colours(self) -> bool:
        """Whether a log line has a style of its own."""
        return any(span.classes for line in self.lines for span in line)

    @property
    def summary(self) -> str:
        """The outcome in a sentence, for those who do not see the page."""
        took = f" in {self.waterfall.total_ms:.0f} ms" if self.waterfall.steps else ""
        if self.failure is None:
            return f"The model answered{took}"
        where = f" in {self.failure.handler}" if self.failure.handler else ""
        return f"The model failed{where}: {self.status_text}"

    @property
    def file_name(self) -> str:
        """What the answer is called when it is downloaded."""
        suffix = ".txt" if self.run.is_error else suffix_of(self.run.content_type)
        return f"{self.run.endpoint}-{self.run.id}{suffix}"


def result_of(
    run: Run,
    *,
    previous: Run | None = None,
    address: str = "",
    is_owners: bool = True,
    output: Output = AS_IT_COMES,
) -> Result:
    """Return a run as it is shown; `previous` is the one to compare it with.

    `output` is what the model's owner says of its answers (`output_of(form.output)`).

    Whoever is not the owner sees that a model failed, but nothing of its code, log and headers.
    """
    has_raw = is_owners or not run.is_error
    return Result(
        run=run,
        shown=None if run.is_error else _shown(run, output),
        failure=_failure(run, is_owners=is_owners) if run.is_error else None,
        raw=_raw(run) if has_raw else None,
        waterfall=waterfall(run.timing) if is_owners else waterfall(UNTIMED),
        lines=tuple(spans(line) for line in run.lines) if is_owners else (),
        headers=_headers(run.headers) if is_owners else (),
        since=difference(previous, run) if previous is not None else None,
        address=address,
        has_raw=has_raw,
    )


def _shown(run: Run, output: Output) -> Shown:
    sent = sent_rows(run.payload.body, run.payload.content_type)
    return shown(run.body, run.content_type, sent, output)


def _failure(run: Run, *, is_owners: bool) -> Failure:
    if not is_owners:
        return failure(run.status, _FAILED)
    return failure(
        run.status, run.body, handler=run.handler, where=run.where, sent=run.payload.body
    )


def _raw(run: Run) -> Text | None:
    is_media = essence(run.content_type).partition("/")[0] in ("image", "audio", "video")
    if is_media:
        return None
    try:
        return text_of(run.body.decode())
    except UnicodeDecodeError:
        return None


def _headers(headers: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    told = sorted(headers.items())[:_MOST_HEADERS]
    return tuple((name, value[:_HEADER_CHARACTERS]) for name, value in told)
