"""A daemon of the tests' own, what it serves, and how a browser signs in."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from pathlib import Path

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from playwright.sync_api import BrowserContext

from sagelet.environments import credentials
from tests.end_to_end.local_aws import REGION, LocalAws
from tests.web.article import NAME, a_model_folder


@dataclass(frozen=True)
class Web:
    """A daemon that serves the article's model from a folder that tests may edit."""

    local: LocalAws
    folder: Path
    name: str = NAME

    @property
    def address(self) -> str:
        """Where the daemon is, without a slash at the end."""
        return self.local.info.address

    @property
    def handlers(self) -> Path:
        """The file that a test edits."""
        return self.folder / "code" / "inference.py"

    def one_time_token(self) -> str:
        """Return what signs a browser in, as `sagelet ui` gets it."""
        status, body = self.signed("POST", "/api/v1/login-tokens")
        assert status in (200, 201), body
        token: str = json.loads(body)["token"]
        return token

    def sign_in(self, context: BrowserContext) -> None:
        """Give a browser the session of the owner."""
        answer = context.request.post(
            f"{self.address}/login", form={"token": self.one_time_token()}, max_redirects=0
        )
        assert answer.status == 303, answer.text()

    def signed(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        """Ask the daemon's own API as the command line does; return the status and the body."""
        key = credentials.load_or_create(self.local.home)
        request = AWSRequest(method, self.address + path, data=body)
        pair = Credentials(key.access_key_id, key.secret_access_key)
        SigV4Auth(pair, "sagelet", REGION).add_auth(request)
        host, port = self.local.place
        connection = http.client.HTTPConnection(host, port, timeout=10)
        try:
            connection.request(method, path, body=body, headers=dict(request.headers.items()))
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


def serve_article(local: LocalAws, folder: Path) -> Web:
    """Serve the article's model from a copy in `folder`; return when it answers."""
    web = Web(local, a_model_folder(folder))
    local.deploy(web.name, web.folder)
    local.wait_in_service(web.name)
    return web
