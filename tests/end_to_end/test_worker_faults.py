"""Handlers at their worst, as boto3's client sees them: crashes, loops, floods, odd answers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil
import pytest
from botocore.exceptions import ClientError, EventStreamError

from tests.end_to_end.faulty_endpoint import Faults, deployed, died, post
from tests.end_to_end.local_aws import LocalAws, eventually

MIB = 2**20
TIMEOUT_S = 2
KEPT_MIB = 4


@pytest.fixture(scope="module")
def faults(local: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Faults]:
    """One worker, two seconds a request, and a zygote that does nothing but wait."""
    eventually(
        lambda: "the zygote is ready" in local.home.daemon_log.read_text(), "the zygote is ready"
    )
    folder = tmp_path_factory.mktemp("faults")
    bounds = {"SAGEMAKER_MODEL_SERVER_TIMEOUT": str(TIMEOUT_S), "SAGELET_LOG_MB": str(KEPT_MIB)}
    with deployed(local, "faults", folder, **bounds) as own:
        yield own


@pytest.mark.parametrize(
    ("what", "status", "words", "noted"),
    [
        (
            "killed",
            507,
            "Worker died. It was killed by SIGKILL (the system may have run out of memory).",
            "a worker was killed by SIGKILL (the system may have run out of memory) (peak ",
        ),
        (
            "segfault",
            500,
            "Worker died. It was killed by SIGSEGV.",
            "a worker was killed by SIGSEGV; another one starts",
        ),
        (
            "vanishes",
            500,
            "Worker died.",
            "a worker ended with exit code 3; another one starts",
        ),
    ],
)
def test_a_request_that_ends_its_worker_is_answered_within_a_second_and_not_sent_again(
    faults: Faults, what: str, status: int, words: str, noted: str
) -> None:
    before = faults.pid
    begun = time.monotonic()
    error = faults.error(what)
    assert time.monotonic() - begun < 1
    assert error["OriginalStatusCode"] == status
    assert error["OriginalMessage"] == died(status, words)
    assert error["Error"]["Message"] == faults.wrapped(error)
    assert faults.pid != before
    faults.logged(noted)


def test_the_stacks_of_a_crash_are_in_the_log(faults: Faults) -> None:
    faults.error("segfault")
    file, line = faults.place_of("    ctypes.string_at(0)").rsplit(":", 1)
    faults.logged("Fatal Python error: Segmentation fault")
    faults.logged(f'File "{file}", line {line} in segfault')


@pytest.mark.parametrize(
    ("what", "first", "last", "line"),
    [
        ("exits", "that is all", "SystemExit: that is all", '    sys.exit("that is all")'),
        ("too_large", "Invalid Request", "MemoryError", '        return "x" * 2**36'),
        (
            "cuda",
            "CUDA out of memory. Tried to allocate 20.00 MiB.",
            "inference.OutOfMemoryError: CUDA out of memory. Tried to allocate 20.00 MiB.",
            '    raise OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB.")',
        ),
    ],
)
def test_want_of_memory_and_exit_are_errors_of_a_request_and_the_worker_stays(
    faults: Faults, what: str, first: str, last: str, line: str
) -> None:
    before = faults.pid
    error = faults.error(what)
    assert error["OriginalStatusCode"] == 500
    said = error["OriginalMessage"].splitlines()
    assert (said[0], said[1], said[-1]) == (first, "Traceback (most recent call last):", last)
    headers = error["ResponseMetadata"]["HTTPHeaders"]
    assert headers["x-sagelet-where"] == faults.place_of(line)
    assert headers["x-sagelet-handler"] == "predict_fn"
    assert (faults.marks / "emptied").exists() == (what == "cuda")  # a GPU's cached memory
    assert faults.pid == before


@pytest.mark.parametrize(
    ("what", "line"),
    [
        ("backtracks", '    return re.match(r"(a+)+$", "a" * 40 + "b")'),
        ("sleeps_in_c", "    return str(ctypes.PyDLL(None).sleep(600))"),
    ],
)
def test_a_call_that_never_lets_go_is_timed_out_and_the_log_has_its_line(
    faults: Faults, what: str, line: str
) -> None:
    before = faults.pid
    begun = time.monotonic()
    error = faults.error(what)
    assert time.monotonic() - begun < TIMEOUT_S + 1
    assert error["OriginalStatusCode"] == 0
    assert error["OriginalMessage"] == (
        "Your invocation timed out while waiting for a response from container primary. Review "
        "the latency metrics for each container in Amazon CloudWatch, resolve the issue, and try "
        "again."
    )
    assert error["Error"]["Message"] == faults.wrapped(error)
    assert faults.pid != before
    file, number = faults.place_of(line).rsplit(":", 1)
    faults.logged(f'File "{file}", line {number} in {what}')
    faults.logged(f"a request took longer than {TIMEOUT_S} s; its worker is replaced")


@pytest.mark.parametrize(
    ("what", "culprit"),
    [
        ("a_set", "set at result"),
        ("a_tensor_within", "Tensor at result['rows'][0]['score']"),
        ("an_odd_key", "a key of type tuple in the result['rows']"),
    ],
)
def test_a_result_that_cannot_be_sent_names_its_type_and_its_place(
    faults: Faults, what: str, culprit: str
) -> None:
    error = faults.error(what)
    assert error["OriginalStatusCode"] == 503
    words = f"Unsupported model output data type. ({culprit})"
    assert error["OriginalMessage"] == died(503, words)
    assert error["ResponseMetadata"]["HTTPHeaders"]["x-sagelet-handler"] == "output_fn"


def test_not_a_number_is_sent_as_the_container_sends_it(faults: Faults) -> None:
    assert faults.ask("not_a_number") == "[\n  NaN\n]"


@pytest.mark.parametrize("what", ["prints 100", "lines 100", "empty_lines 20"])
def test_a_flood_of_output_holds_nobody_up_and_fills_neither_memory_nor_disk(
    faults: Faults, what: str
) -> None:
    before = faults.pid
    daemon = psutil.Process(faults.local.info.pid)
    memory = daemon.memory_info().rss
    assert faults.ask(what) == "printed"
    faults.logged("came faster than a log takes; all but the end of it, which follows, was dropped")
    assert faults.pid == before
    assert daemon.memory_info().rss - memory < 60 * MIB
    log = next(faults.local.home.logs.glob("*Endpoints%2Ffaults"))
    assert sum(file.stat().st_size for file in log.iterdir()) < 3 * KEPT_MIB * MIB


def test_noise_and_closed_output_cost_no_worker(faults: Faults) -> None:
    before = faults.pid
    assert faults.ask("noise") == "printed"
    assert faults.ask("closes_output") == "closed"
    faults.logged("no end")
    assert faults.error("fails")["OriginalMessage"].endswith("ValueError: as handlers do\n")
    assert faults.pid == before


@pytest.mark.parametrize("what", ["hangs_up", "talks_over"])
def test_a_handler_that_breaks_its_workers_own_line_costs_that_worker_only(
    faults: Faults, what: str
) -> None:
    before = faults.pid
    error = faults.error(what)
    assert error["OriginalStatusCode"] == 500
    assert error["OriginalMessage"] == died(500, "Worker died.")
    assert faults.pid != before


def test_a_fork_that_comes_back_from_a_handler_answers_nobody(faults: Faults) -> None:
    before = faults.pid
    for _ in range(5):
        assert faults.ask("forks") == "parent"
        assert faults.pid == before


def test_a_header_that_no_client_takes_is_an_error_and_no_broken_connection(
    faults: Faults,
) -> None:
    error = faults.error("too_long_a_type")
    assert error["OriginalStatusCode"] == 500
    assert error["OriginalMessage"].startswith(
        "The header content-type has 100005 characters; at most 8192 are sent.\nTraceback"
    )


@pytest.mark.parametrize("end", ["killed", "vanishes", "backtracks"])
def test_what_a_handler_has_started_ends_with_its_worker(faults: Faults, end: str) -> None:
    child = psutil.Process(int(faults.ask("starts")))
    assert child.is_running()
    faults.error(end)
    eventually(lambda: has_ended(child), "the handler's child has ended")


def test_requests_and_their_errors_leave_no_descriptor_open(faults: Faults) -> None:
    before = faults.ask("descriptors")
    for _ in range(50):
        faults.error("fails")
        faults.error("a_set")
    assert faults.ask("descriptors") == before


def test_thirty_megabytes_come_back_whole(faults: Faults) -> None:
    assert len(faults.ask(f"large {30 * MIB}")) == 30 * MIB


def test_parts_without_an_end_are_not_joined_for_ever(faults: Faults) -> None:
    before = faults.pid
    daemon = psutil.Process(faults.local.info.pid)
    memory = daemon.memory_info().rss
    error = faults.error("endless")
    assert error["OriginalStatusCode"] == 500
    assert error["OriginalMessage"] == died(
        500,
        "The answer came in parts of more than 67108864 bytes together. "
        "InvokeEndpointWithResponseStream passes them on as they come.",
    )
    assert faults.pid == before
    assert daemon.memory_info().rss - memory < 100 * MIB


def test_a_worker_that_dies_half_way_through_a_stream_ends_it_with_an_error(
    faults: Faults,
) -> None:
    runtime = faults.local.client("sagemaker-runtime")
    answer = runtime.invoke_endpoint_with_response_stream(
        EndpointName=faults.name, Body="dies_half_way", ContentType="text/plain"
    )
    with closing(answer["Body"]) as events:
        assert next(iter(events))["PayloadPart"]["Bytes"] == b"one"
        with pytest.raises(EventStreamError) as caught:
            next(iter(events))
    assert caught.value.response["Error"] == {
        "Code": "ModelStreamError",
        "Message": "Worker died. It was killed by SIGKILL (the system may have run out of memory).",
    }
    assert faults.pid > 0


def test_a_client_that_leaves_costs_nothing_and_its_request_is_finished(faults: Faults) -> None:
    before, daemon_log = faults.pid, faults.local.home.daemon_log
    connection = post(faults, "waits for-me")
    eventually((faults.marks / "began-for-me").exists, "the handler has begun")
    connection.close()
    eventually(
        lambda: f"499: the client of endpoint {faults.name} left" in daemon_log.read_text(),
        "the daemon's log tells that a client left",
    )
    (faults.marks / "for-me").touch()
    assert faults.pid == before


def test_a_client_that_leaves_in_the_middle_of_its_answer_costs_nothing(faults: Faults) -> None:
    before = faults.pid
    connection = post(faults, f"large {30 * MIB}")
    answer = connection.getresponse()
    assert answer.read(1000) == b"r" * 1000
    answer.close()
    connection.close()
    assert faults.pid == before


@pytest.mark.parametrize("contract", ["sane", "strict"])
def test_an_answer_over_the_limit_names_both_sizes(
    local: LocalAws, tmp_path: Path, contract: str
) -> None:
    limit = {"TS_MAX_RESPONSE_SIZE": "1000000"} if contract == "sane" else {}
    bytes_at_most = 1000000 if contract == "sane" else 6553500
    limit["SAGELET_CONTRACT"] = contract
    with deployed(local, f"limit-{contract}", tmp_path, **limit) as own:
        assert len(own.ask(f"large {bytes_at_most}")) == bytes_at_most
        error = own.error(f"large {30 * MIB}")
    assert error["OriginalStatusCode"] == 500
    assert error["OriginalMessage"].startswith(
        f"The answer has {30 * MIB} bytes; the limit is {bytes_at_most}."
    )


def test_more_than_may_wait_are_refused_and_the_oldest_are_served_first(
    local: LocalAws, tmp_path: Path
) -> None:
    with deployed(local, "full", tmp_path, TS_JOB_QUEUE_SIZE="5") as own:
        connections = [post(own, "waits go")]
        eventually((own.marks / "began-go").exists, "the worker is at the first request")
        for number in range(1, 6):
            connections.append(post(own, "waits go"))
            eventually(lambda wanted=number: own.waiting == wanted, "it waits")  # type: ignore[misc]
        with pytest.raises(ClientError) as caught:
            own.ask("waits go")
        (own.marks / "go").touch()
        said = [int(connection.getresponse().read()) for connection in connections]
        assert own.ask("waits go") == "7"
    assert said == [1, 2, 3, 4, 5, 6]
    for connection in connections:
        connection.close()
    response: Any = caught.value.response
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 503
    assert response["Error"] == {
        "Code": "ServiceUnavailable",
        "Message": "5 requests wait for endpoint full; no worker is available.",
    }


def test_a_model_that_only_crashes_fails_with_the_ping_text_until_it_is_mended(
    local: LocalAws, tmp_path: Path
) -> None:
    code = tmp_path / "inference.py"
    code.write_text("import os\n\n\ndef model_fn(model_dir):\n    os._exit(9)\n")
    with local.deployed("crash-loop", tmp_path) as endpoint:
        assert endpoint["EndpointStatus"] == "Failed"
        assert endpoint["FailureReason"] == (
            "the worker ended with exit code 9\n"
            "The primary container for production variant AllTraffic did not pass the ping health "
            "check. Please check CloudWatch logs for this endpoint."
        )
        code.write_text("def transform_fn(model, data, kind, accept):\n    return 'mended'\n\n\n"
                        "def model_fn(model_dir):\n    return 1\n")  # fmt: skip
        eventually(
            lambda: "crash-loop InService" in local.names("endpoints"), "an edit has mended it"
        )
        assert local.invoke("crash-loop") == "mended"


def has_ended(process: psutil.Process) -> bool:
    """Whether a process runs no more; who collects it is another question."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
