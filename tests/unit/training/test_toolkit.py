"""Hyperparameters and arguments as sagemaker-training 5.1.4 has them (observed, row by row)."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from sagelet.errors import InvalidRequest
from sagelet.training.toolkit import (
    EntryKind,
    Hyperparameters,
    check_entry_point,
    command,
    find_entry_point,
    to_arguments,
)


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("10", 10),
        ("true", True),
        ("007", "007"),
        ("None", "None"),
        ("null", None),
        ("1e-3", 0.001),
        ('"resnet"', "resnet"),
        ("resnet", "resnet"),
        ("", ""),
        ('""', ""),
        ("[1, 2, 3]", [1, 2, 3]),
        ('{"a": 1}', {"a": 1}),
        ("12345678901234567890", 12345678901234567890),
        ("[" * 2500, "[" * 2500),
        ("1" * 2500, int("1" * 2500)),
    ],
)
def test_a_hyperparameter_is_decoded_as_json_or_stays_the_string_it_is(
    raw: str, value: object
) -> None:
    decoded = Hyperparameters.decode({"key": raw}).script["key"]
    assert decoded == value
    assert type(decoded) is type(value)


def test_nan_is_decoded_as_a_number() -> None:
    assert math.isnan(Hyperparameters.decode({"key": "NaN"}).script["key"])


def test_reserved_names_and_the_prefix_never_reach_the_script() -> None:
    raw = {
        "sagemaker_program": '"train.py"',
        "sagemaker_submit_directory": '"s3://b/k"',
        "sagemaker_enable_cloudwatch_metrics": "false",
        "sagemaker_region": '"us-east-1"',
        "sagemaker_container_log_level": "10",
        "sagemaker_job_name": '"j"',
        "default_user_module_name": '"m"',
        "_tuning_objective_metric": '"loss"',
        "sagemaker_s3_output": '"s3://b/o"',
        "sagemaker_torch_distributed_enabled": "true",
        "epochs": "3",
    }
    decoded = Hyperparameters.decode(raw)
    assert decoded.script == {"epochs": 3}
    assert decoded.framework == {"sagemaker_torch_distributed_enabled": True}
    assert set(decoded.reserved) == raw.keys() - {"epochs", "sagemaker_torch_distributed_enabled"}


@pytest.mark.parametrize(
    ("value", "argument"),
    [
        (True, "True"),
        (False, "False"),
        (None, ""),
        ("", ""),
        ("hello world", "hello world"),
        ([1, 2, 3], "[1, 2, 3]"),
        (["a", "b c"], "['a', 'b c']"),
        ({"b": {"c": [1, 2]}, "a": 1}, "a=1,b={'c': [1, 2]}"),
        ({}, ""),
        ("*.py", "*.py"),
        ("$HOME `id` ; echo x", "$HOME `id` ; echo x"),
        (1e-05, "1e-05"),
        (12345678901234567890, "12345678901234567890"),
        ("001", "001"),
        ("it's", "it's"),
        ("ünï\n", "ünï\n"),
    ],
)
def test_a_value_is_one_argument_as_python_writes_it(value: object, argument: str) -> None:
    assert to_arguments({"key": value}) == ("--key", argument)


def test_arguments_are_sorted_by_key_and_a_short_key_has_one_dash() -> None:
    hyperparameters: dict[str, Any] = {"lr": 0.1, "b": 2, "Z": 1, "a-b": 3, "": 4}
    assert to_arguments(hyperparameters) == (
        *("", "4"),
        *("-Z", "1"),
        *("--a-b", "3"),
        *("-b", "2"),
        *("--lr", "0.1"),
    )


def test_json_encoded_and_plain_hyperparameters_give_the_same_arguments() -> None:
    values = {"epochs": 3, "name": "resnet", "lr": 0.01}
    encoded = Hyperparameters.decode({key: json.dumps(value) for key, value in values.items()})
    plain = Hyperparameters.decode({key: str(value) for key, value in values.items()})
    assert to_arguments(encoded.script) == to_arguments(plain.script)


def test_a_program_is_named_with_its_interpreter_and_two_dashes() -> None:
    arguments = ("--a", "b c")
    said = command(EntryKind.PROGRAM, "/py", "src/train.py", arguments)
    assert said == "/py -- src/train.py --a b c"
    said = command(EntryKind.PROGRAM, "/py", "src/train.py", arguments, is_legacy=True)
    assert said == "/py src/train.py --a b c"


def test_a_shell_script_is_named_with_quoted_arguments() -> None:
    arguments = ("--a", "b c")
    said = command(EntryKind.COMMAND, "/py", "train.sh", arguments)
    assert said == "/bin/sh -c ./train.sh --a 'b c'"
    said = command(EntryKind.COMMAND, "/py", "train.sh", arguments, is_legacy=True)
    assert said == """/bin/sh -c "./train.sh --a 'b c'\""""


def test_a_module_is_named_as_python_takes_it() -> None:
    assert command(EntryKind.PACKAGE, "/py", "src/train.py", ()) == "/py -m src.train"


@pytest.mark.parametrize("name", ["train.py", "src/train.py", ".hidden", "a+b-c_d.sh", "...py"])
def test_a_plain_relative_name_is_an_entry_point(name: str) -> None:
    check_entry_point(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "-c",
        "/etc/passwd",
        "../train.py",
        "src/../train.py",
        "./train.py",
        "src/./train.py",
        "a b.py",
        "train.py;id",
        "$(id).py",
        "train.py\n",
        "src//train.py",
        "src/",
        "träin.py",
        "a\\b.py",
        "a\0.py",
    ],
)
def test_any_other_name_is_refused(name: str) -> None:
    with pytest.raises(InvalidRequest, match="entry point"):
        check_entry_point(name)


def test_only_a_name_that_ends_in_py_is_a_program(tmp_path: Path) -> None:
    assert EntryKind.of("train.py", tmp_path) is EntryKind.PROGRAM
    assert EntryKind.of("train.sh", tmp_path) is EntryKind.COMMAND
    assert EntryKind.of("train", tmp_path) is EntryKind.COMMAND


def test_beside_a_setup_py_all_but_a_shell_script_is_a_module(tmp_path: Path) -> None:
    (tmp_path / "setup.py").touch()
    assert EntryKind.of("train.py", tmp_path) is EntryKind.PACKAGE
    assert EntryKind.of("train", tmp_path) is EntryKind.PACKAGE
    assert EntryKind.of("train.sh", tmp_path) is EntryKind.COMMAND


def test_an_entry_point_is_found_in_the_code_folder(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "train.py").write_text("")
    assert find_entry_point(tmp_path, "src/train.py") == tmp_path / "src" / "train.py"
    assert find_entry_point(tmp_path, "src") is None
    assert find_entry_point(tmp_path, "other.py") is None


def test_a_link_out_of_the_code_folder_is_no_entry_point(tmp_path: Path) -> None:
    code = tmp_path / "code"
    code.mkdir()
    (tmp_path / "other.py").write_text("")
    (code / "train.py").symlink_to(tmp_path / "other.py")
    with pytest.raises(InvalidRequest, match="out of the source"):
        find_entry_point(code, "train.py")
