"""A client of the daemon's own API: what runs now, and what happened. See `web.api`."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from sagelet.environments.credentials import LocalCredentials
from sagelet.errors import InvalidRequest, RemoteRefused, RemoteUnreachable

_SERVICE = "sagelet"
_PATIENCE_S = 10.0
_NOT_FOUND = 404
_GOOD = (http.client.OK, http.client.CREATED, http.client.NO_CONTENT)


class LocalApi:
    """Asks the daemon at an address; each call is a connection of its own, past any proxy."""

    def __init__(self, address: str, credentials: LocalCredentials, region: str) -> None:
        """Keep where to ask, and as whom."""
        self._address = address
        key = Credentials(credentials.access_key_id, credentials.secret_access_key)
        self._auth = SigV4Auth(key, _SERVICE, region)

    def endpoint(self, name: str) -> dict[str, Any] | None:
        """Return an endpoint's facts; None where it does not serve.

        Raises:
            RemoteRefused: the daemon refused the request.
            RemoteUnreachable: it does not answer.
        """
        try:
            return self._get("endpoint", f"/api/v1/endpoints/{quote(name, safe='')}")
        except RemoteRefused as error:
            if error.status == _NOT_FOUND:
                return None
            raise

    def events(
        self, after: int, *, endpoint: str | None = None, wait_s: float = 0
    ) -> dict[str, Any]:
        """Return what happened after a number, of one endpoint or of all, waiting for the first.

        Raises:
            RemoteRefused: the daemon refused the request.
            RemoteUnreachable: it does not answer.
        """
        asked = {"after": str(after), "wait": f"{wait_s:g}"}
        if endpoint is not None:
            asked["endpoint"] = endpoint
        return self._get("events", f"/api/v1/events?{urlencode(asked)}", wait_s=wait_s)

    def kill_job(self, name: str) -> None:
        """End a training job at once, without its grace.

        Raises:
            RemoteRefused: there is no such job, or it has ended.
            RemoteUnreachable: the daemon does not answer.
        """
        self._ask("kill", f"/api/v1/jobs/{quote(name, safe='')}/kill", method="POST")

    def login(self, path: str) -> dict[str, Any]:
        """Return what signs a browser in, once, and the address that leads it on to a path.

        Raises:
            RemoteRefused: the daemon refused the request.
            RemoteUnreachable: it does not answer.
        """
        asked = urlencode({"next": path})
        return self._ask("login", f"/api/v1/login-tokens?{asked}", method="POST")

    def keys(self) -> list[dict[str, Any]]:
        """Return what may be told of the API keys, the newest first.

        Raises:
            RemoteRefused: the daemon refused the request.
            RemoteUnreachable: it does not answer.
        """
        listed: list[dict[str, Any]] = self._get("keys", "/api/v1/keys")["keys"]
        return listed

    def create_key(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """Make an API key; `key` of the answer is the text that is never told again.

        Raises:
            InvalidRequest: the document makes no sense.
            RemoteRefused: the daemon refused the request.
            RemoteUnreachable: it does not answer.
        """
        return self._send("create key", "/api/v1/keys", document)

    def revoke_key(self, key_id: str) -> None:
        """Revoke an API key, at once.

        Raises:
            RemoteRefused: there is none of that id.
            RemoteUnreachable: the daemon does not answer.
        """
        self._ask("revoke key", f"/api/v1/keys/{quote(key_id, safe='')}", method="DELETE")

    def calls(self, endpoint: str, *, limit: int = 50, before: str | None = None) -> dict[str, Any]:
        """Return the latest `calls` of an endpoint, the newest first; `next` asks for older ones.

        Raises:
            RemoteRefused: there is no such endpoint.
            RemoteUnreachable: the daemon does not answer.
        """
        asked = {"limit": str(limit)} | ({} if before is None else {"before": before})
        return self._get("history", f"{_history_of(endpoint)}?{urlencode(asked)}")

    def a_call(self, endpoint: str, call_id: str) -> dict[str, Any]:
        """Return one call of an endpoint, with its bodies.

        Raises:
            RemoteRefused: there is no such endpoint, or no such call any more.
            RemoteUnreachable: the daemon does not answer.
        """
        return self._get("history", f"{_history_of(endpoint)}/{quote(call_id, safe='')}")

    def clear_calls(self, endpoint: str | None = None) -> int:
        """Forget the calls of an endpoint, or all; return how many there were.

        Raises:
            RemoteRefused: there is no such endpoint.
            RemoteUnreachable: the daemon does not answer.
        """
        path = "/api/v1/history" if endpoint is None else _history_of(endpoint)
        return int(self._ask("history", path, method="DELETE")["calls"])

    def turn_history(self, *, on: bool) -> dict[str, Any]:
        """Keep calls from now on, or keep no more; return what the history holds.

        Raises:
            RemoteRefused: the daemon refused the request.
            RemoteUnreachable: it does not answer.
        """
        return self._send("history", "/api/v1/history", {"is_on": on})

    def publication(self, endpoint: str) -> dict[str, Any]:
        """Return on what terms an endpoint is public: `access` is off, open or key.

        Raises:
            RemoteRefused: there is no such endpoint.
            RemoteUnreachable: the daemon does not answer.
        """
        return self._get("share", f"/api/v1/publications/{quote(endpoint, safe='')}")

    def publish(self, endpoint: str, document: Mapping[str, Any]) -> dict[str, Any]:
        """Make an endpoint public, or private again (`access`: off).

        Raises:
            InvalidRequest: the terms make no sense.
            RemoteRefused: there is no such endpoint, or the address is another one's.
            RemoteUnreachable: the daemon does not answer.
        """
        path = f"/api/v1/publications/{quote(endpoint, safe='')}"
        return self._send("share", path, document, method="PUT")

    def public_listener(self) -> dict[str, Any]:
        """Return whether the public listener is open (`is_open`), and where.

        Raises:
            RemoteRefused: the daemon refused the request.
            RemoteUnreachable: it does not answer.
        """
        return self._get("public listener", "/api/v1/public-listener")

    def open_public_listener(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """Let others reach what is public, at an address of this machine.

        Raises:
            InvalidRequest: the address cannot be listened at.
            RemoteRefused: it is open already, or the port is in use.
            RemoteUnreachable: the daemon does not answer.
        """
        return self._send("public listener", "/api/v1/public-listener", document)

    def close_public_listener(self) -> None:
        """Let nobody in any more.

        Raises:
            RemoteRefused: the daemon refused the request.
            RemoteUnreachable: it does not answer.
        """
        self._ask("public listener", "/api/v1/public-listener", method="DELETE")

    def _send(
        self, operation: str, path: str, document: Mapping[str, Any], *, method: str = "POST"
    ) -> dict[str, Any]:
        try:
            return self._ask(operation, path, method=method, body=json.dumps(document).encode())
        except RemoteRefused as error:
            if error.status == http.client.BAD_REQUEST:
                raise InvalidRequest(error.message) from error
            raise

    def _get(self, operation: str, path: str, *, wait_s: float = 0) -> dict[str, Any]:
        return self._ask(operation, path, wait_s=wait_s)

    def _ask(
        self,
        operation: str,
        path: str,
        *,
        method: str = "GET",
        body: bytes = b"",
        wait_s: float = 0,
    ) -> dict[str, Any]:
        request = AWSRequest(method, self._address + path, data=body)
        self._auth.add_auth(request)
        headers = dict(request.headers.items())
        status, said = self._exchange((method, path, body, headers), wait_s + _PATIENCE_S)
        try:
            document = json.loads(said or b"{}")
        except ValueError:
            document = None
        if not isinstance(document, dict):
            raise RemoteUnreachable(self._address, "what answers is no daemon of ours")
        if status not in _GOOD:
            code = http.client.responses.get(status, str(status))
            raise RemoteRefused(operation, code, str(document.get("message", "")), status)
        return document

    def _exchange(
        self, request: tuple[str, str, bytes, Mapping[str, str]], timeout_s: float
    ) -> tuple[int, bytes]:
        place = urlsplit(self._address)
        connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=timeout_s)
        try:
            connection.request(*request)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise RemoteUnreachable(self._address, str(error)) from error
        finally:
            connection.close()


def _history_of(endpoint: str) -> str:
    return f"/api/v1/endpoints/{quote(endpoint, safe='')}/history"
