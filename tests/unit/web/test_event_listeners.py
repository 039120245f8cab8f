"""A listener's queue: what waits is bounded, told once, and in order."""

from __future__ import annotations

import asyncio

import pytest

from sagelet.web.api.listeners import (
    WAITING_AT_MOST,
    Changed,
    Event,
    Grown,
    Listener,
    Message,
    Noted,
)
from sagelet.web.api.topics import Topics, read_topics
from sagelet.web.faults import Refused
from tests.fakes import ScriptedNote


def a_listener(topics: str) -> Listener:
    return Listener(read_topics(topics), 100)


def told(listener: Listener) -> list[tuple[int, str]]:
    return [(m.number, str(m.data.get("topic", m.name))) for m in listener.fetch()]


def test_what_is_repeated_before_it_is_fetched_is_told_once_and_last() -> None:
    listener = a_listener("job:a,job:b")
    for number, topic in enumerate(("job:a", "job:b", "job:a"), 101):
        listener.offer(Event(number, Changed(topic)))
    assert told(listener) == [(102, "job:b"), (103, "job:a")]
    assert told(listener) == []


def test_what_concerns_nobody_still_moves_on() -> None:
    listener = a_listener("job:a")
    listener.offer(Event(101, Changed("job:b")))
    assert (listener.number, told(listener)) == (101, [])


def test_a_client_that_fetches_nothing_is_told_to_look_anew() -> None:
    listener = a_listener("endpoints")
    for number in range(5 * WAITING_AT_MOST):
        listener.offer(Event(number, Noted(ScriptedNote(number, "e", "reloaded"))))
    messages = listener.fetch()
    assert messages[0].name == "reset"
    assert len(messages) <= WAITING_AT_MOST + 1
    numbers = [message.number for message in messages]
    assert numbers == sorted(numbers)


def test_a_prefix_tells_one_jobs_log_from_anothers() -> None:
    listener = a_listener("log:/jobs:train-1/")
    for stream in ("train-1/algo-1", "train-10/algo-1", "other"):
        listener.offer(Event(101, Grown("/jobs", stream)))
    listener.offer(Event(101, Grown("/others", "train-1/algo-1")))
    assert listener.fetch() == [Message(101, "log", {"group": "/jobs", "stream": "train-1/algo-1"})]


async def test_waiting_ends_when_the_listener_does() -> None:
    listener = a_listener("jobs")
    waiting = asyncio.create_task(listener.wait(20))
    await asyncio.sleep(0)
    listener.end()
    async with asyncio.timeout(5):
        await waiting
    assert listener.is_over


def test_names_are_told_as_they_were_asked_for() -> None:
    topics = read_topics(" endpoints, endpoint:MyModel ,job:x")
    assert topics.named("endpoint:mymodel", "endpoint:other") == ["endpoint:MyModel"]
    assert topics.named("endpoint:*", "endpoints") == ["endpoint:MyModel", "endpoints"]
    assert read_topics("") == Topics({})


@pytest.mark.parametrize("text", ["endpoint", "endpoint:", "x", "log", "*", "endpoints:x"])
def test_a_topic_that_there_is_not_is_refused(text: str) -> None:
    with pytest.raises(Refused, match="there is no topic"):
        read_topics(text)
