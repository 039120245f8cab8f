"""Models that cannot serve, and payloads that they cannot take, say whose fault it is and where."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.end_to_end.local_aws import LocalAws

pytestmark = pytest.mark.usefixtures("nothing_lost")

PING = (
    "The primary container for production variant AllTraffic did not pass the ping health check. "
    "Please check CloudWatch logs for this endpoint."
)
HANDLERS = """
import torch


def model_fn(model_dir):
    return load(model_dir)


def load(folder):
    return torch.nn.Linear(1, 1)


def input_fn(body, content_type):
    return body


def predict_fn(data, model):
    return data


def output_fn(prediction, accept):
    return prediction
"""
DEFAULTS = """
def model_fn(model_dir):
    return lambda batch: batch
"""


def line_of(text: str, code: str = HANDLERS) -> int:
    return code.splitlines().index(text) + 1


def a_folder(folder: Path, code: str) -> Path:
    file = folder / "inference.py"
    file.write_text(code)
    return file


def test_a_model_fn_that_raises_shows_the_users_error_and_traceback_first(
    local: LocalAws, tmp_path: Path
) -> None:
    raising = "    raise ValueError('no weights')"
    code = HANDLERS.replace("    return torch.nn.Linear(1, 1)", raising)
    file = a_folder(tmp_path, code)
    with local.deployed("raises", tmp_path) as endpoint:
        log = "\n".join(local.endpoint_log("raises"))
    assert endpoint["EndpointStatus"] == "Failed"
    line = line_of(raising, code)
    lines = endpoint["FailureReason"].splitlines()
    assert lines[:3] == [
        f"ValueError: no weights at {file}:{line}",
        "Traceback (most recent call last):",
        f'  File "{file}", line {line_of("    return load(model_dir)")}, in model_fn',
    ]
    assert lines[-1] == PING
    assert f'File "{file}", line {line}, in load' in log


def test_code_that_does_not_parse_is_placed(local: LocalAws, tmp_path: Path) -> None:
    file = a_folder(tmp_path, "x = 1\ndef model_fn(model_dir:\n    return 1\n")
    with local.deployed("does-not-parse", tmp_path) as endpoint:
        reason = endpoint["FailureReason"]
    assert reason.startswith(f"SyntaxError: '(' was never closed at {file}:2\n")


def test_handlers_of_the_wrong_arity_are_named_and_placed(local: LocalAws, tmp_path: Path) -> None:
    right, wrong = "def predict_fn(data, model):", "def predict_fn(data):"
    file = a_folder(tmp_path, HANDLERS.replace(right, wrong))
    with local.deployed("arity", tmp_path):
        error = model_error(local, "arity", "application/json")
    assert error["OriginalStatusCode"] == 500
    assert error["OriginalMessage"].splitlines() == [
        "predict_fn takes 1 arguments but 2 were given.",
        "Traceback (most recent call last):",
        f'  File "{file}", line {line_of(right)}, in predict_fn',
        "    def predict_fn(data):",
        "TypeError: predict_fn takes 1 arguments but 2 were given.",
    ]


def test_a_content_type_that_no_handler_takes(local: LocalAws, tmp_path: Path) -> None:
    a_folder(tmp_path, DEFAULTS)
    with local.deployed("content-type", tmp_path):
        error = model_error(local, "content-type", "application/x-coffee")
    words = "Content type application/x-coffee is not supported by this framework."
    assert error["OriginalStatusCode"] == 415
    assert error["OriginalMessage"].startswith(words)
    assert error["Error"]["Message"].startswith(
        f'Received client error (415) from primary with message "{words}'
    )
    assert error["Error"]["Message"].endswith(
        '". See https://us-east-1.console.aws.amazon.com/cloudwatch/home?region=us-east-1'
        "#logEventViewer:group=/aws/sagemaker/Endpoints/content-type in account 000000000000 "
        "for more information."
    )


@pytest.mark.parametrize(
    ("end", "status"), [("os._exit(1)", 500), ("os.kill(os.getpid(), 9)", 507)]
)
def test_a_payload_that_kills_the_worker_is_answered_and_not_sent_again(
    local: LocalAws, tmp_path: Path, end: str, status: int
) -> None:
    deadly = f"    if data == 'die':\n        import os; {end}\n    return data"
    a_folder(tmp_path, HANDLERS.replace("    return data", deadly))
    with local.deployed("deadly", tmp_path):
        error = model_error(local, "deadly", "application/json", "die")
        assert local.invoke("deadly", "live") == "live"  # by the worker in its place
    assert error["OriginalStatusCode"] == status
    assert '"message": "Worker died.' in error["OriginalMessage"]


def model_error(
    local: LocalAws, endpoint: str, content_type: str, body: str = "{}"
) -> dict[str, Any]:
    """Invoke an endpoint whose model fails; return the error's members."""
    with pytest.raises(ClientError) as caught:
        local.invoke(endpoint, body, ContentType=content_type)
    response = caught.value.response
    assert response["Error"]["Code"] == "ModelError"
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 424
    return dict(response)


