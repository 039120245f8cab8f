from pathlib import Path

import pytest

from sagelet.artifacts.uris import FileUri, S3Uri, parse_uri
from sagelet.errors import InvalidRequest


def test_an_s3_uri_has_a_bucket_and_a_key_that_is_taken_as_it_stands() -> None:
    assert parse_uri("s3://data/a%20b/c") == S3Uri("data", "a%20b/c")


def test_a_bucket_alone_means_all_of_it() -> None:
    assert parse_uri("s3://data") == parse_uri("s3://data/") == S3Uri("data", "")


def test_a_file_uri_is_percent_decoded_once() -> None:
    assert parse_uri("file:///tmp/a%20b%2525") == FileUri(Path("/tmp/a b%25"))


def test_localhost_may_be_named_in_a_file_uri() -> None:
    assert parse_uri("file://localhost/tmp/x") == FileUri(Path("/tmp/x"))


@pytest.mark.parametrize("path", ["/tmp/x", "/tmp/ü ?#%41", "/a/b.tar.gz"])
def test_a_file_uri_reads_back_as_it_was_written(path: str) -> None:
    assert parse_uri(str(FileUri(Path(path)))) == FileUri(Path(path))


@pytest.mark.parametrize(
    "text",
    [
        "file://build/model.tar.gz",
        "file://localhostile/x",
        "file:///a%00b",
        "s3:///key",
        "https://example.org/model.tar.gz",
        "/etc/passwd",
        "",
        "S3://bucket/key",
    ],
)
def test_what_is_neither_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest):
        parse_uri(text)


@pytest.mark.parametrize(
    ("start", "parts", "key"),
    [
        ("", ("x",), "x"),
        ("a", ("b", "c"), "a/b/c"),
        ("a/", ("b",), "a/b"),
        ("a", ("b/c.txt",), "a/b/c.txt"),
    ],
)
def test_a_child_is_one_slash_below(start: str, parts: tuple[str, ...], key: str) -> None:
    assert S3Uri("data", start).child(*parts) == S3Uri("data", key)


def test_an_s3_uri_is_written_with_its_scheme() -> None:
    assert str(S3Uri("data", "a/b")) == "s3://data/a/b"
