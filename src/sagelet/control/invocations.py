"""InvokeEndpoint and its streamed sister: bytes in, bytes out, and no database on the way.

The server takes the usual InvokeEndpoint from the wire to the host by a shorter way of its own
(`server.invocations`); what comes here is the rest.
"""

from __future__ import annotations

from sagelet.control.context import Context, Document
from sagelet.control.documents import invocations as documents
from sagelet.domain.invocation import Answer


async def invoke(context: Context, document: Document) -> Document:
    """InvokeEndpoint.

    Raises:
        EndpointNotInService, VariantNotFound, QueueFull
        Fault: ModelError; the container refused, failed, or did not answer.
    """
    invocation = documents.read_invocation(document)
    answer = await context.host.submit(invocation)
    if documents.is_refusal(answer):
        raise documents.model_error(answer, endpoint=invocation.endpoint, account=context.account)
    return documents.show_answer(answer)


async def invoke_with_response_stream(context: Context, document: Document) -> Document:
    """InvokeEndpointWithResponseStream: the document's Body is bytes, or parts that are to come.

    Raises:
        EndpointNotInService, VariantNotFound, QueueFull
        Fault: ModelError; the container refused, failed, or did not answer, before the first part.
    """
    invocation = documents.read_invocation(document)
    answer = await context.host.stream(invocation)
    if isinstance(answer, Answer) and documents.is_refusal(answer):
        raise documents.model_error(answer, endpoint=invocation.endpoint, account=context.account)
    return documents.show_answer(answer)
