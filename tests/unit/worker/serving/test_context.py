"""What the context tells a handler."""

from __future__ import annotations

import pytest

from sagelet.worker.serving.context import Context


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


def test_metrics_are_lines_of_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    metrics = Context("/m").metrics
    metrics.add_time("Tokenise", 1.5)
    metrics.add_counter("Tokens", 3)
    metrics.add_size("Batch", 2, unit="kB")
    metrics.add_percent("Full", 50)
    metrics.add_error("Oops", "text")
    lines = capsys.readouterr().out.splitlines()
    first = "[METRICS]Tokenise.Milliseconds:1.5|#ModelName:model,Level:Model|#type:GAUGE|#hostname:"
    assert lines[0].startswith(first)
    assert [line.partition("|")[0] for line in lines[1:]] == [
        "[METRICS]Tokens.Count:3",
        "[METRICS]Batch.Kilobytes:2",
        "[METRICS]Full.Percent:50",
        "[METRICS]Oops.unit:text",
    ]
