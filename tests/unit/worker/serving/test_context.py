"""What the context tells a handler."""

from __future__ import annotations

from pathlib import Path

import pytest

from sagelet.worker.serving.context import Context, first_gpu
from tests.serving_projects import write


def test_headers_are_found_in_any_case_when_sane_and_as_sent_when_strict() -> None:
    headers = {"X-Amzn-SageMaker-Custom-Attributes": "a"}
    sane, strict = Context("/m"), Context("/m", strict=True)
    sane.begin(headers)
    strict.begin(headers)
    name = "x-amzn-sagemaker-custom-attributes"
    assert sane.get_request_header(0, name) == "a"
    assert strict.get_request_header(0, name) is None
    assert strict.get_all_request_header(0) == headers


def test_a_context_that_a_handler_kept_sees_the_current_request() -> None:
    context = Context("/m")
    context.begin({"A": "1"})
    context.begin({"A": "2"})
    assert context.request_processor[0].get_request_properties() == {"A": "2"}


def test_each_request_has_an_id_of_its_own() -> None:
    context = Context("/m")
    first = context.get_request_id(0)
    assert context.request_ids == {0: first}
    context.begin({})
    assert context.get_request_id(0) != first


def test_the_model_servers_properties_are_there() -> None:
    context = Context("/opt/ml/model")
    assert context.model_name == "model"
    assert context.system_properties["model_dir"] == "/opt/ml/model"
    assert context.system_properties["batch_size"] == 1


def test_status_and_headers_can_be_read_back() -> None:
    context = Context("/m")
    context.set_all_response_status(404, "No")
    context.set_response_header(0, "A", "1")
    assert context.get_response_status(0) == (404, "No")
    assert context.get_response_headers(0) == {"A": "1"}
    context.set_response_content_type(0, "a/b")
    assert context.get_response_content_type(0) == "a/b"


def test_a_models_manifest_is_what_its_file_says(tmp_path: Path) -> None:
    assert Context(str(tmp_path)).manifest is None
    write(tmp_path, {"MAR-INF/MANIFEST.json": '{"model": {"modelName": "m"}}'})
    assert Context(str(tmp_path)).manifest == {"model": {"modelName": "m"}}


def test_content_type_and_accept_are_among_the_headers() -> None:
    context = Context("/m")
    context.begin({"A": "1"}, "text/plain", None)
    assert context.get_all_request_header(0) == {"A": "1", "Content-Type": "text/plain"}
    assert context.get_request_header(0, "Content-Type") == "text/plain"
    assert context.get_request_header(0, "Accept") is None


def test_a_status_that_no_answer_has_is_refused_where_it_is_set() -> None:
    with pytest.raises(ValueError, match="99 is no status of an answer; those are 200 to 599"):
        Context("/m").set_response_status(99)


def test_what_is_set_on_the_request_processor_is_the_answers() -> None:
    context = Context("/m")
    processor = context.request_processor[0]
    processor.add_response_property("A", "1")
    processor.report_status(404, "No")
    assert processor.get_response_headers() == {"A": "1"}
    assert processor.get_response_header("A") == "1"
    assert processor.get_response_status_code() == 404
    assert processor.get_response_status_phrase() == "No"


def test_a_machine_without_a_gpu_has_no_number_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert first_gpu() is None
