"""Operations on models."""

from __future__ import annotations

from sagelet.artifacts.access import S3Access
from sagelet.artifacts.uris import FileUri, S3Uri, parse_uri
from sagelet.control.context import Context, Document
from sagelet.control.documents import models as documents
from sagelet.control.documents.paging import read_query, show_page
from sagelet.control.documents.tags import read_tags
from sagelet.domain.hosting import Model


def create(context: Context, document: Document) -> Document:
    """CreateModel: its data must be there; AWS's own buckets are asked when it is served.

    Raises:
        AlreadyExists, InvalidRequest, ModelDataMissing
    """
    model = documents.read_model(document, account=context.account, at=context.clock.now())
    tags = read_tags(document)
    if model.data_url is not None:
        _require_data(context, model, parse_uri(model.data_url))
    with context.store.writing() as tx:
        tx.models.add(model)
        tx.tags.put(model.arn, tags)
    return documents.show_arn(model)


def _require_data(context: Context, model: Model, uri: S3Uri | FileUri) -> None:
    if isinstance(uri, FileUri) or not S3Access.of(model.environment).is_aws:
        context.artifacts.local_path(uri)


def describe(context: Context, document: Document) -> Document:
    """DescribeModel."""
    with context.store.reading() as snapshot:
        model = snapshot.models.get(documents.name_of(document))
    return documents.show_model(model, account=context.account)


def delete(context: Context, document: Document) -> Document:
    """DeleteModel: endpoints that serve it go on."""
    with context.store.writing() as tx:
        tx.models.remove(documents.name_of(document))
    return {}


def list_all(context: Context, document: Document) -> Document:
    """ListModels."""
    with context.store.reading() as snapshot:
        page = snapshot.models.list(read_query(document))
    return show_page("Models", page, documents.summarize)
