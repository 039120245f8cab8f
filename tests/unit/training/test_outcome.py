"""FailureReason, as the training contract has it, with the user's own error in it."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from sagelet.domain.training import SecondaryStatus, ToolkitProgram
from sagelet.errors import DiskFull, ModelDataMissing, UnsafeArchive
from sagelet.training import outcome
from sagelet.training.outcome import Outcome, ScriptFacts
from sagelet.worker.spec import HostExit
from tests.training_builders import a_channel, an_order

COMMAND = "/py -- train.py --epochs 3"
CODE = Path("/opt/ml/code")


def ended(exit_code: int = 1, **changes: object) -> HostExit:
    return HostExit(**({"exit_code": exit_code, "ended_at": 1.0} | changes))  # type: ignore[arg-type]  # a builder


def of(exit_: HostExit, *, out_of_time: bool = False, failure: str = "", last: str = "") -> Outcome:
    facts = ScriptFacts(command=COMMAND, code=CODE, failure=failure, last_line=last)
    return outcome.of_script(exit_, facts, out_of_time=out_of_time)


def reason(exit_: HostExit, *, failure: str = "", last: str = "") -> str:
    found = of(exit_, failure=failure, last=last)
    assert found.status is SecondaryStatus.FAILED
    assert found.exit_code == exit_.exit_code
    assert found.failure_reason is not None
    assert len(found.failure_reason) <= 1024
    assert found.message == found.failure_reason
    return found.failure_reason


def test_an_exception_is_named_with_its_place_and_the_command() -> None:
    text = reason(ended(error="ValueError: no column 'label'", where="/opt/ml/code/train.py:12"))
    assert text == (
        "AlgorithmError: ExecuteUserScriptError:\n"
        "ExitCode 1\n"
        "ErrorMessage \"ValueError: no column 'label'\"\n"
        'ExtraInfo "raised at train.py:12"\n'
        'Command "/py -- train.py --epochs 3", exit code: 1'
    )


def test_an_exit_code_is_told_and_the_containers_own_is_one() -> None:
    assert reason(ended(3)) == (
        'AlgorithmError: ExecuteUserScriptError:\nExitCode 3\nErrorMessage ""\n'
        'Command "/py -- train.py --epochs 3", exit code: 1'
    )


def test_where_nothing_was_raised_the_last_line_said_is_the_message() -> None:
    assert 'ErrorMessage "bad configuration"' in reason(ended(3), last="bad configuration")


def test_the_scripts_own_failure_file_wins() -> None:
    text = reason(ended(error="ValueError: x"), failure="The data has no labels.")
    assert text == "AlgorithmError: The data has no labels., exit code: 1"


def test_an_empty_failure_file_says_nothing() -> None:
    assert "ValueError: x" in reason(ended(error="ValueError: x"), failure=" \n")


def test_a_long_failure_file_is_cut_and_keeps_the_exit_code() -> None:
    text = reason(ended(), failure="x" * 5000)
    assert len(text) == 1024
    assert text.startswith("AlgorithmError: xxx")
    assert text.endswith("x, exit code: 1")


def test_a_long_message_leaves_room_for_the_place() -> None:
    text = reason(ended(error="ValueError: " + "y" * 5000, where="/opt/ml/code/a.py:1"))
    assert "raised at a.py:1" in text
    assert text.endswith(", exit code: 1")


@pytest.mark.parametrize(
    ("exit_code", "words"),
    [
        (-9, "Process killed by SIGKILL (signal 9): it may have run out of memory"),
        (137, "OutOfMemory: Process killed by SIGKILL (signal 9)"),
        (-11, "Process killed by SIGSEGV (signal 11)"),
        (-15, "Process killed by SIGTERM (signal 15)"),
        (-99, "Process killed by a signal (signal 99)"),
    ],
)
def test_a_signal_is_named(exit_code: int, words: str) -> None:
    text = reason(ended(exit_code))
    assert f"ExitCode {exit_code}\n" in text
    assert f'ExtraInfo "{words}"' in text


def test_a_full_disk_is_no_fault_of_the_script() -> None:
    text = reason(
        ended(error="OSError: [Errno 28] No space left on device", where="/opt/ml/code/train.py:9")
    )
    assert text == ("ClientError: OSError: [Errno 28] No space left on device raised at train.py:9")


def test_exit_zero_completes_a_job_even_with_a_failure_file() -> None:
    found = of(ended(0), failure="oh no")
    assert found == Outcome(SecondaryStatus.COMPLETED, exit_code=0)
    assert found.message == "Training job completed"


def test_a_stopped_script_is_stopped_whatever_its_exit_code() -> None:
    assert of(ended(0, stopped=True)) == Outcome(SecondaryStatus.STOPPED, exit_code=0)
    assert of(ended(-9, stopped=True)) == Outcome(SecondaryStatus.STOPPED, exit_code=-9)


def test_a_script_whose_time_was_up_is_told_apart() -> None:
    found = of(ended(-15, stopped=True), out_of_time=True)
    assert found.status is SecondaryStatus.MAX_RUNTIME_EXCEEDED
    assert found.status.primary == "Stopped"
    assert found.message == "Training job runtime exceeded MaxRuntimeInSeconds provided"


def test_a_script_that_ended_by_itself_just_before_its_time_was_up_keeps_its_end() -> None:
    assert of(ended(0), out_of_time=True).status is SecondaryStatus.COMPLETED


def test_a_missing_script_is_named_with_what_the_source_has(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("")
    found = outcome.missing_entry_point(
        ToolkitProgram("train.py", "s3://bucket/digits/source/sourcedir.tar.gz"), COMMAND, tmp_path
    )
    assert found.failure_reason == (
        "AlgorithmError: ExecuteUserScriptError:\n"
        "ExitCode 2\n"
        "ErrorMessage \"can't open file 'train.py': [Errno 2] No such file or directory\"\n"
        'ExtraInfo "the source at s3://bucket/digits/source/sourcedir.tar.gz has: main.py"\n'
        'Command "/py -- train.py --epochs 3", exit code: 1'
    )


def test_a_missing_channel_is_told_in_sagemakers_words() -> None:
    channel = a_channel("training")
    found = outcome.download_failed(ModelDataMissing(channel.uri), an_order(), channel.uri, channel)
    assert found.failure_reason == (
        "ClientError: Data download failed: channel training: No S3 objects found under S3 URL "
        '"s3://bucket/training" given in input data source. Please ensure that the bucket exists '
        "in the selected region (us-east-1), that objects exist under that S3 prefix, and that "
        'the role "arn:aws:iam::000000000000:role/sagelet" has "s3:ListBucket" permissions on '
        'bucket "bucket".'
    )


def test_a_missing_folder_is_told_by_its_path() -> None:
    channel = a_channel("training", uri="file:///data/none")
    found = outcome.download_failed(ModelDataMissing(channel.uri), an_order(), channel.uri, channel)
    assert found.failure_reason == (
        "ClientError: Data download failed: channel training: No files found at file:///data/none."
    )


def test_a_bad_archive_is_told_with_its_reason() -> None:
    found = outcome.download_failed(UnsafeArchive("s.tar.gz", "corrupt (CRC)"), an_order(), "")
    assert found.failure_reason == (
        "ClientError: Data download failed: source: s.tar.gz was refused: corrupt (CRC)"
    )


@pytest.mark.parametrize(
    "error", [DiskFull("/state", 2**20), OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))]
)
def test_a_full_disk_is_told_in_the_systems_words(error: Exception) -> None:
    found = outcome.upload_failed(error, Outcome(SecondaryStatus.COMPLETED, exit_code=0))
    assert found.status is SecondaryStatus.FAILED
    assert found.exit_code == 0
    assert found.failure_reason is not None
    assert found.failure_reason.startswith("ClientError: Artifact upload failed: ")
    assert "No space left on device" in found.failure_reason


def test_a_failure_of_ours_is_told_as_such() -> None:
    assert outcome.internal_error("the daemon lost the job") == (
        "InternalServerError: the daemon lost the job"
    )


def test_a_reason_can_always_be_written_down() -> None:
    text = reason(ended(error="ValueError: \ud800 and ü"))
    assert "ValueError: ? and ü" in text
    assert text.encode("utf-8")


def test_a_stopped_job_whose_exit_nobody_knows_is_stopped_all_the_same() -> None:
    assert outcome.stopped(out_of_time=False).status is SecondaryStatus.STOPPED
    assert outcome.stopped(out_of_time=True).status is SecondaryStatus.MAX_RUNTIME_EXCEEDED
