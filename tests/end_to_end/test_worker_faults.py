"""Handlers at their worst, as boto3's client sees them: crashes, loops, floods, odd answers."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from botocore.exceptions import ClientError, EventStreamError

from sagelet.environments.credentials import load_or_create
from sagelet.environments.local_api import LocalApi
from tests.end_to_end.local_aws import REGION, LocalAws, eventually
from tests.end_to_end.signing import Signer

MIB = 2**20
TIMEOUT_S = 2
KEPT_MIB = 4

HANDLERS = """
import ctypes
import json
import os
import pathlib
import re
import resource
import signal
import subprocess
import sys
import threading
import time

CALLS = []


class OutOfMemoryError(RuntimeError):
    pass


def model_fn(model_dir):
    return pathlib.Path(os.environ["MARKS"])


def input_fn(body, content_type):
    return bytes(body).decode()


def predict_fn(data, marks):
    CALLS.append(data)
    what, *rest = data.split()
    return globals()[what](marks, *rest)


def output_fn(prediction, accept):
    return prediction


def pid(marks):
    return str(os.getpid())


def waits(marks, mark):
    (marks / f"began-{mark}").touch()
    while not (marks / mark).exists():
        time.sleep(0.005)
    return str(len(CALLS))


def segfault(marks):
    ctypes.string_at(0)


def killed(marks):
    os.kill(os.getpid(), signal.SIGKILL)


def vanishes(marks):
    os._exit(3)


def exits(marks):
    sys.exit("that is all")


def too_large(marks):
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (2**34, before[1]))
    try:
        return "x" * 2**36
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def cuda(marks):
    import torch
    torch.cuda.empty_cache = (marks / "emptied").touch
    raise OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB.")


def backtracks(marks):
    return re.match(r"(a+)+$", "a" * 40 + "b")


def sleeps_in_c(marks):
    return str(ctypes.PyDLL(None).sleep(600))


def a_set(marks):
    return {1}


def a_tensor_within(marks):
    import torch
    return {"rows": [{"score": torch.ones(2)}]}


def an_odd_key(marks):
    return {"rows": {(1, 2): 3}}


def not_a_number(marks):
    return [float("nan")]


def prints(marks, mib, *line):
    text = " ".join(line).encode()
    chunk = text * (2**20 // len(text)) if text else b"x" * 2**20
    for _ in range(int(mib)):
        os.write(1, chunk)
    return "printed"


def lines(marks, mib):
    return prints(marks, mib, "a line of a hundred characters ".ljust(98, ".") + chr(10))


def empty_lines(marks, mib):
    for _ in range(int(mib)):
        os.write(1, bytes([10]) * 2**20)
    return "printed"


def noise(marks):
    os.write(1, bytes(range(256)) + b"no end")
    return "printed"


def closes_output(marks):
    sys.stdout.close()
    os.close(1)
    os.close(2)
    return "closed"


def fails(marks):
    raise ValueError("as handlers do")


def starts(marks):
    threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
    return str(subprocess.Popen(["sleep", "600"]).pid)


def descriptors(marks):
    return str(len(os.listdir("/proc/self/fd")))


def sockets():
    for name in os.listdir("/proc/self/fd"):
        try:
            if os.readlink(f"/proc/self/fd/{name}").startswith("socket:"):
                yield int(name)
        except OSError:
            pass


def hangs_up(marks):
    for descriptor in sockets():
        os.close(descriptor)
    return "gone"


def talks_over(marks):
    for descriptor in sockets():
        os.write(descriptor, b"this is no frame, and there is more of it " * 9)
    return "said"


def forks(marks):
    return "parent" if os.fork() else "child"


def too_long_a_type(marks):
    return "x", "text/" + "x" * 100_000


def large(marks, size):
    return b"r" * int(size)


def endless(marks):
    while True:
        yield "x" * 100_000


def dies_half_way(marks):
    yield "one"
    time.sleep(0.05)
    os.kill(os.getpid(), signal.SIGKILL)
"""


class Faults:
    """An endpoint whose requests say what goes wrong, and the folder of its handlers' marks."""

    def __init__(self, local: LocalAws, name: str, folder: Path) -> None:
        self.local = local
        self.name = name
        self.marks = folder / "marks"
        self.code = folder / "model" / "inference.py"

    def ask(self, what: str) -> str:
        return self.local.invoke(self.name, what, ContentType="text/plain")

    def error(self, what: str) -> dict[str, Any]:
        """Return the members of the ModelError that a request is answered with."""
        with pytest.raises(ClientError) as caught:
            self.ask(what)
        response = caught.value.response
        assert response["Error"]["Code"] == "ModelError"
        assert response["ResponseMetadata"]["HTTPStatusCode"] == 424
        assert response["ResponseMetadata"]["RetryAttempts"] == 0
        return dict(response)

    @property
    def pid(self) -> int:
        return int(self.ask("pid"))

    @property
    def waiting(self) -> int:
        """How many requests wait for the worker."""
        api = LocalApi(self.local.info.address, load_or_create(self.local.home), REGION)
        facts = api.endpoint(self.name)
        assert facts is not None
        return int(facts["variants"][0]["waiting"])

    def log(self) -> list[str]:
        return self.local.endpoint_log(self.name)

    def logged(self, text: str) -> None:
        eventually(lambda: any(text in line for line in self.log()), f"the log says {text!r}")

    def place_of(self, text: str) -> str:
        """Return `file.py:12` of a line of the handlers."""
        return f"{self.code}:{1 + self.code.read_text().splitlines().index(text)}"

    def wrapped(self, error: dict[str, Any]) -> str:
        """Return what AWS's sentence is around what the container said."""
        kind = "client" if 400 <= error["OriginalStatusCode"] < 500 else "server"
        return (
            f"Received {kind} error ({error['OriginalStatusCode']}) from primary with message "
            f'"{error["OriginalMessage"]}". See https://us-east-1.console.aws.amazon.com/cloudwatch'
            f"/home?region=us-east-1#logEventViewer:group=/aws/sagemaker/Endpoints/{self.name} "
            "in account 000000000000 for more information."
        )


def died(status: int, words: str) -> str:
    """Return the body of the model server's own error."""
    body = {"code": status, "type": "InternalServerException", "message": words}
    return json.dumps(body, indent=2) + "\n"


@contextmanager
def deployed(local: LocalAws, name: str, folder: Path, **environment: str) -> Iterator[Faults]:
    """Serve the handlers in this test, with some variables of the container."""
    (folder / "model").mkdir()
    (folder / "marks").mkdir()
    (folder / "model" / "inference.py").write_text(HANDLERS)
    variables = {"MARKS": str(folder / "marks"), **environment}
    with local.deployed(name, folder / "model", environment=variables) as described:
        assert described["EndpointStatus"] == "InService", described
        yield Faults(local, name, folder)


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


def post(faults: Faults, what: str) -> http.client.HTTPConnection:
    """Send a request over a connection of its own, and do not wait."""
    path = f"/endpoints/{faults.name}/invocations"
    body = what.encode()
    headers = Signer(faults.local).headers("POST", path, body, {"Content-Type": "text/plain"})
    connection = http.client.HTTPConnection(*faults.local.place, timeout=20)
    connection.request("POST", path, body, headers)
    return connection


def has_ended(process: psutil.Process) -> bool:
    """Whether a process runs no more; who collects it is another question."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
