from collections.abc import Callable, Iterator

import pytest
from mypy_boto3_s3 import S3Client

from tests.functional.s3_server import Served, refused, serving


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("s3")) as served:
        yield served


@pytest.fixture
def s3(served: Served) -> S3Client:
    return served.client()


@pytest.fixture
def bucket(served: Served) -> str:
    return served.new_bucket()


def test_a_bucket_is_made_found_listed_and_deleted(s3: S3Client, served: Served) -> None:
    assert refused(s3.head_bucket, Bucket="new-bucket") == ("404", 404)
    assert s3.create_bucket(Bucket="new-bucket")["Location"] == "/new-bucket"
    assert (served.buckets.root / "new-bucket").is_dir()
    listed = s3.list_buckets(Prefix="new-")["Buckets"]
    assert [one["Name"] for one in listed] == ["new-bucket"]
    s3.get_waiter("bucket_exists").wait(Bucket="new-bucket")
    s3.delete_bucket(Bucket="new-bucket")
    s3.get_waiter("bucket_not_exists").wait(Bucket="new-bucket")
    assert refused(s3.delete_bucket, Bucket="new-bucket") == ("NoSuchBucket", 404)


def test_a_bucket_knows_its_region(s3: S3Client, bucket: str) -> None:
    s3.create_bucket(
        Bucket="in-ireland", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    assert s3.head_bucket(Bucket="in-ireland")["BucketRegion"] == "eu-west-1"
    assert s3.get_bucket_location(Bucket="in-ireland")["LocationConstraint"] == "eu-west-1"
    assert s3.head_bucket(Bucket=bucket)["BucketRegion"] == "us-east-1"
    assert s3.get_bucket_location(Bucket=bucket)["LocationConstraint"] is None


def test_a_name_that_is_taken_or_not_allowed_is_refused(s3: S3Client, bucket: str) -> None:
    assert refused(s3.create_bucket, Bucket=bucket) == ("BucketAlreadyOwnedByYou", 409)
    for name in ("UPPER", "ab", "192.168.0.1", "a..b", "under_score"):
        assert refused(s3.create_bucket, Bucket=name) == ("InvalidBucketName", 400)
    wrong = {"LocationConstraint": "../x"}
    assert refused(s3.create_bucket, Bucket="somewhere", CreateBucketConfiguration=wrong) == (
        "InvalidLocationConstraint",
        400,
    )


def test_a_bucket_that_holds_objects_is_kept(s3: S3Client, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="a", Body=b"")
    assert refused(s3.delete_bucket, Bucket=bucket) == ("BucketNotEmpty", 409)
    s3.delete_object(Bucket=bucket, Key="a")
    s3.delete_bucket(Bucket=bucket)


def test_buckets_come_in_pages(s3: S3Client, served: Served) -> None:
    names = sorted(served.new_bucket() for _ in range(5))
    pages = s3.get_paginator("list_buckets").paginate(
        Prefix="bucket-", PaginationConfig={"PageSize": 2}
    )
    assert set(names) <= {one["Name"] for page in pages for one in page["Buckets"]}


def test_a_folder_made_by_hand_is_a_bucket(s3: S3Client, served: Served) -> None:
    (served.buckets.root / "by-hand").mkdir()
    (served.buckets.root / "by-hand" / "file.txt").write_text("made by hand")
    assert s3.get_object(Bucket="by-hand", Key="file.txt")["Body"].read() == b"made by hand"
    assert s3.list_objects_v2(Bucket="by-hand")["Contents"][0]["Size"] == 12


def test_only_this_accounts_buckets_are_served(s3: S3Client, bucket: str) -> None:
    s3.head_bucket(Bucket=bucket, ExpectedBucketOwner="000000000000")
    assert refused(s3.head_bucket, Bucket=bucket, ExpectedBucketOwner="111111111111") == (
        "403",
        403,
    )


def test_a_missing_bucket_is_missing_whatever_is_asked(s3: S3Client) -> None:
    calls: tuple[tuple[Callable[..., object], dict[str, object]], ...] = (
        (s3.list_objects_v2, {}),
        (s3.list_objects, {}),
        (s3.get_object, {"Key": "k"}),
        (s3.put_object, {"Key": "k", "Body": b"x"}),
        (s3.delete_object, {"Key": "k"}),
        (s3.create_multipart_upload, {"Key": "k"}),
        (s3.list_multipart_uploads, {}),
        (s3.get_bucket_location, {}),
    )
    for call, parameters in calls:
        assert refused(call, Bucket="sagemaker-none", **parameters) == ("NoSuchBucket", 404)


def test_what_is_not_served_says_so(s3: S3Client, bucket: str) -> None:
    for call in (s3.get_bucket_versioning, s3.get_bucket_acl, s3.list_object_versions):
        assert refused(call, Bucket=bucket) == ("NotImplemented", 501)
