"""Operations on endpoints: recorded here, done by the host.

One is created, updated or deleted at a time: while its status is Creating, Updating or Deleting,
the next change is refused. The record is made in one transaction, so that of many requests for a
name one wins; only then is the host told.
"""

from __future__ import annotations

from dataclasses import replace

from sagelet.control import shares
from sagelet.control.context import Context, Document
from sagelet.control.documents import endpoints as documents
from sagelet.control.documents.paging import read_query, show_page
from sagelet.control.documents.tags import read_tags
from sagelet.control.holding import Subject
from sagelet.domain.hosting import Endpoint, EndpointStatus, Serving
from sagelet.errors import Busy, EndpointNotFound, InvalidRequest
from sagelet.store.store import Transaction


def create(context: Context, document: Document) -> Document:
    """CreateEndpoint: answered as soon as it is recorded; Describe tells what becomes of it.

    Raises:
        AlreadyExists, EndpointConfigNotFound, ModelNotFound
    """
    tags = read_tags(document)
    with context.store.writing() as tx:
        endpoint = documents.read_endpoint(
            document,
            wanted=_serving(tx, documents.config_name_of(document)),
            account=context.account,
            at=context.clock.now(),
        )
        tx.endpoints.add(endpoint)
        tx.tags.put(endpoint.arn, tags)
    context.host.converge(endpoint)
    return documents.show_arn(endpoint)


def update(context: Context, document: Document) -> Document:
    """UpdateEndpoint: what serves goes on until what is wanted has taken over, or has failed.

    Raises:
        EndpointNotFound, EndpointConfigNotFound, ModelNotFound
        Busy: it is being changed.
        InvalidRequest: it has failed, and can only be deleted.
    """
    with context.store.writing() as tx:
        endpoint = _settled(tx, document)
        if endpoint.status is EndpointStatus.FAILED:
            raise _only_delete(endpoint)
        wanted = _serving(tx, documents.config_name_of(document))
        if endpoint.serving is not None:
            wanted = shares.retained(wanted, endpoint.serving, documents.retention_of(document))
        updating = _updating(context, tx, endpoint, wanted)
    context.host.converge(updating)
    return documents.show_arn(updating)


def update_weights_and_capacities(context: Context, document: Document) -> Document:
    """UpdateEndpointWeightsAndCapacities: the workers that serve go on; only the shares change.

    Raises:
        EndpointNotFound
        Busy: it is being changed.
        InvalidRequest: it has failed, or a variant is not one of its own.
    """
    with context.store.writing() as tx:
        endpoint = _settled(tx, document)
        if endpoint.serving is None or endpoint.status is EndpointStatus.FAILED:
            raise _only_delete(endpoint)
        wanted = shares.shared(endpoint.serving, documents.read_shares(document))
        updating = _updating(context, tx, endpoint, wanted)
    context.host.converge(updating)
    return documents.show_arn(updating)


def delete(context: Context, document: Document) -> Document:
    """DeleteEndpoint: the record goes when the last request in flight has been answered.

    Raises:
        EndpointNotFound
        Busy: it is being changed.
    """
    with context.store.writing() as tx:
        endpoint = _settled(tx, document)
        deleting = endpoint.moved_to(EndpointStatus.DELETING, at=context.clock.now())
        tx.endpoints.put(deleting)
    context.host.delete(deleting)
    return {}


def describe(context: Context, document: Document) -> Document:
    """DescribeEndpoint."""
    return documents.show_endpoint(_get(context, documents.name_of(document)))


def list_all(context: Context, document: Document) -> Document:
    """ListEndpoints."""
    with context.store.reading() as snapshot:
        page = snapshot.endpoints.list(read_query(document))
    return show_page("Endpoints", page, documents.summarize)


def subject(context: Context, document: Document) -> Subject:
    """Return what a held DescribeEndpoint waits for: the end of a change, or of the record."""
    name = documents.name_of(document)

    def is_settled() -> bool:
        return _get(context, name).status.is_settled

    return Subject(arn=context.account.arn("endpoint", name), is_settled=is_settled)


def _get(context: Context, name: str) -> Endpoint:
    with context.store.reading() as snapshot:
        return snapshot.endpoints.get(name)


def _settled(tx: Transaction, document: Document) -> Endpoint:
    endpoint = tx.endpoints.get(documents.name_of(document))
    if not endpoint.status.is_settled:
        raise Busy(kind=EndpointNotFound.kind, name=endpoint.arn)
    return endpoint


def _only_delete(endpoint: Endpoint) -> InvalidRequest:
    return InvalidRequest(
        message=f'Cannot update endpoint "{endpoint.arn}": its status is Failed. '
        "DeleteEndpoint is the only operation that can be performed on a failed endpoint."
    )


def _updating(context: Context, tx: Transaction, endpoint: Endpoint, wanted: Serving) -> Endpoint:
    """Record what an endpoint moves to; what it serves is told by Describe until it is there."""
    moved = endpoint.moved_to(EndpointStatus.UPDATING, at=context.clock.now())
    updating = replace(moved, wanted=wanted)
    tx.endpoints.put(updating)
    return updating


def _serving(tx: Transaction, config_name: str) -> Serving:
    """Return a configuration with its models as they are now; both may be deleted later."""
    config = tx.endpoint_configs.get(config_name)
    return Serving(
        config=config,
        models={
            variant.model_name: tx.models.get(variant.model_name) for variant in config.variants
        },
    )
