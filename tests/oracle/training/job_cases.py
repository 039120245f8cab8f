"""The jobs that are recorded: arguments, variables, entry points, clusters, ends."""

from __future__ import annotations

import json

from tests.oracle.training.job_case import PROBE, SHELL_PROBE, JobCase

FILE = {"TrainingInputMode": "File"}
CHANNEL = {"S3DistributionType": "FullyReplicated", "RecordWrapperType": "None", **FILE}
TWO = ("algo-1", "algo-2")
TWELVE = tuple(f"algo-{n}" for n in range(1, 13))
TORCHRUN = {"torchrun": '#!/bin/sh\nexec python3 /opt/ml/input/probe.py torchrun "$@"\n'}
TORCH_DISTRIBUTED = {
    "sagemaker_torch_distributed_enabled": "true",
    "sagemaker_instance_type": '"ml.m5.xlarge"',
}
PIP = {"requirements.txt": "--no-index\n--find-links wheels\noracle-token\n", "train.py": PROBE}
PACKAGE = {
    "setup.py": "",
    "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n',
    "backend.py": """\
import pathlib, zipfile
def build_wheel(folder, settings=None, metadata=None):
    info = "oracle_package-1.0.dist-info"
    name = "oracle_package-1.0-py3-none-any.whl"
    with zipfile.ZipFile(pathlib.Path(folder, name), "w") as wheel:
        wheel.writestr("oracle_package.py", "")
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\\nName: oracle-package\\nVersion: 1.0\\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(f"{info}/RECORD", "")
    return name
""",
    "train.py": PROBE,
}


def _values(name: str, **hyperparameters: str) -> JobCase:
    return JobCase(f"values: {name}", {k.replace("_", "-"): v for k, v in hyperparameters.items()})


def _shell(name: str, hyperparameters: dict[str, str], entry: str = "train.sh") -> JobCase:
    return JobCase(f"shell: {name}", hyperparameters, entry, {entry: SHELL_PROBE})


def _ends(name: str, script: str, **changes: object) -> JobCase:
    return JobCase(f"end: {name}", files={"train.py": script}, **changes)  # type: ignore[arg-type]  # a builder


def _shell_ends(name: str, script: str) -> JobCase:
    return JobCase(f"end: shell, {name}", entry="train.sh", files={"train.sh": script})


ODD = {
    "space": '"hello world"',
    "quotes": json.dumps('it\'s "so"'),
    "dollar": '"$HOME `id` ; echo x"',
    "star": '"*.py"',
    "empty": '""',
    "none": "null",
}

