"""The history of calls: rows in SQLite, bodies in files, both bounded, and what feeds it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sagelet.domain.hosting import EndpointStatus
from sagelet.domain.invocation import Answer, Invocation, Timing
from sagelet.hosting.call_history import KeptCalls, Made
from sagelet.hosting.host import HostingSettings
from sagelet.hosting.recording import AT_ONCE, CallRecorder
from sagelet.store.store import Store
from tests.builders import ACCOUNT, an_endpoint
from tests.fakes import HeldClock
from tests.hosting_rig import Rig, until
from tests.scripted_workers import ScriptedLauncher

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path / "state.db", ACCOUNT)
    with made.writing() as tx:
        for name in ("sentiment", "other"):
            tx.endpoints.add(an_endpoint(name, status=EndpointStatus.CREATING))
    yield made
    made.close()


@pytest.fixture
def history(store: Store, tmp_path: Path) -> KeptCalls:
    return KeptCalls(store, tmp_path / "history", kept=20, kept_bytes=10_000)


def made(
    body: bytes = b"[1]",
    answer: bytes = b"{}",
    *,
    endpoint: str = "sentiment",
    status: int = 200,
    second: float = 0,
    **more: Any,  # noqa: ANN401  an invocation's fields
) -> Made:
    timing = Timing(0.5, {"predict_fn": 1.5}, 2.5)
    return Made(
        Invocation(endpoint, body, content_type="application/json", **more),
        Answer(status, answer, "application/json", "AllTraffic", 3, timing=timing),
        AT + timedelta(seconds=second),
    )


def files(folder: Path) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file()]


def test_a_call_comes_back_whole(history: KeptCalls) -> None:
    history.record([made(b'["text"]', b'{"p": 1}', accept="text/csv", source="web")])
    (summary,) = history.recent("sentiment")
    call = history.get("sentiment", summary.id)
    assert call is not None
    assert (call.body, call.answer_body) == (b'["text"]', b'{"p": 1}')
    assert (call.at, call.source, call.accept, call.status) == (AT, "web", "text/csv", 200)
    assert call.timing == Timing(0.5, {"predict_fn": 1.5}, 2.5)
    assert (summary.preview, summary.body_bytes, summary.generation) == ('["text"]', 8, 3)
    assert not summary.is_error


def test_the_newest_comes_first_and_pages_go_on(history: KeptCalls) -> None:
    history.record([made(b"%d" % second, second=second) for second in range(5)])
    first = history.recent("sentiment", limit=2)
    then = history.recent("sentiment", limit=2, before=first[-1].id)
    assert [call.preview for call in (*first, *then)] == ["4", "3", "2", "1"]


@pytest.mark.parametrize(
    "call",
    [{"trace": "01KFZZZZZZZZZZZZZZZZZZZZZZ"}, {"call_id": "01KFZZZZZZZZZZZZZZZZZZZZZZ"}],
)
def test_a_call_has_the_id_that_its_run_has(history: KeptCalls, call: dict[str, Any]) -> None:
    history.record([made(**call)])
    assert history.get("sentiment", "01KFZZZZZZZZZZZZZZZZZZZZZZ") is not None


def test_each_endpoint_keeps_its_latest(history: KeptCalls) -> None:
    history.record([made(endpoint="other")])
    for start in (0, 15):
        history.record([made(b"%d" % n, second=n) for n in range(start, start + 15)])
    kept = history.recent("sentiment", limit=100)
    assert [call.preview for call in kept] == [str(n) for n in range(29, 9, -1)]
    assert len(history.recent("other")) == 1


def test_the_oldest_go_where_the_bodies_are_too_much(history: KeptCalls, tmp_path: Path) -> None:
    history.record([made(bytes([n]) * 1000, second=n) for n in range(20)])
    history.record([made(b"x" * 1000, second=30)])
    assert history.facts().body_bytes <= 10_000
    assert sum(file.stat().st_size for file in files(tmp_path / "history")) <= 10_000


def test_the_same_payload_is_one_file(history: KeptCalls, tmp_path: Path) -> None:
    history.record([made(b"same", b"same", second=n) for n in range(10)])
    assert len(files(tmp_path / "history")) == 1
    assert history.clear("sentiment") == 10
    assert files(tmp_path / "history") == []


def test_a_body_over_a_megabyte_is_not_kept_but_its_size_is(history: KeptCalls) -> None:
    history.record([made(b"x" * 1_000_001)])
    (summary,) = history.recent("sentiment")
    call = history.get("sentiment", summary.id)
    assert call is not None
    assert (call.body, call.body_bytes, call.answer_body) == (None, 1_000_001, b"{}")


def test_secrets_are_redacted(history: KeptCalls) -> None:
    history.record([made(b'{"api_key": "s3cr3t"}', b'{"token": "t0k3n"}')])
    (summary,) = history.recent("sentiment")
    call = history.get("sentiment", summary.id)
    assert call is not None
    assert (call.body, call.is_redacted) == (b'{"api_key": "[redacted]"}', True)
    assert call.answer_body == b'{"token": "[redacted]"}'
    assert "s3cr3t" not in summary.preview


def test_good_payloads_are_distinct_and_were_answered(history: KeptCalls) -> None:
    calls = [(b"a", 200), (b"b", 500), (b"a", 200), (b"c", 200), (b"x" * 1_000_001, 200)]
    history.record([made(body, status=s, second=n) for n, (body, s) in enumerate(calls)])
    assert [call.body for call in history.good_payloads("sentiment")] == [b"c", b"a"]
    assert len(history.good_payloads("sentiment", limit=1)) == 1


def test_calls_go_with_their_endpoint(history: KeptCalls, store: Store, tmp_path: Path) -> None:
    history.record([made(), made(endpoint="other", second=1)])
    with store.writing() as tx:
        tx.endpoints.remove("sentiment")
    history.record([made(b"too late")])
    history.sweep()
    assert history.recent("sentiment") == ()
    assert len(history.recent("other")) == 1
    assert len(files(tmp_path / "history")) == 2


def test_what_a_crash_left_is_removed(history: KeptCalls, tmp_path: Path) -> None:
    history.record([made()])
    left = tmp_path / "history" / "ab" / ("ab" * 32)
    left.parent.mkdir()
    left.write_text("nobody's")
    history.tidy()
    assert not left.exists()
    assert len(files(tmp_path / "history")) == 2


def test_all_calls_can_be_cleared(history: KeptCalls) -> None:
    history.record([made(), made(endpoint="other")])
    assert history.clear() == 2
    assert history.facts().calls == 0


def test_whether_it_is_on_is_remembered(history: KeptCalls, store: Store, tmp_path: Path) -> None:
    assert history.is_on
    history.turn(on=False)
    assert not KeptCalls(store, tmp_path / "history").is_on
    history.turn(on=True)
    assert KeptCalls(store, tmp_path / "history").is_on


def test_calls_that_cannot_be_written_down_are_counted(store: Store, tmp_path: Path) -> None:
    tmp_path.joinpath("history").write_text("a file is in the way")
    history = KeptCalls(store, tmp_path / "history")
    history.record([made(), made()])
    assert history.facts().dropped == 2
    assert history.recent("sentiment") == ()


@pytest.mark.parametrize(
    ("body", "preview"),
    [(b"\x93NUMPY\x01\x00v\x00", ""), (b"\xff\xd8", ""), ("é".encode() * 500, "é" * 200),
     (b"a\n  b\tc", "a b c"), (b"a\x00b", "")],
)  # fmt: skip
def test_previews_are_one_line_of_text(history: KeptCalls, body: bytes, preview: str) -> None:
    history.record([made(body)])
    assert history.recent("sentiment")[0].preview == preview


async def test_the_first_calls_are_recorded_and_then_one_a_second(history: KeptCalls) -> None:
    recorder = CallRecorder(history, HeldClock())
    good, bad = made(), made(status=500)
    now, took = 100.0, 0
    while now < 105.0:
        next_due = recorder.take(good.invocation, good.answer, now)
        took += 1
        assert next_due - now == (0.0 if took < AT_ONCE else pytest.approx(1.0))
        now = next_due
    assert took == AT_ONCE + 4
    assert recorder.take(bad.invocation, bad.answer, now) == now  # failures are not crowded out
    await recorder.flush()
    assert history.recent("sentiment")[0].status == 500


async def test_public_calls_are_not_recorded_nor_any_once_it_is_off(history: KeptCalls) -> None:
    recorder = CallRecorder(history, HeldClock())
    public = made(source="public")
    assert recorder.take(public.invocation, public.answer, 100.0) == 100.0
    history.turn(on=False)
    call = made()
    assert recorder.take(call.invocation, call.answer, 100.0) == 101.0
    recorder.keep(public.invocation, public.answer)
    recorder.keep(made(trace="run").invocation, call.answer)
    await recorder.flush()
    assert [call.id for call in history.recent("sentiment")] == ["run"]


async def test_more_calls_than_can_wait_are_counted(history: KeptCalls) -> None:
    recorder = CallRecorder(history, HeldClock())
    call = made(b"x" * 1_000_000)
    for _ in range(40):
        recorder.keep(call.invocation, call.answer)
    assert history.dropped == 40 - 31
    await recorder.flush()


async def test_whoever_follows_is_told_of_new_calls(history: KeptCalls) -> None:
    told: asyncio.Queue[str] = asyncio.Queue()
    recorder = CallRecorder(history, HeldClock(), told.put_nowait)
    call = made()
    recorder.keep(call.invocation, call.answer)
    assert await asyncio.wait_for(told.get(), 5) == "sentiment"
    assert len(history.recent("sentiment")) == 1
    await recorder.flush()


async def test_what_an_endpoint_answers_is_in_its_history(tmp_path: Path) -> None:
    launcher = ScriptedLauncher()
    rig = Rig(tmp_path, launcher, HostingSettings(drain_s=5, stop_s=2))
    told: list[str] = []
    rig.store.changes.observe(lambda arn, _: told.append(arn))
    await rig.host.start()
    rig.create(None)
    await rig.in_service()
    await rig.ask(b"first")
    asked = Invocation("sentiment", b"traced", content_type="text/plain", trace="run", source="web")
    await rig.host.submit(asked)
    await until(lambda: rig.history.facts().calls == 2)
    calls = {call.preview: call for call in rig.history.recent("sentiment")}
    assert calls["first"].source == "aws"
    assert (calls["traced"].id, calls["traced"].source) == ("run", "web")
    await until(lambda: "calls/sentiment" in told)
    rig.delete()
    await until(lambda: rig.find() is None and rig.history.facts().calls == 0)
    await rig.host.close()
    assert files(rig.home.history) == []
