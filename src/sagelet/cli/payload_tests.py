"""Payloads sent to an endpoint, and what came back compared: with the record, with `strict`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeAlias

from sagelet.cli.calls import Reply
from sagelet.cli.comparing import Content, first_difference
from sagelet.cli.failures import message_of
from sagelet.cli.payloads import Payload
from sagelet.cli.recorded import Records
from sagelet.errors import RemoteRefused

Ask: TypeAlias = Callable[[Payload], Reply]
AskAtOnce: TypeAlias = Callable[[Sequence[Payload]], Sequence[Sequence[Content | str]]]
"""Sends all payloads at the same time, and returns the answers to each of them.

A text in place of an answer says what went wrong.
"""


class Verdict(StrEnum):
    """What became of a payload."""

    OK = "ok"
    RECORDED = "recorded"
    DIFFERS = "differs"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A payload's verdict, and why; `answer` is the first endpoint's, where it gave one."""

    payload: Payload
    verdict: Verdict
    why: tuple[str, ...] = ()
    ms: float | None = None
    answer: Content | None = None
    has_record: bool = False

    def document(self) -> dict[str, Any]:
        """Return it as data."""
        return {
            "payload": self.payload.name,
            "verdict": str(self.verdict),
            "why": list(self.why),
            "ms": None if self.ms is None else round(self.ms, 3),
            "compared_with_record": self.has_record,
        }


@dataclass(frozen=True, slots=True)
class PayloadTests:
    """How payloads are tested.

    `askers` are the endpoints by what they are called. The first one's answers are recorded, if
    that is asked for, else compared with those on record; and with the other endpoints' answers.
    """

    askers: Mapping[str, Ask]
    records: Records
    tolerance: float
    records_answers: bool = False

    def run(self, path: Path, name: str) -> Outcome:
        """Test one payload."""
        payload = Payload.of_file(path)
        payload = Payload(payload.body, payload.content_type, name)
        ask, *others = self.askers.values()
        try:
            reply = ask(payload)
        except RemoteRefused as refused:
            return Outcome(payload, Verdict.FAILED, (message_of(refused),))
        answer = Content(reply.body, reply.content_type)
        record = None if self.records_answers else self.records.find(path)
        why = [*self._against_record(record, answer), *self._against_others(payload, answer)]
        if reply.differs and not others:
            why.append(f"`contract: strict` would answer otherwise: {reply.differs}")
        if self.records_answers:
            self.records.write(path, answer)
        good = Verdict.RECORDED if self.records_answers else Verdict.OK
        verdict = Verdict.DIFFERS if why else good
        return Outcome(payload, verdict, tuple(why), reply.ms, answer, record is not None)

    def at_once(self, outcomes: Sequence[Outcome], ask: AskAtOnce) -> list[str]:
        """Send all payloads that were answered at once; return what differs from one by one."""
        answered = [each for each in outcomes if each.answer is not None]
        found = ask([each.payload for each in answered])
        problems = []
        for outcome, answers in zip(answered, found, strict=True):
            differing = (self._with_others(outcome, answer) for answer in answers)
            problem = next(filter(None, differing), "")
            if problem:
                problems.append(f"{outcome.payload.name}, sent with others: {problem}")
        return problems

    def _with_others(self, outcome: Outcome, answer: Content | str) -> str:
        if isinstance(answer, str):
            return answer
        assert outcome.answer is not None
        return first_difference(outcome.answer, answer, self.tolerance)

    def _against_record(self, record: Content | None, answer: Content) -> list[str]:
        if record is None:
            return []
        found = first_difference(record, self.records.as_recorded(answer), self.tolerance)
        return [f"recorded: {found}"] if found else []

    def _against_others(self, payload: Payload, answer: Content) -> list[str]:
        problems = []
        for name, ask in list(self.askers.items())[1:]:
            problem = self._against(ask, payload, answer)
            problems += [f"{name}: {problem}"] if problem else []
        return problems

    def _against(self, ask: Ask, payload: Payload, answer: Content) -> str:
        try:
            reply = ask(payload)
        except RemoteRefused as refused:
            return message_of(refused)
        return first_difference(answer, Content(reply.body, reply.content_type), self.tolerance)
