"""A request to our endpoint, signed as AWS's clients sign."""

from __future__ import annotations

from collections.abc import Mapping

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from benchmarks.material import BODY, CONTENT
from sagelet.environments.credentials import LocalCredentials


def signed(url: str, key: LocalCredentials) -> Mapping[str, str]:
    """Return the headers of a request with BODY; their signature is good for five minutes."""
    request = AWSRequest("POST", url, headers=CONTENT, data=BODY)
    credential = Credentials(key.access_key_id, key.secret_access_key)
    SigV4Auth(credential, "sagemaker", "us-east-1").add_auth(request)
    return dict(request.headers.items())
