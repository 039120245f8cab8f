"""Models in documents."""

from __future__ import annotations

from copy import deepcopy
from datetime import datetime
from typing import Any

from sagelet.control.context import Document
from sagelet.domain.account import Account
from sagelet.domain.hosting import Model
from sagelet.errors import InvalidRequest


def name_of(document: Document) -> str:
    """Read which model is meant."""
    name: str = document["ModelName"]
    return name


def read_model(document: Document, *, account: Account, at: datetime) -> Model:
    """Read a CreateModel request. An image is not needed: the project's interpreter runs the model.

    Raises:
        InvalidRequest: it names no container, or two places for its data.
    """
    container = document.get("PrimaryContainer")
    if not container:
        raise InvalidRequest(message="A model needs a PrimaryContainer.")
    name = name_of(document)
    return Model(
        name=name,
        arn=account.arn("model", name),
        image=container.get("Image"),
        data_url=_data_url(container),
        environment=dict(container.get("Environment") or {}),
        submitted=deepcopy(document),
        created_at=at,
        is_multi=container.get("Mode") == "MultiModel",
    )


def show_arn(model: Model) -> Document:
    """Return the answer to CreateModel."""
    return {"ModelArn": model.arn}


def show_model(model: Model, *, account: Account) -> Document:
    """Return a model as DescribeModel does: as it was submitted, with what AWS fills in."""
    submitted = deepcopy(dict(model.submitted))
    submitted.pop("Tags", None)
    shown: Document = {
        **submitted,
        "ModelName": model.name,
        "ModelArn": model.arn,
        "CreationTime": model.created_at,
        "PrimaryContainer": {"Mode": "SingleModel", **submitted["PrimaryContainer"]},
    }
    shown.setdefault("EnableNetworkIsolation", False)
    if shown.get("ExecutionRoleArn"):
        shown["ExecutionRoleArn"] = account.role_arn(shown["ExecutionRoleArn"])
    return shown


def summarize(model: Model) -> Document:
    """Return a model as ListModels does."""
    return {
        "ModelName": model.name,
        "ModelArn": model.arn,
        "CreationTime": model.created_at,
    }


def _data_url(container: dict[str, Any]) -> str | None:
    url = container.get("ModelDataUrl")
    source = (container.get("ModelDataSource") or {}).get("S3DataSource") or {}
    if url and source:
        raise InvalidRequest(message="Give ModelDataUrl or ModelDataSource, not both.")
    return url or source.get("S3Uri")
