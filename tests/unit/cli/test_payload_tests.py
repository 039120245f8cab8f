from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from sagelet.cli.calls import Reply
from sagelet.cli.comparing import Content
from sagelet.cli.payload_tests import Ask, PayloadTests, Verdict
from sagelet.cli.payloads import Payload
from sagelet.cli.recorded import Records
from sagelet.errors import RemoteRefused

JSON = "application/json"


def answering(body: str, **headers: str) -> Ask:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _payload: Reply(body.encode(), 1.5, 200, JSON, "v", named)


def refusing(payload: Payload) -> Reply:
    raise RemoteRefused(
        "InvokeEndpoint",
        "ModelError",
        "Received",
        members={"OriginalStatusCode": 500, "OriginalMessage": "no"},
    )


@pytest.fixture
def payload(tmp_path: Path) -> Path:
    path = tmp_path / "a.json"
    path.write_text("[1]")
    return path


def checking(payload: Path, *, records: bool = False, **askers: Ask) -> PayloadTests:
    return PayloadTests(askers, Records([payload]), 1e-4, records_answers=records)


def test_an_answer_like_the_recorded_one_is_ok(payload: Path) -> None:
    payload.with_name("a.answer.json").write_text("[0.5]")
    same = answering("[0.50001]")
    outcome = checking(payload, sane=same, strict=same).run(payload, "a.json")
    assert (outcome.verdict, outcome.why, outcome.has_record) == (Verdict.OK, (), True)
    assert outcome.document()["compared_with_record"] is True


def test_without_a_record_only_the_endpoints_are_compared(payload: Path) -> None:
    outcome = checking(payload, sane=answering("[1]"), strict=answering("[1]")).run(payload, "a")
    assert (outcome.verdict, outcome.has_record) == (Verdict.OK, False)


def test_every_difference_is_told(payload: Path) -> None:
    payload.with_name("a.answer.json").write_text('{"y": 1}')
    tests = checking(payload, sane=answering('{"y": 2}'), strict=answering('{"y": 3}'))
    outcome = tests.run(payload, "a.json")
    assert outcome.verdict is Verdict.DIFFERS
    assert outcome.why == ("recorded: $.y: 2 is not 1", "strict: $.y: 3 is not 2")


def test_an_error_of_the_first_endpoint_is_a_failure(payload: Path) -> None:
    outcome = checking(payload, sane=refusing, strict=answering("1")).run(payload, "a.json")
    assert (outcome.verdict, outcome.why) == (Verdict.FAILED, ("the model answered 500: no",))


def test_an_error_of_strict_alone_is_a_difference(payload: Path) -> None:
    outcome = checking(payload, sane=answering("1"), strict=refusing).run(payload, "a.json")
    assert outcome.verdict is Verdict.DIFFERS
    assert outcome.why == ("strict: the model answered 500: no",)


def test_a_deployed_endpoint_tells_itself_what_strict_would_do(payload: Path) -> None:
    ask = answering("1", x_sagelet_strict_differs="media-type-case")
    outcome = checking(payload, local=ask).run(payload, "a.json")
    assert outcome.verdict is Verdict.DIFFERS
    assert "media-type-case" in outcome.why[0]


def test_recording_writes_the_answer_and_compares_with_none(payload: Path) -> None:
    payload.with_name("a.answer.json").write_text("[0]")
    outcome = checking(payload, records=True, sane=answering("[7]")).run(payload, "a.json")
    assert outcome.verdict is Verdict.RECORDED
    assert payload.with_name("a.answer.json").read_text() == "[7]"


def scripted(*answers: Sequence[Content | str]) -> Callable[..., Sequence[Sequence[Content | str]]]:
    return lambda _payloads: answers


def test_answers_to_payloads_sent_at_once_are_compared_with_those_one_by_one(
    payload: Path,
) -> None:
    tests = checking(payload, sane=answering("[1]"))
    outcomes = [tests.run(payload, "a.json"), tests.run(payload, "b.json")]
    good, bad = Content(b"[1]", JSON), Content(b"[2]", JSON)
    assert tests.at_once(outcomes, scripted([good, good], [good])) == []
    assert tests.at_once(outcomes, scripted([good, bad], ["503: full"])) == [
        "a.json, sent with others: $[0]: 2 is not 1",
        "b.json, sent with others: 503: full",
    ]


def test_a_payload_that_failed_is_not_sent_with_others(payload: Path) -> None:
    tests = checking(payload, sane=refusing)
    assert tests.at_once([tests.run(payload, "a.json")], scripted()) == []
