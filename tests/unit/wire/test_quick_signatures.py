from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest

from sagelet.wire import quick_signatures
from sagelet.wire.faults import Fault
from sagelet.wire.messages import Headers, RequestHead
from sagelet.wire.quick_signatures import QuickVerifier
from sagelet.wire.signatures import Verifier
from tests.fakes import HeldClock
from tests.signed_requests import KEY, SECRET, signed

PATH = "/endpoints/sentiment/invocations"
BODY = b"[1, 2, 3]"
SCHEME = f"AWS4-HMAC-SHA256 Credential={KEY}"
TOLD = {
    "Content-Type": "application/json",
    "X-Amzn-SageMaker-Inference-Id": "17",
    "amz-sdk-request": "attempt=1",
    "User-Agent": "Boto3/1.44.5",
}


class Both:
    """The quick verifier and the thorough one, side by side."""

    def __init__(self) -> None:
        self.secrets = {KEY: SECRET}
        self.clock = HeldClock()
        self.quick = QuickVerifier(self.secrets.get, self.clock, service="sagemaker")
        self.thorough = Verifier(self.secrets.get, self.clock)

    def accept(self, headers: dict[str, str], body: bytes = BODY, path: str = PATH) -> bool:
        """Ask both; the quick one may say no to what is right, and never yes to what is wrong."""
        raw = {name.encode(): value.encode("latin-1") for name, value in headers.items()}
        quick = self.quick.accepts(path.encode(), raw, body)
        try:
            self.thorough.verify(
                RequestHead("POST", path, "", Headers(headers.items())),
                body_sha256=hashlib.sha256(body).hexdigest(),
                service="sagemaker",
            )
        except Fault:
            assert not quick
        return quick


@pytest.fixture
def both() -> Both:
    return Both()


def a_head(clock: HeldClock, **how: str) -> dict[str, str]:
    fields = signed(PATH, BODY, TOLD, at=clock.now(), **how)
    return {name.lower(): value for name, value in fields}


def test_what_botocore_signs_is_accepted_each_time(both: Both) -> None:
    head = a_head(both.clock)
    assert all(both.accept(head) for _ in range(3))


def test_each_changed_character_is_noticed(both: Both) -> None:
    head = a_head(both.clock)
    assert both.accept(head)
    unsigned = {"user-agent", "content-length"}
    for name in head.keys() - unsigned:
        for at in range(len(head[name])):
            changed = head[name][:at] + chr(ord(head[name][at]) ^ 1) + head[name][at + 1 :]
            assert not both.accept(head | {name: changed}), f"{name}: {changed}"
    assert not both.accept(head, body=b"[1, 2, 4]")
    assert not both.accept(head, path="/endpoints/sentimenu/invocations")
    assert both.accept(head | {"user-agent": "curl"})


def test_a_header_that_is_left_out_is_noticed(both: Both) -> None:
    head = a_head(both.clock)
    for name in head.keys() - {"user-agent", "content-length"}:
        assert not both.accept({key: head[key] for key in head if key != name})


def test_what_must_be_signed_and_is_not_is_noticed(both: Both) -> None:
    assert not both.accept(a_head(both.clock) | {"x-amz-security-token": "x"})
    assert both.accept(a_head(both.clock) | {"x-unknown": "x"})


def test_a_signature_is_good_for_five_minutes(both: Both) -> None:
    head = a_head(both.clock)
    both.clock.move(300)
    assert both.accept(head)
    both.clock.move(1)
    assert not both.accept(head)
    both.clock.move(-601)
    assert both.accept(head)
    both.clock.move(-1)
    assert not both.accept(head)


def test_a_key_that_is_removed_is_unknown_at_once(both: Both) -> None:
    head = a_head(both.clock)
    assert both.accept(head)
    secret = both.secrets.pop(KEY)
    assert not both.accept(head)
    both.secrets[KEY] = "another"
    assert not both.accept(head)
    both.secrets[KEY] = secret
    assert both.accept(head)


def test_what_is_kept_of_a_request_lets_nothing_else_in(both: Both) -> None:
    head = {name.encode(): value.encode() for name, value in a_head(both.clock).items()}
    claim, _, given = head[b"authorization"].rpartition(b"Signature=")
    date = head[b"x-amz-date"]
    kept = both.quick.signed(claim, PATH.encode(), head)
    assert kept is not None
    assert kept.covered >= {b"host", b"x-amz-date", b"amz-sdk-request"}
    assert both.quick.agrees(kept, date, given, BODY)
    assert not both.quick.agrees(kept, date, given, BODY[::-1])
    assert not both.quick.agrees(kept, date, given[::-1], BODY)
    assert not both.quick.agrees(kept, date.replace(b"T03", b"T04"), given, BODY)
    assert not both.quick.agrees(kept, date + b" ", given, BODY)
    both.secrets[KEY] = "another"
    assert not both.quick.agrees(kept, date, given, BODY)
    both.secrets[KEY] = SECRET
    both.clock.move(5 * 60 + 1)
    assert not both.quick.agrees(kept, date, given, BODY)


def test_a_key_of_yesterday_is_not_good_today(both: Both) -> None:
    head = a_head(both.clock)
    assert both.accept(head)
    tomorrow = f"{both.clock.now() + timedelta(days=1):%Y%m%dT%H%M%SZ}"
    both.clock.move(24 * 3600)
    assert not both.accept(head | {"x-amz-date": tomorrow})
    assert both.accept(a_head(both.clock))


@pytest.mark.parametrize(
    ("name", "value"), [("key", "AKIDOTHER"), ("secret", "guessed"), ("service", "s3")]
)
def test_another_signer_is_refused(both: Both, name: str, value: str) -> None:
    assert not both.accept(a_head(both.clock, **{name: value}))


@pytest.mark.parametrize(
    "value",
    [
        "",
        "Signature=",
        "AWS4-HMAC-SHA256 Signature=00",
        "AWS4-HMAC-SHA256 Credential=a, SignedHeaders=b, Signature=c",
        f"{SCHEME}/%b/r/sagemaker/aws4_request, SignedHeaders=host;x-amz-date, Signature=c",
        f"{SCHEME}/d/r/sagemaker/aws4_request, SignedHeaders=host, Signature=c",
        f"{SCHEME}/d/r/sagemaker/aws4_request, SignedHeaders=%s;%d, Signature=c",
        f"{SCHEME}/d\xe9/r/sagemaker/aws4_request, SignedHeaders=a;b, Signature=c",
        "\xffSignature=c",
    ],
)
def test_what_is_no_authorization_is_not_accepted(both: Both, value: str) -> None:
    assert not both.accept(a_head(both.clock) | {"authorization": value})


def test_what_needs_tidying_is_left_to_the_thorough_one(both: Both) -> None:
    for value in ("a  b", "a\tb", "a ", "caf\xc3\xa9"):
        fields = signed(PATH, BODY, {"X-Told": value}, at=both.clock.now())
        assert not both.accept({name.lower(): text for name, text in fields})


def test_only_so_many_signers_are_kept(both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quick_signatures, "_SIGNERS_AT_MOST", 2)
    for number in range(10):
        fields = signed(PATH, BODY, {f"X-{number}": "1"}, at=both.clock.now())
        assert both.accept({name.lower(): text for name, text in fields})
    assert both.accept(a_head(both.clock))
