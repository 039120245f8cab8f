from __future__ import annotations

from pathlib import Path

import pytest

from sagelet.deploy.images import Purpose, image_for
from sagelet.deploy.versions import Versions, project_versions
from sagelet.errors import NotSupported


@pytest.mark.parametrize(
    ("purpose", "torch", "instance_type", "region", "tail"),
    [
        (
            "inference",
            "2.6.0",
            "ml.m5.large",
            "us-east-1",
            "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-inference:2.6.0-cpu-py312",
        ),
        (
            "training",
            "2.13.0+cpu",
            "ml.g5.xlarge",
            "eu-west-1",
            "763104351884.dkr.ecr.eu-west-1.amazonaws.com/pytorch-training:2.8.0-gpu-py312",
        ),
        (
            "inference",
            "2.4.1",
            "ml.c7g.large",
            "af-south-1",
            "626614931356.dkr.ecr.af-south-1.amazonaws.com/"
            "pytorch-inference-graviton:2.4.0-cpu-py311",
        ),
        (
            "inference",
            "1.4.0",
            "ml.t2.medium",
            "cn-north-1",
            "727897471807.dkr.ecr.cn-north-1.amazonaws.com.cn/pytorch-inference:1.12.1-cpu-py38",
        ),
        (
            "inference",
            None,
            "local_gpu",
            "us-east-1",
            "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-inference:2.6.0-gpu-py312",
        ),
        (
            "training",
            "2.10.0",
            "ml.g4dn.xlarge",
            "us-east-1",
            "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.8.0-gpu-py312",
        ),
    ],
)
def test_the_image_is_the_projects_torch_or_the_newest_before_it(
    purpose: Purpose, torch: str | None, instance_type: str, region: str, tail: str
) -> None:
    image = image_for(purpose, Versions("3.12", torch), region=region, instance_type=instance_type)
    assert image.uri == tail


def test_what_differs_from_the_project_is_said() -> None:
    exact = image_for(
        "inference", Versions("3.12", "2.6.0"), region="us-east-1", instance_type="local"
    )
    assert exact.note == ""
    other = image_for(
        "inference", Versions("3.11", "2.13.0+cpu"), region="us-east-1", instance_type="local"
    )
    assert other.note == (
        "the project has torch 2.13.0+cpu, the image 2.6.0; "
        "the project has Python 3.11, the image 3.12"
    )


@pytest.mark.parametrize(
    ("purpose", "region", "instance_type"),
    [
        ("inference", "mars-1", "ml.m5.large"),
        ("inference", "us-east-1", "ml.inf2.xlarge"),
        ("training", "us-east-1", "ml.trn1.2xlarge"),
        ("training", "us-east-1", "ml.c7g.large"),
        ("inference", "us-east-1", "ml.g5g.xlarge"),
    ],
)
def test_where_there_is_no_framework_image_it_must_be_named(
    purpose: Purpose, region: str, instance_type: str
) -> None:
    with pytest.raises(NotSupported):
        image_for(purpose, Versions(None, None), region=region, instance_type=instance_type)


def test_versions_are_read_from_the_environments_files(tmp_path: Path) -> None:
    packages = tmp_path / "lib" / "python3.9" / "site-packages"
    (packages / "torch-2.1.0+cpu.dist-info").mkdir(parents=True)
    (packages / "torch_geometric-2.0.dist-info").mkdir()
    python = tmp_path / "bin" / "python"
    assert project_versions(python) == Versions("3.9", "2.1.0+cpu")
    (tmp_path / "pyvenv.cfg").write_text("home = /x\nversion = 3.9.18\n", encoding="utf-8")
    assert project_versions(python) == Versions("3.9", "2.1.0+cpu")


def test_an_environment_that_says_nothing_is_unknown(tmp_path: Path) -> None:
    assert project_versions(tmp_path / "bin" / "python") == Versions(None, None)


def test_without_an_interpreter_our_own_versions_count() -> None:
    own = project_versions(None)
    assert own.python is not None
    assert own.python.startswith("3.")
