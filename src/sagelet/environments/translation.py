"""botocore's errors become ours, in one place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    PartialCredentialsError,
    ProxyConnectionError,
    ReadTimeoutError,
    SSOError,
    TokenRetrievalError,
)

from sagelet.errors import NoCredentials, RemoteRefused, RemoteUnreachable

_UNREACHABLE = (
    ConnectTimeoutError,
    EndpointConnectionError,
    ProxyConnectionError,
    ReadTimeoutError,
)
_ENVELOPE = frozenset({"Error", "ResponseMetadata"})
_CREDENTIALS = (NoCredentialsError, PartialCredentialsError, SSOError, TokenRetrievalError)


@contextmanager
def translating(operation: str, *, environment: str = "") -> Iterator[None]:
    """Raise our errors for those of a boto3 call made inside; `operation` names it.

    Raises:
        RemoteRefused: the API answered with an error.
        RemoteUnreachable: nothing answered.
        NoCredentials: there is nothing to sign with.
    """
    try:
        yield
    except ClientError as error:
        raise _refused(operation, error) from error
    except _UNREACHABLE as error:
        address = str(error.kwargs.get("endpoint_url", "the API"))
        raise RemoteUnreachable(address=address, reason=str(error)) from error
    except _CREDENTIALS as error:
        raise NoCredentials(environment=environment, reason=str(error)) from error
    except BotoCoreError as error:
        # What botocore itself found wrong with the call: it never left.
        raise RemoteRefused(operation, type(error).__name__, str(error)) from error


def _refused(operation: str, error: ClientError) -> RemoteRefused:
    said = error.response.get("Error", {})
    metadata = error.response.get("ResponseMetadata", {})
    return RemoteRefused(
        operation=operation,
        code=str(said.get("Code", "Unknown")),
        message=str(said.get("Message", "")),
        status=int(metadata.get("HTTPStatusCode", 0)),
        headers=metadata.get("HTTPHeaders", {}),
        members={name: said for name, said in error.response.items() if name not in _ENVELOPE},
    )
