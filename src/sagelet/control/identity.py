"""Who one is and what one may do: the bit of STS and IAM that SageMaker's clients ask."""

from __future__ import annotations

from sagelet.control.context import Context, Document
from sagelet.control.documents import identity as documents


def get_caller_identity(context: Context, document: Document) -> Document:
    """GetCallerIdentity."""
    del document
    return documents.show_caller(context.account)


def get_role(context: Context, document: Document) -> Document:
    """GetRole: there is a role of any name."""
    return documents.show_role(document, context.account)


def simulate_principal_policy(context: Context, document: Document) -> Document:
    """SimulatePrincipalPolicy: SDK v3 asks before it trains or deploys."""
    del context
    return documents.show_decisions(document)
