from __future__ import annotations

import json
from dataclasses import dataclass

import pytest

from sagelet.domain.hosting import Endpoint
from sagelet.domain.training import TrainingJob
from sagelet.store import codec
from tests.builders import a_job, an_endpoint


@dataclass(frozen=True)
class Newer:
    name: str
    added_later: int = 7
    maybe: tuple[int, ...] | None = None


def _there_and_back(value: object) -> object:
    return codec.decode(type(value), json.loads(codec.to_text(codec.encode(value))))


def test_every_value_of_the_domain_comes_back_equal() -> None:
    job, endpoint = a_job(), an_endpoint()

    assert _there_and_back(job) == job
    assert _there_and_back(endpoint) == endpoint
    assert isinstance(_there_and_back(job), TrainingJob)
    assert isinstance(_there_and_back(endpoint), Endpoint)


def test_a_row_of_an_older_release_takes_the_defaults() -> None:
    assert codec.decode(Newer, {"name": "a"}) == Newer("a")


def test_a_field_that_is_gone_is_passed_over() -> None:
    assert codec.decode(Newer, {"name": "a", "dropped": [1]}) == Newer("a")


def test_what_json_cannot_hold_is_refused_at_once() -> None:
    with pytest.raises(TypeError):
        codec.to_text(codec.encode({"blob": b"bytes"}))


@dataclass(frozen=True)
class Circle:
    radius: float
    name: str = ""


@dataclass(frozen=True)
class Square:
    side: float


@dataclass(frozen=True)
class Drawing:
    shape: Circle | Square
    behind: Circle | Square | None = None


@pytest.mark.parametrize(
    "drawing", [Drawing(Circle(1.0)), Drawing(Square(2.0), Circle(1.0, "sun"))]
)
def test_one_of_several_dataclasses_is_told_by_its_fields(drawing: Drawing) -> None:
    assert codec.decode(Drawing, codec.encode(drawing)) == drawing
