"""Operations on endpoint configurations."""

from __future__ import annotations

from sagelet.control.context import Context, Document
from sagelet.control.documents import endpoint_configs as documents
from sagelet.control.documents.paging import read_query, show_page
from sagelet.control.documents.tags import read_tags


def create(context: Context, document: Document) -> Document:
    """CreateEndpointConfig: its models must be there.

    Raises:
        AlreadyExists, InvalidRequest, ModelNotFound
    """
    config = documents.read_endpoint_config(
        document, account=context.account, at=context.clock.now()
    )
    tags = read_tags(document)
    with context.store.writing() as tx:
        tx.endpoint_configs.add(config)
        for variant in config.variants:
            tx.models.get(variant.model_name)
        tx.tags.put(config.arn, tags)
    return documents.show_arn(config)


def describe(context: Context, document: Document) -> Document:
    """DescribeEndpointConfig."""
    with context.store.reading() as snapshot:
        config = snapshot.endpoint_configs.get(documents.name_of(document))
    return documents.show_endpoint_config(config, account=context.account)


def delete(context: Context, document: Document) -> Document:
    """DeleteEndpointConfig: endpoints that have it go on."""
    with context.store.writing() as tx:
        tx.endpoint_configs.remove(documents.name_of(document))
    return {}


def list_all(context: Context, document: Document) -> Document:
    """ListEndpointConfigs."""
    with context.store.reading() as snapshot:
        page = snapshot.endpoint_configs.list(read_query(document))
    return show_page("EndpointConfigs", page, documents.summarize)
