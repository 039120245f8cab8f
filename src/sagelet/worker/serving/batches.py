"""Several requests in one call of the user's `predict_batch_fn`.

    each: input_fn ── all: predict_batch_fn(inputs, model) ── each: output_fn

A request that fails in input_fn or output_fn fails alone. Where predict_batch_fn raises, or does
not return one result for each input, every request goes to predict_fn by itself, and the log says
so: a batch may cost time, never an answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Callable

from sagelet.worker.serving.answers import Responder
from sagelet.worker.serving.handlers import BATCH_FUNCTION
from sagelet.worker.serving.telling import tell
from sagelet.worker.serving.tracebacks import describe
from sagelet.worker.serving.turns import Turn

Answer = tuple[dict[str, Any], bytes]


def answer_batch(
    responder: Responder, requests: Sequence[Mapping[str, Any]], bodies: bytes
) -> tuple[dict[str, Any], bytes]:
    """Return the frame that answers several requests; `bodies` lie one after the other."""
    answers = _Batch(responder).answers(requests, bodies)
    headers = []
    for header, body in answers:
        del header["op"]
        headers.append({**header, "size": len(body)})
    return {"op": "answers", "answers": headers}, b"".join(body for _, body in answers)


class _Batch:
    """The requests of one frame; `_answers` are complete once every request has one."""

    def __init__(self, responder: Responder) -> None:
        self._responder = responder
        self._answers: dict[int, Answer] = {}

    def answers(self, requests: Sequence[Mapping[str, Any]], bodies: bytes) -> list[Answer]:
        ready: dict[int, Turn] = {}
        start = 0
        for place, asked in enumerate(requests):
            end = start + asked["size"]
            turn = self._responder.begin(asked)
            if self._read(place, turn, bodies[start:end]):
                ready[place] = turn
            start = end
        self._predict(ready)
        return [self._answers[place] for place in range(len(requests))]

    def _read(self, place: int, turn: Turn, body: bytes) -> bool:
        """Run input_fn; False where that was the end of it."""
        refused = self._responder.refusal(turn, body)
        if refused is not None:
            self._answers[place] = refused
            return False

        turn.data = body
        return self._guarded(place, turn, self._input)

    def _predict(self, ready: Mapping[int, Turn]) -> None:
        turns = list(ready.values())
        results = self._together(turns) if len(turns) > 1 else None
        for number, (place, turn) in enumerate(ready.items()):
            self._responder.take_up(turn)
            if results is not None:
                turn.data = results[number]
            if results is not None or self._guarded(place, turn, self._alone):
                self._guarded(place, turn, self._write)

    def _together(self, turns: Sequence[Turn]) -> list[Any] | None:
        """Return the predictions of several requests; None where each must be run alone."""
        batch, model = self._responder.calls.batch, self._responder.loaded.model
        if batch is None:
            return None
        self._responder.take_up(*turns)
        for turn in turns:
            turn.enter(BATCH_FUNCTION)
        try:
            return _one_each(batch([turn.data for turn in turns], model), turns)
        except BaseException as error:  # noqa: BLE001 - each is answered alone, and the log is told
            tell(describe(error).traceback)
            tell(f"{len(turns)} requests are predicted one by one instead\n")
            return None
        finally:
            for turn in turns:
                turn.leave()

    def _input(self, _place: int, turn: Turn) -> None:
        data = turn.formats.body_for(turn.data)
        turn.enter("input_fn")
        turn.data = self._responder.calls.input(data, turn.formats.content_type)

    def _alone(self, _place: int, turn: Turn) -> None:
        turn.enter("predict_fn")
        turn.data = self._responder.calls.predict(turn.data, self._responder.loaded.model)

    def _write(self, place: int, turn: Turn) -> None:
        turn.enter("output_fn")
        result = self._responder.calls.output(turn.data, turn.formats.accept)
        self._answers[place] = self._responder.finish(turn, result)

    def _guarded(self, place: int, turn: Turn, step: Callable[[int, Turn], None]) -> bool:
        """Run a step of one request; False, and its answer is there, where it failed."""
        try:
            step(place, turn)
        except BaseException as error:  # noqa: BLE001 - the user's code may raise anything
            self._answers[place] = self._responder.fail(turn, error)
            return False
        return True


def _one_each(results: Any, turns: Sequence[Turn]) -> list[Any]:
    """Return the results as a list.

    Raises:
        TypeError, ValueError: they are no sequence, or not one for each request.
    """
    if isinstance(results, (str, bytes, Mapping)):
        raise TypeError(f"{BATCH_FUNCTION} returned {type(results).__name__}, not a list")
    found = list(results)
    if len(found) != len(turns):
        raise ValueError(f"{BATCH_FUNCTION} returned {len(found)} results for {len(turns)} inputs")
    return found
