"""An endpoint whose requests say what goes wrong in its handlers."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sagelet.environments.credentials import load_or_create
from sagelet.environments.local_api import LocalApi
from tests.end_to_end.local_aws import REGION, LocalAws, eventually
from tests.end_to_end.signing import Signer

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


def post(faults: Faults, what: str) -> http.client.HTTPConnection:
    """Send a request over a connection of its own, and do not wait."""
    path = f"/endpoints/{faults.name}/invocations"
    body = what.encode()
    headers = Signer(faults.local).headers("POST", path, body, {"Content-Type": "text/plain"})
    connection = http.client.HTTPConnection(*faults.local.place, timeout=20)
    connection.request("POST", path, body, headers)
    return connection
