from __future__ import annotations

from typing import Any

from sagelet.cli.running import lines


def facts(**changes: Any) -> dict[str, Any]:  # noqa: ANN401
    variant = {
        "variant": "AllTraffic",
        "generation": 3,
        "contract": "sane",
        "is_parked": False,
        "waiting": 1,
        "workers": [
            {"pid": 17, "generation": 3, "is_busy": True},
            {"pid": 18, "generation": 3, "is_busy": False},
        ],
        "requests": 120,
        "errors": 2,
        "latency_ms": {"p50": 1.25, "p99": 3.0},
        "phases_ms": {"queue": 0.1, "predict_fn": 1.0},
        "differs": {"media-type-case": 4},
    }
    return {"endpoint": "e", "port": None, "variants": [variant | changes]}


def test_an_endpoints_facts_are_told_by_variant() -> None:
    assert list(lines(facts())) == [
        "AllTraffic: generation 3, contract sane",
        "  workers   2: pid 17 (busy), 18",
        "  requests  120, 2 failed, 1 waiting",
        "  latency   p50 1.25  p99 3.00  ms",
        "  phases    queue 0.10  predict_fn 1.00  ms",
        "  strict would have answered otherwise: media-type-case 4 times",
    ]


def test_an_endpoint_that_nobody_asked_has_no_times() -> None:
    quiet = facts(latency_ms={}, phases_ms={}, differs={}, is_parked=True) | {"port": 8080}
    assert list(lines(quiet)) == [
        "container's own port: 8080",
        "AllTraffic: generation 3, contract sane",
        "  workers   none: parked until the next request",
        "  requests  120, 2 failed, 1 waiting",
    ]
