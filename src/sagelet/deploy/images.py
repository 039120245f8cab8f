"""Which AWS deep learning container stands for a project's torch: a dated table.

Read on 2026-11-22 from the image table in the SageMaker Python SDK 2.257.7
(`image_uri_config/pytorch.json`); AWS lists the images at
https://aws.github.io/deep-learning-containers/. `image:` in an environment names another one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from sagelet.deploy.versions import Versions
from sagelet.errors import NotSupported

Purpose = Literal["inference", "training"]

TABLE_DATE = "2026-11-22"

_DEFAULT_REGISTRY = "763104351884"
_REGISTRIES = {
    "af-south-1": "626614931356",
    "ap-east-1": "871362719292",
    "ap-east-2": "975050140332",
    "ap-northeast-1": _DEFAULT_REGISTRY,
    "ap-northeast-2": _DEFAULT_REGISTRY,
    "ap-northeast-3": "364406365360",
    "ap-south-1": _DEFAULT_REGISTRY,
    "ap-south-2": "772153158452",
    "ap-southeast-1": _DEFAULT_REGISTRY,
    "ap-southeast-2": _DEFAULT_REGISTRY,
    "ap-southeast-3": "907027046896",
    "ap-southeast-4": "457447274322",
    "ap-southeast-5": "550225433462",
    "ap-southeast-7": "590183813437",
    "ca-central-1": _DEFAULT_REGISTRY,
    "ca-west-1": "204538143572",
    "cn-north-1": "727897471807",
    "cn-northwest-1": "727897471807",
    "eu-central-1": _DEFAULT_REGISTRY,
    "eu-central-2": "380420809688",
    "eu-north-1": _DEFAULT_REGISTRY,
    "eu-south-1": "692866216735",
    "eu-south-2": "503227376785",
    "eu-west-1": _DEFAULT_REGISTRY,
    "eu-west-2": _DEFAULT_REGISTRY,
    "eu-west-3": _DEFAULT_REGISTRY,
    "il-central-1": "780543022126",
    "me-central-1": "914824155844",
    "me-south-1": "217643126080",
    "mx-central-1": "637423239942",
    "sa-east-1": _DEFAULT_REGISTRY,
    "us-east-1": _DEFAULT_REGISTRY,
    "us-east-2": _DEFAULT_REGISTRY,
    "us-gov-east-1": "446045086412",
    "us-gov-west-1": "442386744353",
    "us-west-1": _DEFAULT_REGISTRY,
    "us-west-2": _DEFAULT_REGISTRY,
}

# torch to the Python of its image, oldest first.
_SINCE_2 = {
    "2.0.1": "py310",
    "2.1.0": "py310",
    "2.2.0": "py310",
    "2.3.0": "py311",
    "2.4.0": "py311",
    "2.5.1": "py311",
    "2.6.0": "py312",
}
_IMAGES: Mapping[str, Mapping[str, str]] = {
    "pytorch-inference": {"1.12.1": "py38", "1.13.1": "py39", **_SINCE_2},
    "pytorch-training": {
        "1.12.1": "py38",
        "1.13.1": "py39",
        **_SINCE_2,
        "2.7.1": "py312",
        "2.8.0": "py312",
    },
    "pytorch-inference-graviton": {
        "1.12.1": "py38",
        "2.0.1": "py310",
        "2.1.0": "py310",
        "2.2.1": "py310",
        "2.3.0": "py311",
        "2.4.0": "py311",
    },
}

_FAMILY = re.compile(r"ml\.(?P<letters>[a-z]+)(?P<generation>\d+)(?P<options>[a-z-]*)\.")


@dataclass(frozen=True, slots=True)
class Image:
    """An image's URI, and what differs between it and the project (empty where nothing does)."""

    uri: str
    note: str = ""


def image_for(purpose: Purpose, versions: Versions, *, region: str, instance_type: str) -> Image:
    """Return the framework image for a project: its torch, or the newest before it.

    Raises:
        NotSupported: no framework image runs on the instance type, or in the region.
    """
    repository = _repository(purpose, instance_type)
    registry = _REGISTRIES.get(region)
    if registry is None:
        raise NotSupported(f"no framework image is known in region {region}: write `image:`")
    table = _IMAGES[repository]
    torch = _nearest(table, versions.torch)
    domain = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    device = "gpu" if _has_gpu(instance_type) else "cpu"
    tag = f"{torch}-{device}-{table[torch]}"
    uri = f"{registry}.dkr.ecr.{region}.{domain}/{repository}:{tag}"
    return Image(uri, _difference(versions, torch, table[torch]))


def _repository(purpose: Purpose, instance_type: str) -> str:
    family = _FAMILY.match(instance_type)
    if family is not None and family["letters"] in ("inf", "trn"):
        raise NotSupported(f"{instance_type} needs a Neuron image: write `image:`")
    if family is not None and family["options"].startswith("g"):
        if purpose == "training" or _has_gpu(instance_type):
            raise NotSupported(f"no PyTorch {purpose} image for {instance_type}: write `image:`")
        return "pytorch-inference-graviton"
    return f"pytorch-{purpose}"


def _has_gpu(instance_type: str) -> bool:
    family = _FAMILY.match(instance_type)
    return instance_type == "local_gpu" or (family is not None and family["letters"] in ("g", "p"))


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version.partition("+")[0])[:2])


def _nearest(table: Mapping[str, str], torch: str | None) -> str:
    known = list(table)
    if torch is None:
        return known[-1]
    older = [version for version in known if _numbers(version) <= _numbers(torch)]
    return older[-1] if older else known[0]


def _difference(versions: Versions, torch: str, python_tag: str) -> str:
    said = []
    if versions.torch is None:
        said.append(f"the project's torch is unknown; the image has {torch}")
    elif _numbers(versions.torch) != _numbers(torch):
        said.append(f"the project has torch {versions.torch}, the image {torch}")
    python = python_tag.removeprefix("py")
    if versions.python is not None and versions.python != f"{python[0]}.{python[1:]}":
        said.append(f"the project has Python {versions.python}, the image {python[0]}.{python[1:]}")
    return "; ".join(said)
