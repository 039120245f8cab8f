"""Models are botocore's, without their documentation, and small."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from botocore.exceptions import DataNotFoundError
from botocore.loaders import Loader

from sagelet.wire.documents import Value
from sagelet.wire.models import TextParts, compact, description, service_model
from sagelet.wire.routing import presumed_service, protocol_of, route
from tests.wire.samples import sent_by_botocore

SERVICES = ("sagemaker", "sagemaker-runtime", "logs", "sts", "iam", "s3")


def without_documentation(part: Value) -> Value:
    match part:
        case dict():
            return {
                name: without_documentation(value)
                for name, value in part.items()
                if name != "documentation" or not isinstance(value, str)
            }
        case list():
            return [without_documentation(value) for value in part]
        case _:
            return part


@pytest.mark.parametrize("service", SERVICES)
def test_a_model_is_botocores_but_for_its_documentation(service: str) -> None:
    whole = Loader(include_default_extras=False).load_service_model(service, "service-2")
    ours = {
        name: dict(value) if isinstance(value, TextParts) else value
        for name, value in description(service).items()
    }
    assert ours == without_documentation(whole)


def test_a_model_is_loaded_once() -> None:
    assert service_model("sts") is service_model("sts")
    assert service_model("sagemaker-runtime").service_name == "sagemaker-runtime"


def test_an_unknown_service_is_an_error_that_names_it() -> None:
    with pytest.raises(DataNotFoundError, match="no-such-service"):
        service_model("no-such-service")


def test_any_layout_of_json_is_read() -> None:
    text = """ {
        "version" : "2.0" , "documentation": "long",
        "operations" : { } ,
        "shapes": { "A" : {"type":"structure", "members": {"documentation": {"shape": "B"}}},
                    "B":{"type":"string","documentation":"long"} }
    } """
    found = compact(text)
    assert list(found["operations"]) == []
    assert dict(found["shapes"]) == {
        "A": {"type": "structure", "members": {"documentation": {"shape": "B"}}},
        "B": {"type": "string"},
    }
    assert found["version"] == "2.0"
    assert "documentation" not in found
    assert "B" in found["shapes"]
    assert len(found["shapes"]) == 2


def test_the_protocols_and_targets_are_those_of_the_models() -> None:
    for service in SERVICES:
        assert protocol_of(service).value == service_model(service).resolved_protocol
    for service in ("sagemaker", "logs"):
        operation = service_model(service).operation_model(
            service_model(service).operation_names[0]
        )
        head, body = sent_by_botocore(service, operation, {})
        prefix = service_model(service).metadata["targetPrefix"]
        assert head.headers["x-amz-target"] == f"{prefix}.{operation.name}"
        assert presumed_service(head) == service
        assert route(head, body).operation.name == operation.name


_MEASURE = """
import json, sys, tracemalloc
from sagelet.wire import models, parsing, routing, serializing, signatures, validation
imported = [name for name in ("boto3", "s3transfer", "requests") if name in sys.modules]
early = models.service_model.cache_info().currsize
tracemalloc.start()
models.service_model("sagemaker")
held = tracemalloc.get_traced_memory()[0]
print(json.dumps({"imported": imported, "early": early, "held": held}))
"""


def test_sagemakers_model_takes_little_memory_and_no_model_is_loaded_before_it_is_used() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE], capture_output=True, text=True, check=True, timeout=60
    )
    found = json.loads(done.stdout)
    assert found["imported"] == []
    assert found["early"] == 0
    # botocore's own form of it takes more than 8 MB.
    assert found["held"] < 2.5 * 2**20
