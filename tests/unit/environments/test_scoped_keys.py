from __future__ import annotations

from collections.abc import Callable

import pytest

from sagelet.environments import scoped_keys
from sagelet.environments.credentials import LocalCredentials
from sagelet.environments.scoped_keys import Holder, ScopedKeys, key_of
from sagelet.environments.script_keys import ScriptKeys

HOME_KEY = LocalCredentials("SGLTHOME", "home-secret")
ULID = "01JZ0000000000000000000000"
ADDRESS = "http://127.0.0.1:7543"


def keys(
    *at_work: tuple[Holder, str], known: Callable[[str], str | None] | None = None
) -> ScopedKeys:
    return ScopedKeys(
        HOME_KEY,
        known or {HOME_KEY.access_key_id: HOME_KEY.secret_access_key}.get,
        lambda holder, ulid: (holder, ulid) in at_work,
    )


def test_the_key_of_a_job_at_work_is_known() -> None:
    key = key_of(HOME_KEY, Holder.JOB, ULID)
    assert keys((Holder.JOB, ULID)).secret_of(key.access_key_id) == key.secret_access_key


def test_a_key_fits_what_aws_allows_an_id_to_be() -> None:
    key = key_of(HOME_KEY, Holder.ENDPOINT, ULID)
    assert key.access_key_id.isalnum()
    assert 16 <= len(key.access_key_id) <= 128
    assert len(key.secret_access_key) == 40


def test_a_job_that_has_ended_takes_its_key_with_it() -> None:
    assert keys().secret_of(key_of(HOME_KEY, Holder.JOB, ULID).access_key_id) is None


def test_an_endpoint_does_not_hold_a_jobs_key() -> None:
    key = key_of(HOME_KEY, Holder.JOB, ULID)
    assert keys((Holder.ENDPOINT, ULID)).secret_of(key.access_key_id) is None


def test_keys_of_two_holders_have_nothing_in_common() -> None:
    job, endpoint = (key_of(HOME_KEY, holder, ULID) for holder in Holder)
    assert job.secret_access_key != endpoint.secret_access_key


@pytest.mark.parametrize("claimed", ["SGLS", "SGLSX" + ULID, "SGLSJ", "SGLSJ../../etc"])
def test_what_only_looks_like_a_key_is_unknown(claimed: str) -> None:
    assert keys((Holder.JOB, ULID)).secret_of(claimed) is None


def test_the_homes_own_key_is_known_as_ever() -> None:
    assert keys().secret_of("SGLTHOME") == "home-secret"
    assert keys().secret_of("AKIAELSE") is None


def test_keys_end_with_the_homes_key_that_they_follow_from() -> None:
    withdrawn = keys((Holder.JOB, ULID), known=lambda _: None)
    assert withdrawn.secret_of(key_of(HOME_KEY, Holder.JOB, ULID).access_key_id) is None


@pytest.mark.parametrize("service", ["s3", "logs", "monitoring", "sts"])
def test_scripts_may_use_data_logs_and_metrics(service: str) -> None:
    assert scoped_keys.allows(key_of(HOME_KEY, Holder.JOB, ULID).access_key_id, service)


@pytest.mark.parametrize("service", ["sagemaker", "sagelet", "iam"])
def test_scripts_may_use_nothing_else_and_a_person_may(service: str) -> None:
    assert not scoped_keys.allows(key_of(HOME_KEY, Holder.JOB, ULID).access_key_id, service)
    assert scoped_keys.allows(HOME_KEY.access_key_id, service)


def test_a_script_finds_its_key_and_this_machine() -> None:
    variables = ScriptKeys(HOME_KEY, ADDRESS, "eu-west-1").of_job(ULID, {})
    key = key_of(HOME_KEY, Holder.JOB, ULID)
    assert variables == {
        "AWS_ACCESS_KEY_ID": key.access_key_id,
        "AWS_SECRET_ACCESS_KEY": key.secret_access_key,
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ENDPOINT_URL": ADDRESS,
        "AWS_ENDPOINT_URL_S3": ADDRESS,
        "S3_ENDPOINT_URL": ADDRESS,
    }


@pytest.mark.parametrize("said", [{"SAGELET_PASS_CREDENTIALS": "True"}, {"SAGELET_S3": "aws"}])
def test_the_machines_credentials_are_passed_where_that_is_asked_for(
    said: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAOWN")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "own-secret")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "own-token")
    asked = said | {"SAGELET_S3_ENDPOINT_URL": "http://127.0.0.1:5000"}
    assert ScriptKeys(HOME_KEY, ADDRESS, "eu-west-1").of_endpoint(ULID, asked) == {
        "AWS_ACCESS_KEY_ID": "AKIAOWN",
        "AWS_SECRET_ACCESS_KEY": "own-secret",
        "AWS_SESSION_TOKEN": "own-token",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:5000",
        "S3_ENDPOINT_URL": "http://127.0.0.1:5000",
    }


def test_a_profile_that_is_not_there_leaves_a_script_without_credentials(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    asked = {"SAGELET_S3": "aws", "SAGELET_S3_PROFILE": "mlops"}
    variables = ScriptKeys(HOME_KEY, ADDRESS, "eu-west-1").of_job(ULID, asked)
    assert variables == {"AWS_DEFAULT_REGION": "eu-west-1"}
    assert "mlops" in caplog.text
