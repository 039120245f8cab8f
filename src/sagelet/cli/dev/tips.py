"""Lines to copy: the same request by our program, curl and boto3."""

from __future__ import annotations

import shlex

from sagelet.cli.payloads import Payload

_EXAMPLE = "[[0.5]]"


def tips(
    endpoint: str,
    url: str,
    region: str,
    payload: Payload | None,
    *,
    port: int | None = None,
    waits: bool = False,
) -> list[str]:
    """Return ready lines that invoke an endpoint, with a payload of the project's if it has one.

    `port` is the container's own; where a person debugs, the answer is waited for (`waits`).
    """
    content_type = payload.content_type if payload else "application/json"
    file = shlex.quote(payload.name) if payload else ""
    ours = f"-f {file}" if payload else f"-d '{_EXAMPLE}'"
    patience = " --timeout 3600" if waits else ""
    body = f"@{file}" if payload else f"'{_EXAMPLE}'"
    python_body = f"open({payload.name!r}, 'rb')" if payload else repr(_EXAMPLE)
    plain = f"-H 'Content-Type: {content_type}' --data-binary {body}"
    container = [f"curl {plain} http://127.0.0.1:{port}/invocations"] if port else []
    return [
        f"sagelet invoke {endpoint} {ours}{patience}",
        'eval "$(sagelet env)"; '
        f"curl --aws-sigv4 aws:amz:{region}:sagemaker "
        '--user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" '
        f"{plain} {url}",
        *container,
        "sagelet.DeployEnv().runtime_client().invoke_endpoint("
        f"EndpointName={endpoint!r}, ContentType={content_type!r}, Body={python_body})",
    ]
