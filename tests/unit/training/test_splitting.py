"""Which hyperparameters an older image's shell would change."""

from __future__ import annotations

import pytest

from sagelet.training import splitting


@pytest.mark.parametrize(
    "value",
    [
        '"hello world"',
        "null",
        '""',
        "[1, 2, 3]",
        '{"a": {"b": 1}}',
        '"*.py"',
        '"$HOME"',
        '"`id`"',
        '"a;b"',
        '"it\'s"',
        '"~/data"',
        '"#1"',
        '"[ab]"',
    ],
)
def test_a_value_that_a_shell_would_change_is_named(value: str) -> None:
    (warning,) = splitting.warnings({"epochs": "3", "note": value, "sagemaker_program": '"a b"'})
    assert " split or expand note: " in warning


@pytest.mark.parametrize(
    "value", ["3", "1e-05", "true", '"resnet"', '"s3://bucket/a/b.csv"', '"a=1,b=2"', '"x#1~"']
)
def test_a_value_that_a_shell_passes_on_is_not(value: str) -> None:
    assert splitting.warnings({"note": value}) == []


def test_of_many_only_the_first_are_named() -> None:
    (warning,) = splitting.warnings({f"h{n}": "null" for n in range(9)})
    assert "h0, h1, h2, h3, h4, …: " in warning
