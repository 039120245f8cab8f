"""Operations on tags, of whatever has an ARN here."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sagelet.control.context import Context, Document
from sagelet.control.documents import tags as documents
from sagelet.errors import InvalidRequest, NotSupported
from sagelet.store.resources import Named
from sagelet.store.store import Snapshot, Transaction

_MAX_TAGS = 50

_FAMILIES: Mapping[str, Callable[[Snapshot | Transaction, str], Named]] = {
    "model": lambda tables, name: tables.models.get(name),
    "endpoint-config": lambda tables, name: tables.endpoint_configs.get(name),
    "endpoint": lambda tables, name: tables.endpoints.get(name),
    "training-job": lambda tables, name: tables.training_jobs.get(name),
}


def add(context: Context, document: Document) -> Document:
    """AddTags: answers with all tags of the resource.

    Raises:
        NotFound: there is no such resource.
        InvalidRequest: a tag is not allowed, or there would be more than 50.
    """
    arn, tags = documents.read_arn(document), documents.read_tags(document)
    with context.store.writing() as tx:
        arn = _known(tx, arn)
        tx.tags.put(arn, tags)
        all_tags = tx.tags.of(arn)
        if len(all_tags) > _MAX_TAGS:
            raise InvalidRequest(message=f"A resource may have {_MAX_TAGS} tags at most.")
    return documents.show_tags(all_tags)


def list_all(context: Context, document: Document) -> Document:
    """ListTags: all of them on one page.

    Raises:
        NotFound: there is no such resource.
    """
    documents.refuse_token(document)
    with context.store.reading() as snapshot:
        arn = _known(snapshot, documents.read_arn(document))
        return documents.show_tags(snapshot.tags.of(arn))


def delete(context: Context, document: Document) -> Document:
    """DeleteTags: keys that are not there are passed over.

    Raises:
        NotFound: there is no such resource.
    """
    with context.store.writing() as tx:
        arn = _known(tx, documents.read_arn(document))
        tx.tags.remove(arn, documents.read_keys(document))
    return {}


def _known(tables: Snapshot | Transaction, arn: str) -> str:
    """Return a resource's ARN as it is kept, whatever the case of the name in it."""
    kind, _, name = arn.rpartition(":")[2].partition("/")
    get = _FAMILIES.get(kind)
    if get is None or not name:
        raise NotSupported(message=f'"{arn}" is not the ARN of a resource that has tags here.')
    return get(tables, name).arn
