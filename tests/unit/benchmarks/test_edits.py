"""What is edited, and what the requests around an edit say."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import material
from benchmarks.constant_load import Outcome
from benchmarks.edits import Change, handlers_only, model_too, summed, sums_to

TEXT = (material.PROJECT / "serve.py").read_text(encoding="utf-8")


def answer(ended: float) -> Outcome:
    return Outcome(ended - 0.001, ended, b"[[1.0]]")


def failure(ended: float) -> Outcome:
    return Outcome(ended - 0.001, ended, None)


@pytest.mark.parametrize("change", [handlers_only, model_too])
def test_an_edit_shows_in_the_answer(change: Change, tmp_path: Path) -> None:
    laid_out = material.Material.lay_out(tmp_path / "project")
    (laid_out.folder / "serve.py").write_text(change(TEXT, 7), encoding="utf-8")
    serve = material.handlers(laid_out.folder)

    model = serve.model_fn(laid_out.folder / "model")
    ids = serve.input_fn(material.BODY.decode(), "application/json")
    body = serve.output_fn(serve.predict_fn(ids, model), "application/json").encode()

    assert sums_to(7)(body)
    assert not sums_to(6)(body)
    assert not laid_out.is_answer(body)


def test_only_the_second_kind_of_edit_touches_what_makes_the_model() -> None:
    assert "model.scale" not in handlers_only(TEXT, 7)
    assert "model.scale = 7" in model_too(TEXT, 7)


def test_the_silence_is_the_longest_time_without_an_answer() -> None:
    outcomes = [answer(1.01), failure(1.2), answer(1.5), answer(1.52)]

    edit = summed(outcomes, 1.0, outcomes[-1])

    assert edit.gap_s == pytest.approx(0.49)
    assert edit.seconds == pytest.approx(0.52)


def test_requests_that_fail_after_the_answer_has_changed_count_too() -> None:
    outcomes = [answer(1.01), answer(1.02), failure(1.03), answer(3.0)]

    edit = summed(outcomes, 1.0, outcomes[1])

    assert (edit.failed, edit.requests) == (1, 4)
    assert edit.gap_s == pytest.approx(0.01)
