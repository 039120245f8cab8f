from __future__ import annotations

import pytest

from sagelet.training.gpus import devices, share


@pytest.mark.parametrize(
    ("count", "visible", "found"),
    [
        (2, None, ("0", "1")),
        (4, "2,3", ("2", "3")),
        (4, "1, -1, 2", ("1",)),
        (4, "", ()),
        (0, "0,1", ()),
        (2, "GPU-8932f937", ("GPU-8932f937",)),
    ],
)
def test_the_machines_gpus_are_those_that_are_visible(
    count: int, visible: str | None, found: tuple[str, ...]
) -> None:
    environment = {} if visible is None else {"CUDA_VISIBLE_DEVICES": visible}
    assert devices(count, environment) == found


def test_each_host_gets_as_many_as_the_next() -> None:
    machine = ("0", "1", "2", "3", "4")
    assert [share(number, 2, machine) for number in (0, 1)] == [("0", "1"), ("2", "3")]
    assert share(0, 1, machine) == machine


def test_where_there_are_too_few_no_host_has_one() -> None:
    assert [share(number, 3, ("0", "1")) for number in range(3)] == [(), (), ()]
