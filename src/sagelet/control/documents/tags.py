"""Tags in documents."""

from __future__ import annotations

from collections.abc import Mapping

from sagelet.control.context import Document
from sagelet.errors import InvalidRequest


def read_tags(document: Document) -> dict[str, str]:
    """Read the tags of a request; none where it has none.

    Raises:
        InvalidRequest: a key stands there twice, or is one of AWS's own.
    """
    tags: dict[str, str] = {}
    for tag in document.get("Tags") or ():
        key = tag["Key"]
        if key in tags:
            raise InvalidRequest(message=f"Duplicate tag keys found: {key}")
        if key.lower().startswith("aws:"):
            raise InvalidRequest(
                message="aws: prefixed tag key names are not allowed for external use."
            )
        tags[key] = tag["Value"]
    return tags


def read_arn(document: Document) -> str:
    """Read which resource's tags are meant."""
    arn: str = document["ResourceArn"]
    return arn


def read_keys(document: Document) -> list[str]:
    """Read which tags are to go."""
    return list(document["TagKeys"])


def refuse_token(document: Document) -> None:
    """Refuse any NextToken: a resource's tags fit into one page, so none was ever given out.

    Raises:
        InvalidRequest: there is one.
    """
    if document.get("NextToken") is not None:
        raise InvalidRequest(message="The NextToken is not valid: no page of tags had one.")


def show_tags(tags: Mapping[str, str]) -> Document:
    """Return tags as a list."""
    return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}
