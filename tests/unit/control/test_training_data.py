"""What CreateTrainingJob reads of its channels, and what it refuses before anything has started."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from sagelet.domain.training import Channel
from sagelet.errors import InvalidRequest, NotSupported
from tests.builders import a_training_document
from tests.control_bench import Bench


def asking(uri: str = "s3://data/train/", **changes: Any) -> dict[str, Any]:  # noqa: ANN401
    """A request with one channel; `source` changes its S3DataSource."""
    source = {"S3DataType": "S3Prefix", "S3Uri": uri, **changes.pop("source", {})}
    channel = {"ChannelName": "training", "DataSource": {"S3DataSource": source}, **changes}
    return {**a_training_document(), "InputDataConfig": [channel]}


def a_manifest(bench: Bench, said: object) -> dict[str, Any]:
    bench.put_object("data", "list", json.dumps(said).encode())
    return asking("s3://data/list", source={"S3DataType": "ManifestFile"})


async def test_every_member_of_a_channel_is_read(bench: Bench) -> None:
    bench.put_object("data", "train/x")
    document = asking(
        InputMode="FastFile",
        ContentType="text/csv",
        CompressionType="Gzip",
        RecordWrapperType="None",
        ShuffleConfig={"Seed": 7},
        source={
            "S3DataDistributionType": "ShardedByS3Key",
            "InstanceGroupNames": ["homogeneousCluster"],
        },
    )
    await bench.ask("CreateTrainingJob", **document)
    assert bench.runner.started[0].channels == (
        Channel(
            name="training",
            uri="s3://data/train/",
            content_type="text/csv",
            input_mode="FastFile",
            distribution="ShardedByS3Key",
            record_wrapper="None",
            data_type="S3Prefix",
            compression="Gzip",
            shuffle_seed=7,
            groups=("homogeneousCluster",),
        ),
    )


async def test_a_channel_without_a_mode_has_the_jobs(bench: Bench) -> None:
    bench.put_object("data", "train/x")
    document = asking()
    document["AlgorithmSpecification"]["TrainingInputMode"] = "FastFile"
    await bench.ask("CreateTrainingJob", **document)
    assert bench.runner.started[0].channels[0].input_mode == "FastFile"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"InputMode": "Pipe"}, "use File, or FastFile"),
        ({"RecordWrapperType": "RecordIO"}, "use File mode"),
        ({"source": {"S3DataType": "AugmentedManifestFile"}}, "give a ManifestFile"),
    ],
)
async def test_what_is_for_pipe_mode_is_refused_with_what_to_use_instead(
    bench: Bench, changes: dict[str, Any], said: str
) -> None:
    bench.put_object("data", "train/x")
    with pytest.raises(NotSupported, match=said):
        await bench.ask("CreateTrainingJob", **asking(**changes))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"ChannelName": ".."}, "'..' cannot be the name"),
        ({"source": {"InstanceGroupNames": ["gpu"]}}, "no instance group 'gpu'"),
    ],
)
async def test_a_channel_that_makes_no_sense_is_refused(
    bench: Bench, changes: dict[str, Any], said: str
) -> None:
    bench.put_object("data", "train/x")
    with pytest.raises(InvalidRequest, match=said):
        await bench.ask("CreateTrainingJob", **asking(**changes))
    assert bench.runner.started == []


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (("train/../evil",), "'../evil' cannot be a file's name"),
        (("train/a", "train/a/b"), "'a' is both a file and a folder"),
        (("train/a/b", "train/a//b"), "in the way of another"),
    ],
)
async def test_keys_that_cannot_be_files_are_found_before_the_start(
    bench: Bench, keys: tuple[str, ...], said: str
) -> None:
    for key in keys:
        bench.put_object("data", key)
    with pytest.raises(InvalidRequest, match=f"Input channel training: .*{said}"):
        await bench.ask("CreateTrainingJob", **asking())
    assert bench.runner.started == []


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ([{"prefix": "s3://data/train/"}], "names no objects"),
        ([{"prefix": "s3://data/train/"}, "x", "gone"], 'S3 URL "s3://data/train/gone" given'),
        ({"prefix": "s3://data/train/"}, "begins with"),
    ],
)
async def test_a_manifest_that_cannot_be_used_is_found_before_the_start(
    bench: Bench, said: object, why: str
) -> None:
    bench.put_object("data", "train/x")
    with pytest.raises(InvalidRequest, match=why):
        await bench.ask("CreateTrainingJob", **a_manifest(bench, said))


async def test_a_manifest_is_read(bench: Bench) -> None:
    bench.put_object("data", "train/x")
    asked = a_manifest(bench, [{"prefix": "s3://data/train/"}, "x"])
    await bench.ask("CreateTrainingJob", **asked)
    assert bench.runner.started[0].channels[0].data_type == "ManifestFile"


async def test_a_manifest_that_is_not_there_is_told_in_awss_words(bench: Bench) -> None:
    bench.put_object("data", "train/x")
    asked = asking("s3://data/gone", source={"S3DataType": "ManifestFile"})
    with pytest.raises(InvalidRequest, match='No S3 objects found under S3 URL "s3://data/gone"'):
        await bench.ask("CreateTrainingJob", **asked)


@pytest.mark.parametrize("make", ["link", "ring", "closed"])
async def test_a_folder_that_cannot_be_read_is_found_before_the_start(
    bench: Bench, tmp_path: Path, make: str
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    match make:
        case "link":
            (folder / "x").symlink_to(folder / "gone")
        case "ring":
            (folder / "x").symlink_to(folder)
        case _ if os.geteuid() == 0:
            pytest.skip("root may read everything")
        case _:
            (folder / "x").touch(mode=stat.S_IWUSR)
    with pytest.raises(InvalidRequest, match=f"Input channel training: .*{folder}"):
        await bench.ask("CreateTrainingJob", **asking(folder.as_uri()))


@pytest.mark.parametrize("empty", ["no-such", "folder"])
async def test_a_folder_without_files_is_refused(bench: Bench, tmp_path: Path, empty: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(InvalidRequest, match="No files found under"):
        await bench.ask("CreateTrainingJob", **asking((tmp_path / empty).as_uri()))
