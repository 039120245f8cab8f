"""What the daemon asks of a worker about an edit: prepare it, commit it, or forget it.

With a sample, `prepare` has the new handlers answer it, out of sight; an answer with a status of
400 or more is a failed edit, as an error of the import is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from http import HTTPStatus
from typing import Any

from sagelet.worker.serving import time_limit
from sagelet.worker.serving.answers import Responder
from sagelet.worker.serving.reloading import NeedsFresh, Prepared, Reloader
from sagelet.worker.serving.tracebacks import Failure, describe

_SAMPLE_S = 1.0
"""How long a sample may hold up a worker that has requests; a longer one is for a fresh worker."""

_SHOWN = 500

Header = dict[str, Any]


class Preparing:
    """An edit on its way in."""

    def __init__(
        self, reloader: Reloader, responder: Responder, *, sample_s: float = _SAMPLE_S
    ) -> None:
        """Begin with nothing prepared."""
        self._reloader = reloader
        self._responder = responder
        self._sample_s = sample_s
        self._prepared: Prepared | None = None

    def reply(self, header: Mapping[str, Any], body: bytes) -> Header | None:
        """Return what is said to a frame about an edit; None where there is nothing to say."""
        prepared, op = self._prepared, header["op"]
        if op == "cancel":
            return None  # of a request that has been answered meanwhile
        self._prepared = None
        if op == "prepare":
            return self._prepare(header, body)
        if op == "commit" and prepared is not None:
            self._responder.loaded = self._reloader.commit(prepared)
            return {"op": "committed", **self._facts(prepared)}
        return None

    def _prepare(self, header: Mapping[str, Any], body: bytes) -> Header:
        generation = header["generation"]
        outcome = self._reloader.prepare(self._responder.loaded, generation, header["changed"])
        sample = header.get("sample")
        if isinstance(outcome, Prepared) and sample is not None:
            outcome = self._tried(outcome, sample, body)
        if isinstance(outcome, NeedsFresh):
            return {"op": "needs_fresh", "generation": generation, "why": outcome.why}
        if isinstance(outcome, Failure):
            return {"op": "prepare_failed", "generation": generation, **asdict(outcome)}
        self._prepared = outcome
        return {
            "op": "prepared",
            "model": "kept",
            "ms": outcome.ms,
            "modules": sorted(outcome.remade.modules),
            **self._facts(outcome),
        }

    def _tried(
        self, prepared: Prepared, sample: Mapping[str, Any], body: bytes
    ) -> Prepared | NeedsFresh | Failure:
        """Answer a sample with new handlers."""
        asked = {"content_type": sample.get("content_type"), "accept": sample.get("accept")}
        try:
            with time_limit.seconds(self._sample_s), self._reloader.tried(prepared):
                answer, result = self._responder.trial(prepared.loaded, asked, body)
        except time_limit.TookTooLong:
            return NeedsFresh(f"the sample takes longer than {self._sample_s:g} s")
        except SystemExit as ended:
            return describe(ended)
        status = answer["status"]
        if status < HTTPStatus.BAD_REQUEST:
            return prepared
        text = result.decode("utf-8", "replace")
        error = answer.get("error") or f"the sample was answered with {status}: {text[:_SHOWN]}"
        module = prepared.loaded.handlers.module
        where = answer.get("where") or getattr(module, "__file__", None) or ""
        return Failure(error=error, where=where, traceback=text)

    def _facts(self, prepared: Prepared) -> Header:
        handlers = prepared.loaded.handlers
        return {"generation": prepared.loaded.generation, "batches": handlers.batch is not None}
