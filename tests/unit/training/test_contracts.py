"""The contracts of a host: what they refuse, warn of, run and give, short of running it."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sagelet.artifacts.files import Artifacts
from sagelet.artifacts.objects import Buckets
from sagelet.domain.training import LiteralProgram, SecondaryStatus, ToolkitProgram
from sagelet.training.contract import Contract, contract_of
from sagelet.training.layout import OPT_ML, HostFolder, MlTree, lay_out
from sagelet.training.outcome import ScriptFacts
from sagelet.training.rendezvous import Rendezvous
from sagelet.worker.spec import HostExit
from tests.training_builders import a_channel, an_order

SEEN = MlTree(OPT_ML)
COMMAND = LiteralProgram(
    ("/bin/bash",), ("-c", "chmod +x /opt/ml/input/data/sm_drivers/sm_train.sh && echo /opt/mlx")
)
# A stand-in for an interpreter without pip, that can be asked what it has.
BARE = """\
#!/bin/sh
echo '{"version": "3.11.7", "base": "/usr/bin/python3", "folders": [], "packages": []}'
"""


def a_contract(root: Path, **changes: Any) -> Contract:  # noqa: ANN401  any field
    """The contract of a job's first host, whose tree is laid out."""
    order = an_order(root, **changes)
    places = replace(order.places, packages=str(root / "packages"))
    order = replace(order, places=replace(places, python=changes.get("python", sys.executable)))
    folder = HostFolder(root / "hosts" / "algo-1")
    lay_out(order, order.cluster.hosts[0], folder)
    return contract_of(order, folder)


def literal(root: Path, **changes: Any) -> Contract:  # noqa: ANN401  any field
    return a_contract(root, program=COMMAND, **changes)


def test_a_command_runs_whole_at_the_root(tmp_path: Path) -> None:
    process = literal(tmp_path).process(SEEN)
    assert process.argv == (*COMMAND.entrypoint, *COMMAND.arguments)
    assert (process.cwd, process.way) == ("/", "literal")


def test_without_a_namespace_a_command_names_the_jobs_own_tree(tmp_path: Path) -> None:
    tree = HostFolder(tmp_path / "hosts" / "algo-1").tree
    process = literal(tmp_path, no_namespace="macOS").process(tree)
    assert process.argv[2] == (
        f"chmod +x {tree.base}/input/data/sm_drivers/sm_train.sh && echo /opt/mlx"
    )


def test_a_command_has_the_platforms_variables_and_no_toolkits(tmp_path: Path) -> None:
    contract = literal(tmp_path, environment={"MINE": "1", "AWS_REGION": "eu-west-1"})
    host = an_order(tmp_path).cluster.hosts[0]
    given = contract.environment(host, SEEN, Rendezvous("algo-1", 7777))
    assert given["TRAINING_JOB_NAME"] == "digits"
    assert given["MINE"] == "1"
    assert given["AWS_REGION"] == "eu-west-1"
    assert given["PATH"].startswith(str(tmp_path / "hosts" / "algo-1" / "environment" / "bin"))
    assert [name for name in given if name.startswith(("SM_", "MASTER_"))] == []


def test_an_apostrophe_is_warned_of_where_the_drivers_are(tmp_path: Path) -> None:
    parameters = {"note": "it's", "epochs": "3"}
    assert literal(tmp_path, hyperparameters=parameters).warnings() == []
    drivers = (a_channel("sm_drivers"),)
    (warning,) = literal(tmp_path, hyperparameters=parameters, channels=drivers).warnings()
    assert " the apostrophe in note, " in warning


def test_an_interpreter_without_pip_is_warned_of(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text(BARE)
    python.chmod(0o755)
    order = an_order(tmp_path, program=COMMAND)
    places = replace(order.places, python=str(python), packages=str(tmp_path / "packages"))
    contract = contract_of(replace(order, places=places), HostFolder(tmp_path / "host"))
    (warning,) = contract.warnings()
    assert f"{python} has no pip" in warning
    assert "-m ensurepip" in warning


def test_an_interpreter_that_cannot_be_asked_ends_the_job(tmp_path: Path) -> None:
    order = an_order(tmp_path, program=COMMAND)
    places = replace(order.places, python="/no/python", packages=str(tmp_path / "packages"))
    contract = contract_of(replace(order, places=places), HostFolder(tmp_path / "host"))
    failed = contract.fetch(Artifacts(Buckets(tmp_path)))
    assert failed is not None
    assert failed.failure_reason is not None
    assert "The interpreter /no/python cannot be used" in failed.failure_reason


def test_without_a_namespace_the_drivers_are_told_where_the_tree_is(tmp_path: Path) -> None:
    contract = literal(tmp_path, no_namespace="macOS", channels=(a_channel("sm_drivers"),))
    tree = HostFolder(tmp_path / "hosts" / "algo-1").tree
    drivers = tree.channel("sm_drivers") / "scripts"
    drivers.mkdir(parents=True)
    (drivers / "environment.py").write_text('FAILURE = "/opt/ml/output/failure"\n')
    (drivers / "data.bin").write_bytes(b"/opt/ml\xff")
    assert contract.fetch(Artifacts(Buckets(tmp_path))) is None
    assert (drivers / "environment.py").read_text() == f'FAILURE = "{tree.failure}"\n'
    assert (drivers / "data.bin").read_bytes() == b"/opt/ml\xff"
    assert any("there is no /opt/ml here" in line for line in contract.warnings())


@pytest.mark.parametrize("source", ["file:///opt/ml/code", "/opt/ml/code"])
def test_a_source_that_is_in_the_image_is_not_here(tmp_path: Path, source: str) -> None:
    contract = a_contract(tmp_path, program=ToolkitProgram("train.py", source))
    failed = contract.fetch(Artifacts(Buckets(tmp_path)))
    assert failed is not None
    assert failed.status is SecondaryStatus.FAILED
    assert "is said to be in the image" in str(failed.failure_reason)


def test_a_source_may_be_one_file(tmp_path: Path) -> None:
    script = tmp_path / "one.py"
    script.write_text("")
    contract = a_contract(tmp_path, program=ToolkitProgram("one.py", script.as_uri()))
    assert contract.fetch(Artifacts(Buckets(tmp_path))) is None
    assert contract.process(SEEN).argv == ("one.py",)


def test_an_older_toolkit_gives_a_shell_the_whole_line(tmp_path: Path) -> None:
    contract = a_contract(
        tmp_path,
        program=ToolkitProgram("train.py", "s3://bucket/source"),
        hyperparameters={"note": json.dumps("a  b")},
        is_legacy=True,
    )
    process = contract.process(SEEN)
    assert process.argv == (f"{sys.executable} train.py --note a  b",)
    assert process.way == "shell"


def test_an_older_toolkit_in_a_generic_image_passes_arguments_whole(tmp_path: Path) -> None:
    contract = a_contract(
        tmp_path,
        image="mine:latest",
        program=ToolkitProgram("train.py", "s3://bucket/source"),
        hyperparameters={"note": json.dumps("a  b")},
        is_legacy=True,
    )
    assert contract.process(SEEN).argv == ("train.py", "--note", "a  b")


def test_a_commands_signal_is_told_as_a_shell_tells_it(tmp_path: Path) -> None:
    facts = ScriptFacts("bash", SEEN.channel("code"))
    judged = literal(tmp_path).judge(HostExit(-9, 1.0), facts, out_of_time=False)
    assert str(judged.failure_reason).endswith(", exit code: 137")
    assert "SIGKILL" in str(judged.failure_reason)
