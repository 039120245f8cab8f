"""What a worker's environment holds, and what it never does."""

from __future__ import annotations

from sagelet.hosting.environment import worker_environment
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
    variables = worker_environment(a_model(), ACCOUNT, MACHINE, {})
    assert {name: variables[name] for name in ("PATH", "HOME", "LANG", "LC_TIME")} == {
        "PATH": "/usr/bin",
        "HOME": "/home/me",
        "LANG": "C.UTF-8",
        "LC_TIME": "de_DE",
    }
    assert variables["CUDA_VISIBLE_DEVICES"] == "0"


def test_no_credential_and_nothing_unknown_passes() -> None:
    variables = worker_environment(a_model(), ACCOUNT, MACHINE, {})
    unwanted = {"AWS_PROFILE", "GITHUB_TOKEN", "PYTHONPATH", "OMP_NUM_THREADS"}
    assert not unwanted & set(variables)
    assert not {name for name in variables if "SECRET" in name or "TOKEN" in name}
    assert variables["AWS_SHARED_CREDENTIALS_FILE"] == "/dev/null"


def test_the_containers_variables_are_there() -> None:
    variables = worker_environment(a_model(), ACCOUNT, {}, {})
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
    variables = worker_environment(model, ACCOUNT, MACHINE, {})
    assert variables["DEPLOY_ENV"] == "local"
    assert variables["PATH"] == "/mine"
    assert variables["SAGEMAKER_PROGRAM"] == "serve.py"
    assert "SAGELET_PYTHON" not in variables
