"""A person's model answers piece by piece, and a client reads along."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, EventStreamError

from sagelet.environments.credentials import load_or_create
from sagelet.environments.local_api import LocalApi
from tests.end_to_end.local_aws import REGION, LocalAws, eventually

HANDLERS = """
import json
import os
import pathlib
import time


def model_fn(model_dir):
    return pathlib.Path(os.environ["MARKS"])


def input_fn(body, content_type):
    return json.loads(body)


def predict_fn(asked, marks):
    if asked.get("fails") == "at once":
        raise ValueError("not a single word")
    if "waits_s" in asked:
        (marks / "begun").touch()
        time.sleep(asked["waits_s"])
    return words(asked, marks)


def words(asked, marks):
    try:
        for word in asked["words"]:
            while word == "<pause>" and not (marks / "go").exists():
                time.sleep(0.005)
                yield "."
            if word == "<fail>":
                raise ValueError("lost for words")
            yield word
    finally:
        (marks / "ended").touch()


def output_fn(prediction, accept):
    return prediction, "text/plain"
"""


def written(folder: Path) -> Path:
    """Write the model; beside it there is room for what its handlers leave behind."""
    (folder / "model" / "code").mkdir(parents=True)
    (folder / "model" / "code" / "inference.py").write_text(HANDLERS)
    (folder / "marks").mkdir()
    return folder / "model"


@pytest.fixture(scope="module")
def served(local: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An endpoint, `streamer`; the folder of its handlers' marks."""
    folder = tmp_path_factory.mktemp("streamer")
    marks = {"MARKS": str(folder / "marks")}
    with local.deployed("streamer", written(folder), environment=marks) as described:
        assert described["EndpointStatus"] == "InService", described
        yield folder / "marks"


@pytest.fixture
def marks(served: Path) -> Path:
    """The folder of marks, without what another test has left in it."""
    for mark in served.iterdir():
        mark.unlink()
    return served


def stream(local: LocalAws, **asked: Any) -> dict[str, Any]:  # noqa: ANN401  what the handler reads
    answer: dict[str, Any] = local.client("sagemaker-runtime").invoke_endpoint_with_response_stream(
        EndpointName="streamer", Body=json.dumps(asked)
    )
    return answer


def text_of(events: Iterator[dict[str, Any]]) -> Iterator[str]:
    for event in events:
        yield event["PayloadPart"]["Bytes"].decode()


@pytest.mark.usefixtures("marks")
def test_words_come_one_by_one(local: LocalAws) -> None:
    answer = stream(local, words=["one ", "two ", "three"])
    assert answer["ContentType"] == "text/plain"
    assert answer["InvokedProductionVariant"] == "AllTraffic"
    with closing(answer["Body"]) as events:
        assert list(text_of(events)) == ["one ", "two ", "three"]


def test_a_word_is_there_before_the_next_is_thought_of(local: LocalAws, marks: Path) -> None:
    with closing(stream(local, words=["first", "<pause>", "last"])["Body"]) as events:
        words = text_of(events)
        assert next(words) == "first"
        (marks / "go").touch()
        assert list(words)[-1] == "last"


@pytest.mark.usefixtures("marks")
def test_the_whole_is_returned_to_who_asks_for_the_whole(local: LocalAws) -> None:
    answer = local.client("sagemaker-runtime").invoke_endpoint(
        EndpointName="streamer", Body=json.dumps({"words": ["one ", "two"]})
    )
    assert answer["Body"].read() == b"one two"
    headers = answer["ResponseMetadata"]["HTTPHeaders"]
    assert headers["x-sagelet-generation"] == "1"
    assert "predict_fn;dur=" in headers["server-timing"]


@pytest.mark.usefixtures("marks")
def test_a_model_that_fails_at_once_is_a_model_error(local: LocalAws) -> None:
    with pytest.raises(ClientError) as caught:
        stream(local, fails="at once")
    response: Any = caught.value.response
    assert response["Error"]["Code"] == "ModelError"
    assert response["OriginalStatusCode"] == 500
    assert response["OriginalMessage"].startswith("not a single word\nTraceback")
    headers = response["ResponseMetadata"]["HTTPHeaders"]
    assert headers["x-sagelet-handler"] == "predict_fn"
    assert "inference.py:" in headers["x-sagelet-where"]


@pytest.mark.usefixtures("marks")
def test_a_model_that_fails_half_way_says_so_in_the_stream(local: LocalAws) -> None:
    with closing(stream(local, words=["one", "<fail>"])["Body"]) as events:
        words = text_of(events)
        assert next(words) == "one"
        with pytest.raises(EventStreamError, match="ModelStreamError") as caught:
            next(words)
    assert caught.value.response["Error"]["Message"].startswith("lost for words")


def test_a_reader_that_leaves_ends_the_thought(local: LocalAws, marks: Path) -> None:
    with closing(stream(local, words=["one", "<pause>", "two"])["Body"]) as events:
        assert next(text_of(events)) == "one"
    eventually(lambda: (marks / "ended").exists(), "the handler's generator is closed")
    with closing(stream(local, words=["next"])["Body"]) as events:
        assert list(text_of(events)) == ["next"]


@pytest.mark.usefixtures("marks")
def test_the_daemon_tells_of_its_endpoint_and_of_what_happened(local: LocalAws) -> None:
    api = LocalApi(local.info.address, load_or_create(local.home), REGION)
    facts = api.endpoint("streamer")
    assert facts is not None
    (variant,) = facts["variants"]
    assert (variant["variant"], variant["generation"]) == ("AllTraffic", 1)
    assert all(worker["pid"] > 0 for worker in variant["workers"])
    assert api.endpoint("nobody") is None
    told = api.events(0)
    assert told["last"] >= len(told["events"])


def test_a_daemon_that_ends_answers_first(own_daemon: LocalAws, tmp_path: Path) -> None:
    marks = {"MARKS": str(tmp_path / "marks")}
    own_daemon.deploy("streamer", written(tmp_path), environment=marks)
    own_daemon.wait_in_service("streamer")
    heard: list[str] = []
    waiting = threading.Thread(
        target=lambda: heard.append(
            own_daemon.invoke("streamer", json.dumps({"waits_s": 0.7, "words": ["done"]}))
        )
    )
    waiting.start()
    eventually(lambda: (tmp_path / "marks" / "begun").exists(), "the handler is at work")
    own_daemon.sagelet("down")
    waiting.join(10)
    assert heard == ["done"]