CASES: tuple[JobCase, ...] = (
    JobCase("plain"),
    _values("numbers", epochs="3", lr="0.01", tiny="1e-05", big="12345678901234567890"),
    _values("not JSON", zeros="007", none="None", word="resnet", nan="NaN", cut="[1, 2"),
    _values("truth", yes="true", no="false", nothing="null"),
    _values("text", empty='""', encoded='"resnet"', space='"hello world"', raw="hello world"),
    _values("lists", ints="[1, 2, 3]", texts='["a", "b c"]', nested="[[1], {}]"),
    _values("mappings", flat='{"b": 2, "a": 1}', deep='{"a": 1, "b": {"c": [1, null]}}'),
    _values("for a shell", **ODD),
    _values("not ASCII", accent='"schön"', raw="日本"),
    _values("many lines", text=json.dumps("a\nb\tc")),
    JobCase("names: order", {"b": "1", "A": "2", "a": "3", "batch-size": "4", "batch_size": "5"}),
    JobCase("names: one character", {"k": "1", "n": '"x"'}),
    JobCase("names: dots and slashes", {"opt.lr": "1", "a/b": "2", "x y": "3"}),
    JobCase("names: empty", {"": "1"}),
    JobCase("names: with dashes", {"--already": "1", "-s": "2"}),
    JobCase("reserved: tuning", {"_tuning_objective_metric": '"loss"', "epochs": "1"}),
    JobCase("reserved: module name", {"default_user_module_name": '"x"', "epochs": "1"}),
    JobCase("reserved: any of the framework", {"sagemaker_thing": '"x"', "sagemaker_num": "2"}),
    JobCase("reserved: log level", {"sagemaker_container_log_level": "10"}),
    JobCase("reserved: metrics", {"sagemaker_enable_cloudwatch_metrics": "true"}),
    JobCase(
        "reserved: job name and region",
        {"sagemaker_job_name": '"x"', "sagemaker_region": '"eu-west-1"'},
    ),
    JobCase("channels: one", channels={"training": CHANNEL}),
    JobCase("channels: two", channels={"validation": CHANNEL, "train": CHANNEL}),
    JobCase("channels: odd names", channels={"my-data": CHANNEL, "v1.0": CHANNEL, "a_b": CHANNEL}),
    JobCase("channels: a type", channels={"train": {"ContentType": "text/csv", **CHANNEL}}),
    JobCase(
        "channels: fast file", channels={"train": {**CHANNEL, "TrainingInputMode": "FastFile"}}
    ),
    JobCase("entry: in a folder", entry="src/train.py", files={"src/train.py": PROBE}),
    JobCase("entry: a dotted name", entry="my.train.py", files={"my.train.py": PROBE}),
    JobCase("entry: without a suffix", entry="train", files={"train": SHELL_PROBE}),
    JobCase("entry: not there", files={"other.py": ""}),
    JobCase("entry: a space", entry="my train.py", files={"my train.py": PROBE}),
    JobCase("entry: an option", entry="-c", files={"-c": PROBE}),
    JobCase("entry: absolute", entry="/opt/ml/code/train.py"),
    JobCase("entry: upwards", entry="../code/train.py"),
    JobCase("entry: a package", {"epochs": "3"}, files=PACKAGE),
    JobCase(
        "entry: a shell script in a package",
        entry="train.sh",
        files={**PACKAGE, "train.sh": SHELL_PROBE},
    ),
    JobCase(
        "entry: a package in a folder",
        entry="src/train.py",
        files={**PACKAGE, "src/train.py": PROBE},
    ),
    _shell("no arguments", {}),
    _shell("arguments", {"epochs": "3", "yes": "true", "list": "[1, 2]"}),
    _shell("odd arguments", ODD),
    _shell("in a folder", {"epochs": "3"}, "bin/train.sh"),
    _shell("names that are no names", {"batch-size": "4", "a.b": "1", "ok": "2"}),
    JobCase("environment: of the user's", environment={"MINE": "1", "MINE_TOO": "a b"}),
    JobCase(
        "environment: over the toolkit's",
        environment={"SM_MODEL_DIR": "/mine", "MASTER_PORT": "1234", "SM_HP_EPOCHS": "9"},
    ),
    JobCase(
        "environment: over the platform's",
        environment={"AWS_REGION": "eu-west-1", "TRAINING_JOB_NAME": "mine"},
    ),
    JobCase("image: generic", {"epochs": "3"}, module=""),
    JobCase(
        "image: generic, a shell script",
        {"epochs": "3"},
        "train.sh",
        {"train.sh": SHELL_PROBE},
        module="",
    ),
    JobCase("hosts: the first of two", hosts=TWO),
    JobCase("hosts: the second of two", hosts=TWO, host="algo-2"),
    JobCase("hosts: the second of twelve", hosts=TWELVE, host="algo-2"),
    JobCase(
        "hosts: two groups",
        hosts=("algo-1", "algo-2", "algo-3"),
        host="algo-3",
        groups={"first": ("algo-1", "algo-2"), "second": ("algo-3",)},
    ),
    JobCase(
        "hosts: a group that is distributed",
        {**TORCH_DISTRIBUTED, "sagemaker_distribution_instance_groups": '["first"]'},
        hosts=("algo-1", "algo-2", "algo-3"),
        groups={"first": ("algo-1", "algo-2"), "second": ("algo-3",)},
        programs=TORCHRUN,
    ),
    JobCase(
        "hosts: a group that is not distributed",
        {**TORCH_DISTRIBUTED, "sagemaker_distribution_instance_groups": '["first"]'},
        hosts=("algo-1", "algo-2", "algo-3"),
        host="algo-3",
        groups={"first": ("algo-1", "algo-2"), "second": ("algo-3",)},
        programs=TORCHRUN,
    ),
    JobCase("torchrun: one host", {"epochs": "3", **TORCH_DISTRIBUTED}, programs=TORCHRUN),
    JobCase(
        "torchrun: two processes",
        {**TORCH_DISTRIBUTED, "sagemaker_mpi_num_of_processes_per_host": "2"},
        programs=TORCHRUN,
    ),
    JobCase("torchrun: two hosts, the first", TORCH_DISTRIBUTED, hosts=TWO, programs=TORCHRUN),
    JobCase(
        "torchrun: two hosts, the second",
        {"note": '"a b"', **TORCH_DISTRIBUTED},
        hosts=TWO,
        host="algo-2",
        programs=TORCHRUN,
    ),
    JobCase(
        "torchrun: twelve hosts", TORCH_DISTRIBUTED, hosts=TWELVE, host="algo-2", programs=TORCHRUN
    ),
    JobCase(
        "torchrun: a shell script",
        TORCH_DISTRIBUTED,
        "train.sh",
        {"train.sh": SHELL_PROBE},
        programs=TORCHRUN,
    ),
    JobCase("torchrun: a package", TORCH_DISTRIBUTED, files=PACKAGE, programs=TORCHRUN),
    JobCase("packages: a requirement", files=PIP, wheels={"oracle_token": "1.0"}),
    JobCase(
        "packages: none such", files={**PIP, "requirements.txt": "--no-index\nno-such-thing==9\n"}
    ),
    JobCase(
        "packages: not for a shell script",
        entry="train.sh",
        files={"train.sh": SHELL_PROBE, "requirements.txt": "--no-index\nno-such-thing\n"},
    ),
    _ends("exit 0", "import sys; sys.exit(0)"),
    _ends("exit 3", "import sys; sys.exit(3)"),
    _ends("exit with a text", "import sys; sys.exit('no more data')"),
    _ends("an exception", "def step():\n    raise ValueError('the loss is nan')\nstep()\n"),
    _ends("a syntax error", "def step(:\n    pass\n"),
    _ends("an import that is missing", "import no_such_module\n"),
    _ends("killed", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"),
    _ends("a segmentation fault", "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"),
    _ends("an assertion", "assert 1 == 2, 'they differ'\n"),
    _ends("an exit by 256", "import sys; sys.exit(256)"),
    _ends(
        "its own failure file",
        "open('/opt/ml/output/failure', 'w').write('no GPU left'); raise SystemExit(4)",
    ),
    _ends(
        "its own failure file, exit 0", "open('/opt/ml/output/failure', 'w').write('never mind')"
    ),
    _ends(
        "in a child process",
        "import subprocess, sys\nsys.exit(subprocess.call([sys.executable, '-c', 'raise KeyError(1)']))\n",
    ),
    _ends("an exception, generic image", "raise ValueError('the loss is nan')\n", module=""),
    _shell_ends("exit 3", "exit 3\n"),
    _shell_ends("a command that is not there", "no-such-command\n"),
    _shell_ends("killed", "kill -9 $$\n"),
    _shell_ends("python in it", "python3 -c 'raise ValueError(\"deep\")'\n"),
)
