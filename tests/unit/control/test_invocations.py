from __future__ import annotations

from typing import Any

import pytest

from sagelet.domain.invocation import Answer, Invocation, Timing
from sagelet.errors import EndpointNotInService, NotSupported, SageletError, VariantNotFound
from sagelet.wire.faults import Fault
from tests.control_bench import Bench

SEE = (
    "See https://us-east-1.console.aws.amazon.com/cloudwatch/home?region=us-east-1"
    "#logEventViewer:group=/aws/sagemaker/Endpoints/sentiment in account 000000000000 "
    "for more information."
)


async def _invoke(bench: Bench, **members: Any) -> dict[str, Any]:  # noqa: ANN401  AWS's members
    asked = {"EndpointName": "sentiment", "Body": b"[1]", **members}
    return await bench.ask_service("sagemaker-runtime", "InvokeEndpoint", **asked)


async def _fault(bench: Bench, answer: Answer) -> Fault:
    bench.host.line = answer
    with pytest.raises(Fault) as caught:
        await _invoke(bench)
    assert (caught.value.code, caught.value.status) == ("ModelError", 424)
    return caught.value


async def test_a_call_reaches_the_host_with_the_headers_that_containers_get(bench: Bench) -> None:
    await _invoke(
        bench,
        ContentType="application/json",
        Accept="text/csv",
        TargetVariant="b",
        CustomAttributes="k=v",
        InferenceId="7",
        SessionId="s",
        EnableExplanations="`x`",
    )

    assert bench.host.invocations == [
        Invocation(
            endpoint="sentiment",
            body=b"[1]",
            content_type="application/json",
            accept="text/csv",
            target_variant="b",
            headers={
                "X-Amzn-SageMaker-Custom-Attributes": "k=v",
                "X-Amzn-SageMaker-Inference-Id": "7",
                "X-Amzn-SageMaker-Session-Id": "s",
                "X-Amzn-SageMaker-Enable-Explanations": "`x`",
            },
        )
    ]


async def test_a_bare_call_has_no_headers(bench: Bench) -> None:
    await _invoke(bench, Body=b"")

    assert bench.host.invocations == [Invocation(endpoint="sentiment", body=b"")]


async def test_an_answer_comes_back_with_the_headers_that_callers_get(bench: Bench) -> None:
    bench.host.line = Answer(
        201,
        b"\x93NUMPY",
        "application/x-npy",
        "AllTraffic",
        3,
        headers={"x-amzn-sagemaker-custom-attributes": "seen", "X-Internal": "no"},
    )

    assert await _invoke(bench) == {
        "Body": b"\x93NUMPY",
        "ContentType": "application/x-npy",
        "InvokedProductionVariant": "AllTraffic",
        "CustomAttributes": "seen",
        "LocalHeaders": {"x-sagelet-generation": "3"},
    }


async def test_an_edit_that_is_not_served_is_told_with_answers_and_with_errors(
    bench: Bench,
) -> None:
    error = {"x-sagelet-reload-error": "SyntaxError: invalid syntax (inference.py:3)"}
    told = {"x-sagelet-generation": "1"} | error
    bench.host.line = Answer(200, b"x", None, "AllTraffic", 1, headers=error)

    assert (await _invoke(bench))["LocalHeaders"] == told
    fault = await _fault(bench, Answer(500, b"no", None, "AllTraffic", 1, headers=error))
    assert fault.headers == told


async def test_where_the_time_went_and_what_strict_would_do_is_told(bench: Bench) -> None:
    timing = Timing(0.25, {"input_fn": 1.5, "predict_fn": 20.0}, 22.0)
    bench.host.line = Answer(
        200, b"x", None, "AllTraffic", 2, timing=timing, differs=("media-type-case", "npy-pickle")
    )

    assert (await _invoke(bench))["LocalHeaders"] == {
        "x-sagelet-generation": "2",
        "server-timing": "queue;dur=0.250, input_fn;dur=1.500, predict_fn;dur=20.000, "
        "total;dur=22.000",
        "x-sagelet-strict-differs": "media-type-case, npy-pickle",
    }


async def test_a_handlers_own_error_says_which_handler_and_where(bench: Bench) -> None:
    fault = await _fault(
        bench,
        Answer(
            500,
            b"no",
            None,
            "AllTraffic",
            1,
            handler="predict_fn",
            where="code/inférence.py:7\r\nx",
        ),
    )

    assert fault.headers == {
        "x-sagelet-generation": "1",
        "x-sagelet-handler": "predict_fn",
        "x-sagelet-where": "code/inf\xc3\xa9rence.py:7  x",
    }


async def test_an_answer_without_a_type_has_none(bench: Bench) -> None:
    bench.host.line = Answer(200, b"x", None, "AllTraffic", 1)

    assert "ContentType" not in await _invoke(bench)


async def test_an_exception_of_the_handler_is_a_model_error(bench: Bench) -> None:
    body = "bad input ü\nTraceback (most recent call last):\n..."
    fault = await _fault(bench, Answer(500, body.encode(), None, "AllTraffic", 1))

    assert fault.message == f'Received server error (500) from primary with message "{body}". {SEE}'
    assert fault.fields == {
        "OriginalStatusCode": 500,
        "OriginalMessage": body,
        "LogStreamArn": "arn:aws:logs:us-east-1:000000000000:log-group:"
        "/aws/sagemaker/Endpoints/sentiment",
    }


async def test_a_refusal_of_the_handler_is_a_client_error(bench: Bench) -> None:
    fault = await _fault(bench, Answer(415, b"no such type", "text/plain", "AllTraffic", 1))

    assert fault.message == (
        f'Received client error (415) from primary with message "no such type". {SEE}'
    )


async def test_no_answer_in_time_is_a_server_error_of_status_0(bench: Bench) -> None:
    fault = await _fault(bench, Answer(0, b"Your invocation timed out", None, "AllTraffic", 1))

    assert fault.message == (
        f'Received server error (0) from primary with message "Your invocation timed out". {SEE}'
    )
    assert fault.fields["OriginalStatusCode"] == 0


async def test_a_body_that_is_no_text_is_not_shown(bench: Bench) -> None:
    fault = await _fault(bench, Answer(500, b"\xff\x00", None, "AllTraffic", 1))

    assert fault.message == (
        "Received server error (500) from primary and could not load the entire response body. "
        + SEE
    )
    assert fault.fields["OriginalMessage"] == ""


async def test_a_long_body_is_cut_at_its_end(bench: Bench) -> None:
    fault = await _fault(bench, Answer(500, b"e" * 1_000_000, None, "AllTraffic", 1))

    assert "e" * 4095 + '…". See' in fault.message
    assert len(fault.message) < 5000
    assert len(fault.fields["OriginalMessage"]) == 65536


@pytest.mark.parametrize(
    "error", [EndpointNotInService("sentiment", "000000000000"), VariantNotFound("v", "sentiment")]
)
async def test_what_the_host_raises_goes_through(bench: Bench, error: SageletError) -> None:
    bench.host.line = error

    with pytest.raises(type(error)):
        await _invoke(bench)


@pytest.mark.parametrize("member", ["TargetContainerHostname", "InferenceComponentName"])
async def test_targets_that_are_not_served_are_named(bench: Bench, member: str) -> None:
    with pytest.raises(NotSupported, match=f"InvokeEndpoint: {member} is not served"):
        await _invoke(bench, **{member: "x"})

    assert bench.host.invocations == []
