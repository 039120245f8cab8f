"""InvokeEndpoint: bytes in, bytes out; nothing on its way touches the database."""

from __future__ import annotations

from sagelet.control.context import Context, Document
from sagelet.control.documents import invocations as documents


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