def packed(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    """Return an archive of good code, and these members."""
    code = tarfile.TarInfo("code/inference.py")
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz", compresslevel=1) as archive:
        for member, content in ((code, DEFAULTS.encode()), *members):
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return file.getvalue()


def a_link(target: str, kind: bytes = tarfile.SYMTYPE) -> bytes:
    link = tarfile.TarInfo("link")
    link.type, link.linkname = kind, target
    return packed((link, b""))


def a_file(name: str) -> bytes:
    return packed((tarfile.TarInfo(name), b"evil"))


def special(kind: bytes) -> bytes:
    member = tarfile.TarInfo("special")
    member.type = kind
    return packed((member, b""))


def through_a_link() -> bytes:
    folder, file = tarfile.TarInfo("folder"), tarfile.TarInfo("folder/evil")
    folder.type, folder.linkname = tarfile.SYMTYPE, "code"
    return packed((folder, b""), (file, b"evil"))


def zipped() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("code/inference.py", DEFAULTS)
    return file.getvalue()


def with_a_flipped_bit() -> bytes:
    # Stored, not deflated: the tar in it seems whole, and tarfile alone would unpack it.
    whole = bytearray(gzip.compress(gzip.decompress(packed()), compresslevel=0))
    whole[whole.index(b"lambda batch")] ^= 1
    return bytes(whole)


def with_a_wrong_checksum() -> bytes:
    damaged = bytearray(packed())
    damaged[-8] ^= 1
    return bytes(damaged)


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "link-out": (
        lambda: a_link("../../../../etc/passwd"),
        "unsafe path: 'link' links outside, '../../../../etc/passwd'",
    ),
    "hard-link-out": (
        lambda: a_link("/etc/passwd", tarfile.LNKTYPE),
        "unsafe path '/etc/passwd': it is absolute",
    ),
    "absolute-name": (lambda: a_file("/evil"), "unsafe path '/evil': it is absolute"),
    "name-that-climbs": (lambda: a_file("../../evil"), "unsafe path '../../evil'"),
    "fifo": (lambda: special(tarfile.FIFOTYPE), "'special' is a FIFO"),
    "device": (lambda: special(tarfile.CHRTYPE), "'special' is a device"),
    "through-a-link": (
        through_a_link,
        "unsafe path 'folder/evil': it leads through a file or a link",
    ),
    "flipped-bit": (with_a_flipped_bit, "corrupt archive (CRC)"),
    "zip": (zipped, "it is a zip file; make it a gzipped tar"),
    "deep": (
        lambda: a_file("d/" * 10_000 + "file"),
        f"'{'d/' * 40}'… is more than 64 folders deep",
    ),
    "wrong-checksum": (with_a_wrong_checksum, "corrupt archive (CRC)"),
    "truncated": (lambda: packed()[:-20], "it is truncated"),
    "bomb": (
        lambda: packed((tarfile.TarInfo("zeros"), bytes(300 * 2**20))),
        "unpacked, it exceeds 200 times its own size",
    ),
    "html-page": (lambda: b"<!DOCTYPE html><html>Forbidden</html>", "it is an HTML page"),
    "not-zipped": (lambda: gzip.decompress(packed()), "it is a plain tar; gzip it"),
    "empty": (lambda: b"", "it is empty"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_an_archive_is_refused_whole(local: LocalAws, tmp_path: Path, name: str) -> None:
    make, why = HOSTILE[name]
    archive = tmp_path / "model.tar.gz"
    archive.write_bytes(make())
    endpoints = local.home.root / "endpoints"
    with local.deployed(name, archive) as endpoint:
        assert endpoint["EndpointStatus"] == "Failed"
        assert endpoint["FailureReason"] == f"model.tar.gz was refused: {why}"
        assert not [path for path in endpoints.rglob("*") if path.is_file()]
    assert not list(tmp_path.parent.rglob("evil"))
    assert not list(local.home.root.rglob("evil"))


def test_an_update_to_a_model_that_does_not_load_keeps_what_serves(
    local: LocalAws, tmp_path: Path
) -> None:
    good, bad = tmp_path / "good", tmp_path / "bad"
    good.mkdir()
    bad.mkdir()
    a_folder(good, HANDLERS)
    a_folder(bad, "raise OSError('a disk that is gone')\n")
    with local.deployed("updated", good):
        local.deploy_model("updated-badly", bad)
        local.sagemaker.update_endpoint(EndpointName="updated", EndpointConfigName="updated-badly")
        endpoint = local.wait_settled("updated")
        assert local.invoke("updated", "still") == "still"
        local.sagemaker.delete_endpoint_config(EndpointConfigName="updated-badly")
        local.sagemaker.delete_model(ModelName="updated-badly")
    assert endpoint["EndpointStatus"] == "InService"
    assert endpoint["EndpointConfigName"] == "updated"
    assert endpoint["FailureReason"].startswith("OSError: a disk that is gone at ")
