"""Several requests in one call of the user's predict_batch_fn."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from sagelet.worker.serving.batches import answer_batch
from sagelet.worker.serving.defaults import PyTorchDefaults
from sagelet.worker.serving.handlers import bind
from tests.serving_projects import Project, serving

BATCHES = """
    CALLS = []

    def model_fn(model_dir):
        return 10

    def input_fn(body, content_type):
        return int(body)

    def predict_fn(data, model):
        CALLS.append(("one", data))
        return data * model

    def predict_batch_fn(inputs, model):
        CALLS.append(("batch", list(inputs)))
        if 13 in inputs:
            raise ValueError("unlucky")
        if 7 in inputs:
            return [0]
        return [data * model for data in inputs]

    def output_fn(prediction, accept, context):
        if prediction == 50:
            raise ValueError("not fifty")
        if prediction == 60:
            context.set_response_status(201)
        return str(prediction)
"""


def together(project: Project, *bodies: bytes, **asked: Any) -> list[tuple[dict[str, Any], bytes]]:  # noqa: ANN401
    """Send several requests in one frame, and return the answers to each."""
    fields = {"content_type": "text/plain", "accept": None, "headers": {}, **asked}
    requests = [{"id": n, "size": len(body), **fields} for n, body in enumerate(bodies)]
    header, whole = answer_batch(project.responder, requests, b"".join(bodies))
    assert header["op"] == "answers"
    found, start = [], 0
    for number, answer in enumerate(header["answers"]):
        assert answer["id"] == number
        assert "op" not in answer
        found.append((answer, whole[start : start + answer["size"]]))
        start += answer["size"]
    assert start == len(whole)
    return found


def calls(project: Project) -> list[Any]:
    module = project.responder.loaded.handlers.module
    assert module is not None
    found: list[Any] = module.CALLS
    return found


def test_requests_that_come_together_are_predicted_together(tmp_path: Path) -> None:
    with serving(tmp_path, {"inference.py": BATCHES}) as project:
        answers = together(project, b"1", b"2", b"3")
        assert calls(project) == [("batch", [1, 2, 3])]
    assert [body for _, body in answers] == [b"10", b"20", b"30"]
    assert [header["status"] for header, _ in answers] == [200, 200, 200]
    assert set(answers[0][0]["phases_ms"]) == {"input_fn", "predict_batch_fn", "output_fn"}


def test_a_lone_request_goes_to_predict_fn(tmp_path: Path) -> None:
    with serving(tmp_path, {"inference.py": BATCHES}) as project:
        assert project.says("4") == "40"
        assert calls(project) == [("one", 4)]


def test_a_request_that_cannot_be_read_fails_alone(tmp_path: Path) -> None:
    with serving(tmp_path, {"inference.py": BATCHES}) as project:
        first, second, third = together(project, b"1", b"x", b"3")
        assert calls(project) == [("batch", [1, 3])]
    assert (first[1], third[1]) == (b"10", b"30")
    assert (second[0]["status"], second[0]["handler"]) == (500, "input_fn")
    assert second[1].startswith(b"invalid literal for int()")


def test_a_request_whose_output_fails_fails_alone(tmp_path: Path) -> None:
    with serving(tmp_path, {"inference.py": BATCHES}) as project:
        answers = together(project, b"5", b"6", b"1")
    assert [header["status"] for header, _ in answers] == [500, 201, 200]
    assert answers[0][0]["handler"] == "output_fn"


@pytest.mark.parametrize(
    ("bodies", "why"),
    [
        ((b"1", b"13"), "ValueError: unlucky"),
        ((b"1", b"7"), "ValueError: predict_batch_fn returned 1 results for 2 inputs"),
    ],
)
def test_a_batch_that_fails_is_predicted_one_by_one_and_the_log_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], bodies: tuple[bytes, ...], why: str
) -> None:
    with serving(tmp_path, {"inference.py": BATCHES}) as project:
        answers = together(project, *bodies)
        assert [kind for kind, _ in calls(project)] == ["batch", "one", "one"]
    assert [int(body) for _, body in answers] == [int(body) * 10 for body in bodies]
    assert set(answers[0][0]["phases_ms"]) > {"predict_batch_fn", "predict_fn"}
    log = capsys.readouterr().err
    assert why in log
    assert log.endswith("2 requests are predicted one by one instead\n")


def test_what_is_no_list_is_no_answer_for_several(tmp_path: Path) -> None:
    source = BATCHES.replace("return [data * model for data in inputs]", "return 'ab'")
    with serving(tmp_path, {"inference.py": source}) as project:
        assert [body for _, body in together(project, b"1", b"2")] == [b"10", b"20"]


def test_a_tensor_of_predictions_is_taken_row_by_row(tmp_path: Path) -> None:
    source = BATCHES.replace(
        "return [data * model for data in inputs]", "import torch; return torch.tensor(inputs)"
    ).replace("str(prediction)", "str(prediction.item())")
    with serving(tmp_path, {"inference.py": source}) as project:
        assert [body for _, body in together(project, b"1", b"2")] == [b"1", b"2"]


def test_each_request_has_its_own_headers_in_each_function(tmp_path: Path) -> None:
    source = """
        def model_fn(model_dir):
            return None
        def input_fn(body, content_type, context):
            return context.get_request_header(0, "Name") + body.decode()
        def predict_batch_fn(inputs, model, context):
            ids = context.request_ids
            assert len(set(ids.values())) == len(inputs)
            for place in ids:
                context.set_response_header(place, "Place", str(place))
            return inputs
        def output_fn(prediction, accept, context):
            return prediction + context.get_response_headers(0)["Place"]
    """
    with serving(tmp_path, {"inference.py": source}) as project:
        answers = together(project, b"a", b"b", headers={"Name": "n"})
    assert [body for _, body in answers] == [b"na0", b"nb1"]
    assert [header["headers"] for header, _ in answers] == [{"Place": "0"}, {"Place": "1"}]


def test_what_one_request_waits_for_another_is_not_its_handlers_time(tmp_path: Path) -> None:
    source = BATCHES.replace(
        "if prediction == 50:", "if prediction == 10:\n            import time; time.sleep(0.05)\n"
        "        if prediction == 50:",
    )  # fmt: skip
    with serving(tmp_path, {"inference.py": source}) as project:
        first, second = together(project, b"1", b"2")
    assert first[0]["phases_ms"]["output_fn"] >= 50
    assert second[0]["phases_ms"]["predict_batch_fn"] < 50


def test_a_batch_function_cannot_send_parts(tmp_path: Path) -> None:
    source = BATCHES.replace(
        "def predict_batch_fn(inputs, model):",
        "def predict_batch_fn(inputs, model, context):\n        context.send_part(b'')",
    )
    with serving(tmp_path, {"inference.py": source}) as project:
        assert [body for _, body in together(project, b"1", b"2")] == [b"10", b"20"]


def test_a_generator_in_a_batch_is_joined(tmp_path: Path) -> None:
    source = BATCHES.replace("return str(prediction)", "return iter(str(prediction))")
    with serving(tmp_path, {"inference.py": source}) as project:
        assert [body for _, body in together(project, b"1", b"2")] == [b"10", b"20"]


def test_a_request_over_the_limit_is_refused_alone(tmp_path: Path) -> None:
    with serving(tmp_path, {"inference.py": BATCHES}, max_request_bytes=3) as project:
        first, second = together(project, b"1000", b"2")
    assert (first[0]["status"], first[1]) == (413, b"")
    assert second[1] == b"20"


def test_strict_does_not_know_the_function() -> None:
    module = ModuleType("inference")
    module.predict_batch_fn = lambda inputs, model: inputs  # type: ignore[attr-defined]  # a module's function
    assert bind(module, PyTorchDefaults()).batch is not None
    assert bind(module, PyTorchDefaults(strict=True)).batch is None


def test_transform_fn_answers_each_request_alone(capsys: pytest.CaptureFixture[str]) -> None:
    module = ModuleType("inference")
    module.predict_batch_fn = module.transform_fn = lambda a, b: a  # type: ignore[attr-defined]  # a module's functions
    assert bind(module, PyTorchDefaults()).batch is None
    assert "predict_batch_fn is not used" in capsys.readouterr().err


def test_a_batch_function_of_another_arity_is_refused_at_load() -> None:
    module = ModuleType("inference")
    module.predict_batch_fn = lambda inputs: inputs  # type: ignore[attr-defined]  # a module's function
    with pytest.raises(TypeError, match="takes 1 arguments but 2 were given"):
        bind(module, PyTorchDefaults())


HANDLERS_PAGE = Path(__file__).parents[4] / "docs" / "reference" / "handlers.md"


def documented_example() -> str:
    """Return the handlers with a predict_batch_fn that the reference shows."""
    page = HANDLERS_PAGE.read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (example,) = [block for block in blocks if "def predict_batch_fn" in block]
    return str(example)


MATES = ["x", "a text that is much longer than the others are " * 3, *["so so"] * 5]


def scores(tmp_path: Path, source: str, *mates: str) -> tuple[list[float], list[float]]:
    """Return the prediction for a text alone, and with others in one batch."""
    torch.manual_seed(0)
    with serving(tmp_path, {"inference.py": source}) as project:
        text = b'["surprisingly good"]'
        header, alone = project.ask(text, "application/json")
        assert header["status"] == 200, alone.decode()
        others = [json.dumps([mate]).encode() for mate in mates]
        answers = together(project, *others, text, content_type="application/json")
    assert set(answers[0][0]["phases_ms"]) >= {"predict_batch_fn"}
    assert all("predict_fn" not in header["phases_ms"] for header, _ in answers)
    return json.loads(alone)[0], json.loads(answers[-1][1])[0]


def test_batch_mates_do_not_change_the_predictions_of_the_documented_example(
    tmp_path: Path,
) -> None:
    alone, among_others = scores(tmp_path, documented_example(), *MATES)
    assert among_others == pytest.approx(alone, abs=1e-6)


def test_without_its_mask_they_would(tmp_path: Path) -> None:
    source = documented_example()
    masked = ".masked_fill(~inside.unsqueeze(1), 0)"
    assert masked in source
    alone, among_others = scores(tmp_path, source.replace(masked, ""), *MATES)
    assert among_others != pytest.approx(alone, abs=1e-3)
