"""The headers of requests' frames."""

from __future__ import annotations

import json

from sagelet.domain.invocation import Invocation
from sagelet.hosting.heads import Heads


def test_a_request_is_told_with_its_number_formats_and_headers() -> None:
    heads = Heads()
    plain = Invocation("e", b"[1]", content_type="application/json")
    told = {
        "op": "invoke", "id": 7, "content_type": "application/json", "accept": None, "headers": {},
    }  # fmt: skip
    assert json.loads(heads.invoke(7, plain)) == told
    assert json.loads(heads.invoke(8, plain)) == {**told, "id": 8}
    attributes = {"X-Amzn-SageMaker-Custom-Attributes": 'a="b"'}
    headed = Invocation("e", b"", content_type="application/json", headers=attributes)
    assert json.loads(heads.invoke(9, headed)) == {**told, "id": 9, "headers": attributes}


def test_several_are_told_with_their_sizes() -> None:
    one = Invocation("e", b"[1]", content_type="text/csv", accept="text/csv")
    other = Invocation("e", b"", headers={"a": "b"})
    assert json.loads(Heads().invoke_batch([(1, one), (2, other)])) == {
        "op": "invoke_batch",
        "requests": [
            {"id": 1, "size": 3, "content_type": "text/csv", "accept": "text/csv", "headers": {}},
            {"id": 2, "size": 0, "content_type": None, "accept": None, "headers": {"a": "b"}},
        ],
    }


def test_clients_with_ever_other_formats_do_not_fill_the_memory() -> None:
    heads = Heads()
    for number in range(1000):
        head = heads.invoke(number, Invocation("e", b"", accept=f"text/{number}"))
        assert json.loads(head)["accept"] == f"text/{number}"
    assert heads.kept <= 256
