"""Which variant gets an invocation."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from sagelet.domain.hosting import Variant
from sagelet.errors import VariantNotFound
from sagelet.hosting.routing import Routing


def variants(**weights: float) -> list[Variant]:
    return [Variant(name, "m", "local", weight=weight) for name, weight in weights.items()]


def test_the_only_variant_gets_everything() -> None:
    assert Routing("e", variants(a=1)).choose(None) == "a"


def test_a_target_is_taken_whatever_its_weight() -> None:
    assert Routing("e", variants(a=1, b=0)).choose("b") == "b"


def test_an_unknown_target_is_refused() -> None:
    with pytest.raises(VariantNotFound):
        Routing("e", variants(a=1)).choose("b")


def test_traffic_is_shared_by_weight() -> None:
    routing = Routing("e", variants(a=3, b=1, c=0), random.Random(1))
    counts = Counter(routing.choose(None) for _ in range(4000))
    assert set(counts) == {"a", "b"}
    assert 2.7 < counts["a"] / counts["b"] < 3.3


def test_without_any_weight_only_a_target_is_served() -> None:
    routing = Routing("e", variants(a=0, b=0))
    assert routing.choose("a") == "a"
    with pytest.raises(VariantNotFound):
        routing.choose(None)
