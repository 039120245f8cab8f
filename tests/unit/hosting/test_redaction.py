"""Secrets are taken out of JSON bodies, by their members' names."""

from __future__ import annotations

import json

import pytest

from sagelet.hosting.redaction import REDACTED, is_secret, redacted


@pytest.mark.parametrize(
    "name",
    ["password", "Password", "api_key", "apiKey", "X-Api-Key", "Authorization", "token", "secret",
     "access_token", "clientSecret", "aws_secret_access_key_".replace("aws_", "")],
)  # fmt: skip
def test_names_of_secrets(name: str) -> None:
    assert is_secret(name)


@pytest.mark.parametrize("name", ["tokens", "next_token_id", "text", "key", "keywords", "passage"])
def test_names_of_what_models_are_given(name: str) -> None:
    assert not is_secret(name)


def test_secrets_are_taken_out_wherever_they_are() -> None:
    body = {"a": [{"token": "T", "n": 1}], "password": {"x": 1}, "text": "token", "secret": None}
    found = redacted(json.dumps(body).encode())
    assert found is not None
    assert json.loads(found) == {
        "a": [{"token": REDACTED, "n": 1}],
        "password": REDACTED,
        "text": "token",
        "secret": None,
    }


@pytest.mark.parametrize(
    "body",
    [b"", b"plain text", b'{"text": "hello"}', b'{"tokens": ["a", "b"]}', b"token: T",
     b"[" * 100_000 + b'"token"', b'\xff\xfe"token"'],
)  # fmt: skip
def test_bodies_without_secrets_stay_as_they_are(body: bytes) -> None:
    assert redacted(body) is None
