"""What a worker's environment holds, and what it never does."""

from __future__ import annotations

from pathlib import Path

import pytest

from sagelet.errors import InvalidRequest
from sagelet.hosting.environment import worker_environment
from sagelet.hosting.settings import Container, HostingSettings, usable_cores
from tests.builders import ACCOUNT, a_model

MACHINE = {
    "PATH": "/usr/bin",
    "HOME": "/home/me",
    "LANG": "C.UTF-8",
    "LC_TIME": "de_DE",
    "CUDA_VISIBLE_DEVICES": "0",
    "AWS_ACCESS_KEY_ID": "AKIA",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_SESSION_TOKEN": "token",
    "AWS_PROFILE": "work",
    "GITHUB_TOKEN": "secret",
    "PYTHONPATH": "/elsewhere",
    "OMP_NUM_THREADS": "8",
}


def test_a_little_of_the_machines_environment_passes() -> None:
    variables = worker_environment(a_model(), ACCOUNT, MACHINE)
    assert {name: variables[name] for name in ("PATH", "HOME", "LANG", "LC_TIME")} == {
        "PATH": "/usr/bin",
        "HOME": "/home/me",
        "LANG": "C.UTF-8",
        "LC_TIME": "de_DE",
    }
    assert variables["CUDA_VISIBLE_DEVICES"] == "0"


def test_no_credential_and_nothing_unknown_passes() -> None:
    variables = worker_environment(a_model(), ACCOUNT, MACHINE)
    unwanted = {"AWS_PROFILE", "GITHUB_TOKEN", "PYTHONPATH", "OMP_NUM_THREADS"}
    assert not unwanted & set(variables)
    assert not {name for name in variables if "SECRET" in name or "TOKEN" in name}
    assert variables["AWS_SHARED_CREDENTIALS_FILE"] == "/dev/null"


def test_the_containers_variables_are_there() -> None:
    variables = worker_environment(a_model(), ACCOUNT, {})
    assert variables["AWS_REGION"] == variables["AWS_DEFAULT_REGION"] == ACCOUNT.region
    assert variables["SAGEMAKER_PROGRAM"] == "inference.py"
    assert variables["SAGEMAKER_SUBMIT_DIRECTORY"] == "/opt/ml/model/code"


def test_the_models_environment_wins_and_our_own_names_stay_out_of_sight() -> None:
    model = a_model(
        environment={
            "DEPLOY_ENV": "local",
            "PATH": "/mine",
            "SAGEMAKER_PROGRAM": "serve.py",
            "SAGELET_PYTHON": "/venv/bin/python",
        }
    )
    variables = worker_environment(model, ACCOUNT, MACHINE)
    assert variables["DEPLOY_ENV"] == "local"
    assert variables["PATH"] == "/mine"
    assert variables["SAGEMAKER_PROGRAM"] == "serve.py"
    assert "SAGELET_PYTHON" not in variables


def test_a_model_says_how_it_is_served() -> None:
    model = a_model(
        environment={
            "SAGEMAKER_PROGRAM": "serve.py",
            "SAGEMAKER_MODEL_SERVER_WORKERS": "3",
            "SAGEMAKER_MODEL_SERVER_TIMEOUT": "7",
            "SAGELET_THREADS": "4",
            "SAGELET_CONTRACT": "strict",
            "SAGELET_PYTHON": "/venv/bin/python",
        }
    )
    container = Container.of(model, HostingSettings(environ={}))
    assert container == Container(
        program="serve.py",
        workers=3,
        timeout_s=7.0,
        threads=4,
        contract="strict",
        python=Path("/venv/bin/python"),
        max_request_bytes=6_553_500,
        max_response_bytes=6_553_500,
    )


def test_what_it_does_not_say_is_the_hosts_choice() -> None:
    container = Container.of(a_model(), HostingSettings(workers=2, environ={}))
    assert container == Container("inference.py", 2, 60.0)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SAGEMAKER_MODEL_SERVER_WORKERS", "many"),
        ("SAGEMAKER_MODEL_SERVER_WORKERS", "0"),
        ("SAGEMAKER_MODEL_SERVER_TIMEOUT", "-1"),
        ("SAGELET_CONTRACT", "lax"),
        ("SAGELET_MAX_BATCH", "1.5"),
        ("SAGEMAKER_BIND_TO_PORT", "70000"),
        ("TS_MAX_RESPONSE_SIZE", "big"),
    ],
)
def test_a_value_that_makes_no_sense_is_named(name: str, value: str) -> None:
    model = a_model(environment={name: value})
    with pytest.raises(InvalidRequest, match=name):
        Container.of(model, HostingSettings(environ={}))


@pytest.mark.parametrize(
    ("variables", "workers", "timeout_s"),
    [
        ({"SAGEMAKER_MODEL_SERVER_WORKERS": "auto"}, usable_cores(), 60),
        ({"SAGEMAKER_TS_BATCH_SIZE": "8"}, 1, 60),
        ({"SAGEMAKER_TS_RESPONSE_TIMEOUT": "9"}, 1, 9),
        ({"SAGEMAKER_TS_MIN_WORKERS": "2", "SAGEMAKER_TS_MAX_WORKERS": "4"}, 4, 60),
        ({"SAGEMAKER_MODEL_SERVER_TIMEOUT_SECONDS": "8"}, 7, 8),
        (
            {
                "SAGEMAKER_MODEL_SERVER_TIMEOUT": "5",
                "SAGEMAKER_MODEL_SERVER_TIMEOUT_SECONDS": "8",
            },
            7,
            8,
        ),
    ],
)
def test_the_real_servers_variables_count(
    variables: dict[str, str], workers: int, timeout_s: float
) -> None:
    model = a_model(environment=variables)
    container = Container.of(model, HostingSettings(workers=7, environ={}))
    assert (container.workers, container.timeout_s) == (workers, timeout_s)
