"""The environment of a script, against what sagemaker-training 5.1.4 was seen to set."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sagelet.domain.training import Cluster, ToolkitProgram
from sagelet.supervision.inherited import inherited
from sagelet.training.layout import MlTree
from sagelet.training.order import JobOrder
from sagelet.training.variables import (
    PYTORCH_MODULE,
    Machine,
    Rendezvous,
    environment,
    format_value,
)
from tests.training_builders import a_channel, an_order

OPT_ML = MlTree(Path("/opt/ml"))
MACHINE = Machine(cpus=2, gpus=0, torch_version="2.13.0+cpu")
HYPERPARAMETERS = {
    "batch-size": "64",
    "flag": "true",
    "ints": "[1, 2, 3]",
    "lr": "0.01",
    "none": "null",
    "nested": '{"a": 1}',
    "dotted.key": "2",
    "name": '"resnet"',
    "sagemaker_program": '"train.py"',
    "sagemaker_submit_directory": '"s3://bucket/digits/source/sourcedir.tar.gz"',
    "sagemaker_container_log_level": "10",
    "sagemaker_job_name": '"digits"',
    "sagemaker_region": '"eu-west-1"',
    "sagemaker_instance_type": '"ml.m5.xlarge"',
}


def of(order: JobOrder, seen: MlTree = OPT_ML, host: int = 0) -> dict[str, str]:
    program = order.program
    assert isinstance(program, ToolkitProgram)
    return environment(
        order,
        program,
        order.cluster.hosts[host],
        seen=seen,
        machine=MACHINE,
        rendezvous=Rendezvous("algo-1", 40123),
    )


@pytest.fixture
def order() -> JobOrder:
    return an_order(
        hyperparameters=HYPERPARAMETERS,
        channels=(a_channel("training"), a_channel("test", content_type="text/csv")),
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SM_HOSTS", '["algo-1"]'),
        ("SM_CURRENT_HOST", "algo-1"),
        ("SM_NETWORK_INTERFACE_NAME", "lo"),
        (
            "SM_HPS",
            '{"batch-size":64,"dotted.key":2,"flag":true,"ints":[1,2,3],"lr":0.01,'
            '"name":"resnet","nested":{"a":1},"none":null}',
        ),
        ("SM_USER_ENTRY_POINT", "train.py"),
        ("SM_MODULE_NAME", "train"),
        ("SM_MODULE_DIR", "s3://bucket/digits/source/sourcedir.tar.gz"),
        ("SM_FRAMEWORK_PARAMS", '{"sagemaker_instance_type":"ml.m5.xlarge"}'),
        (
            "SM_RESOURCE_CONFIG",
            '{"current_group_name":"homogeneousCluster","current_host":"algo-1",'
            '"current_instance_type":"ml.m5.xlarge","hosts":["algo-1"],"instance_groups":'
            '[{"hosts":["algo-1"],"instance_group_name":"homogeneousCluster",'
            '"instance_type":"ml.m5.xlarge"}],"network_interface_name":"lo"}',
        ),
        (
            "SM_INPUT_DATA_CONFIG",
            '{"test":{"ContentType":"text/csv","RecordWrapperType":"None",'
            '"S3DistributionType":"FullyReplicated","TrainingInputMode":"File"},"training":'
            '{"RecordWrapperType":"None","S3DistributionType":"FullyReplicated",'
            '"TrainingInputMode":"File"}}',
        ),
        ("SM_OUTPUT_DATA_DIR", "/opt/ml/output/data"),
        ("SM_OUTPUT_DIR", "/opt/ml/output"),
        ("SM_OUTPUT_INTERMEDIATE_DIR", "/opt/ml/output/intermediate"),
        ("SM_INPUT_DIR", "/opt/ml/input"),
        ("SM_INPUT_CONFIG_DIR", "/opt/ml/input/config"),
        ("SM_MODEL_DIR", "/opt/ml/model"),
        ("SM_CHANNELS", '["test","training"]'),
        ("SM_CHANNEL_TRAINING", "/opt/ml/input/data/training"),
        ("SM_CHANNEL_TEST", "/opt/ml/input/data/test"),
        ("SM_CURRENT_INSTANCE_TYPE", "ml.m5.xlarge"),
        ("SM_CURRENT_INSTANCE_GROUP", "homogeneousCluster"),
        ("SM_CURRENT_INSTANCE_GROUP_HOSTS", '["algo-1"]'),
        ("SM_INSTANCE_GROUPS", '["homogeneousCluster"]'),
        (
            "SM_INSTANCE_GROUPS_DICT",
            '{"homogeneousCluster":{"hosts":["algo-1"],"instance_group_name":'
            '"homogeneousCluster","instance_type":"ml.m5.xlarge"}}',
        ),
        ("SM_DISTRIBUTION_INSTANCE_GROUPS", "[]"),
        ("SM_IS_HETERO", "false"),
        ("SM_LOG_LEVEL", "10"),
        ("SM_FRAMEWORK_MODULE", PYTORCH_MODULE),
        ("SM_NUM_CPUS", "2"),
        ("SM_NUM_GPUS", "0"),
        ("SM_NUM_NEURONS", "0"),
        (
            "SM_USER_ARGS",
            '["--batch-size","64","--dotted.key","2","--flag","True","--ints","[1, 2, 3]",'
            '"--lr","0.01","--name","resnet","--nested","a=1","--none",""]',
        ),
        ("SM_HP_BATCH-SIZE", "64"),
        ("SM_HP_DOTTED.KEY", "2"),
        ("SM_HP_FLAG", "true"),
        ("SM_HP_INTS", "[1,2,3]"),
        ("SM_HP_LR", "0.01"),
        ("SM_HP_NAME", "resnet"),
        ("SM_HP_NESTED", '{"a":1}'),
        ("SM_HP_NONE", ""),
        ("SM_DLC_TORCH_VERSION", "2.13.0+cpu"),
        ("MASTER_ADDR", "algo-1"),
        ("MASTER_PORT", "40123"),
        ("NCCL_SOCKET_IFNAME", "lo"),
        ("NCCL_IB_DISABLE", "1"),
        ("NCCL_DEBUG", "WARN"),
        ("SAGEMAKER_JOB_NAME", "digits"),
        ("SAGEMAKER_REGION", "eu-west-1"),
        ("SAGEMAKER_TRAINING_MODULE", PYTORCH_MODULE),
        ("CURRENT_HOST", "algo-1"),
        ("TRAINING_JOB_NAME", "digits"),
        ("TRAINING_JOB_ARN", "arn:aws:sagemaker:us-east-1:000000000000:training-job/digits"),
        ("AWS_REGION", "us-east-1"),
        ("PYTHONPATH", "/opt/ml/code"),
        ("PYTHONUNBUFFERED", "1"),
        ("LC_ALL", "C.UTF-8"),
        ("PATH", "/usr/bin:/bin"),
    ],
)
def test_a_variable_is_what_the_toolkit_makes_it(order: JobOrder, name: str, value: str) -> None:
    assert of(order)[name] == value


def test_there_is_no_sm_variable_beyond_the_toolkits(order: JobOrder) -> None:
    names = {name for name in of(order) if name.startswith("SM_") and "SM_HP_" not in name}
    assert names == {
        "SM_CHANNELS", "SM_CHANNEL_TEST", "SM_CHANNEL_TRAINING", "SM_CURRENT_HOST",
        "SM_CURRENT_INSTANCE_GROUP", "SM_CURRENT_INSTANCE_GROUP_HOSTS",
        "SM_CURRENT_INSTANCE_TYPE", "SM_DISTRIBUTION_INSTANCE_GROUPS", "SM_DLC_TORCH_VERSION",
        "SM_FRAMEWORK_MODULE", "SM_FRAMEWORK_PARAMS", "SM_HOSTS", "SM_HPS",
        "SM_INPUT_CONFIG_DIR", "SM_INPUT_DATA_CONFIG", "SM_INPUT_DIR", "SM_INSTANCE_GROUPS",
        "SM_INSTANCE_GROUPS_DICT", "SM_IS_HETERO", "SM_LOG_LEVEL", "SM_MODEL_DIR",
        "SM_MODULE_DIR", "SM_MODULE_NAME", "SM_NETWORK_INTERFACE_NAME", "SM_NUM_CPUS",
        "SM_NUM_GPUS", "SM_NUM_NEURONS", "SM_OUTPUT_DATA_DIR", "SM_OUTPUT_DIR",
        "SM_OUTPUT_INTERMEDIATE_DIR", "SM_RESOURCE_CONFIG", "SM_TRAINING_ENV", "SM_USER_ARGS",
        "SM_USER_ENTRY_POINT",
    }  # fmt: skip


def test_the_training_env_has_the_toolkits_keys_and_values(order: JobOrder) -> None:
    text = of(order)["SM_TRAINING_ENV"]
    facts: dict[str, Any] = json.loads(text)
    assert text == json.dumps(facts, sort_keys=True, separators=(",", ":"))
    assert sorted(facts) == [
        "additional_framework_parameters", "channel_input_dirs", "current_host",
        "current_instance_group", "current_instance_group_hosts", "current_instance_type",
        "distribution_hosts", "distribution_instance_groups", "framework_module", "hosts",
        "hyperparameters", "input_config_dir", "input_data_config", "input_dir",
        "instance_groups", "instance_groups_dict", "is_hetero", "is_master",
        "is_modelparallel_enabled", "is_smddpmprun_installed", "is_smddprun_installed",
        "job_name", "log_level", "master_hostname", "model_dir", "module_dir", "module_name",
        "network_interface_name", "num_cpus", "num_gpus", "num_neurons", "output_data_dir",
        "output_dir", "output_intermediate_dir", "resource_config", "topology",
        "user_entry_point",
    ]  # fmt: skip
    assert facts["is_modelparallel_enabled"] is None
    assert facts["is_master"] is True
    assert facts["master_hostname"] == "algo-1"
    assert facts["topology"] == []
    assert facts["job_name"] == "digits"
    assert facts["hyperparameters"]["none"] is None
    assert facts["additional_framework_parameters"] == {"sagemaker_instance_type": "ml.m5.xlarge"}
    assert facts["channel_input_dirs"] == {
        "test": "/opt/ml/input/data/test",
        "training": "/opt/ml/input/data/training",
    }


def test_a_channels_name_keeps_its_dots_and_hyphens() -> None:
    variables = of(an_order(channels=(a_channel("my-data.v2"),)))
    assert variables["SM_CHANNEL_MY-DATA.V2"] == "/opt/ml/input/data/my-data.v2"


def test_a_shell_scripts_module_name_keeps_its_suffix() -> None:
    order = an_order(program=ToolkitProgram("train.sh", "s3://b/k.tar.gz"))
    assert of(order)["SM_MODULE_NAME"] == "train.sh"


def test_a_source_folder_shows_as_the_code_folder() -> None:
    order = an_order(program=ToolkitProgram("train.py", "file:///home/me/project"))
    assert of(order)["SM_MODULE_DIR"] == "/opt/ml/code"


def test_hosts_are_sorted_as_text() -> None:
    order = an_order(cluster=Cluster.of(11, "ml.m5.xlarge"))
    variables = of(order, host=1)
    assert json.loads(variables["SM_HOSTS"])[:4] == ["algo-1", "algo-10", "algo-11", "algo-2"]
    assert variables["SM_CURRENT_HOST"] == "algo-2"
    assert json.loads(variables["SM_TRAINING_ENV"])["is_master"] is False


def test_without_opt_ml_every_path_is_the_job_folders(order: JobOrder) -> None:
    variables = of(order, seen=MlTree(Path("/state/jobs/1/hosts/algo-1/ml")))
    own = {name: value for name, value in variables.items() if name.startswith("SM_")}
    assert not [name for name, value in own.items() if "/opt/ml" in value]
    assert variables["SM_MODEL_DIR"] == "/state/jobs/1/hosts/algo-1/ml/model"
    assert variables["PYTHONPATH"] == "/state/jobs/1/hosts/algo-1/ml/code"


def test_an_image_that_is_not_pytorchs_has_none_of_its_variables() -> None:
    variables = of(an_order(image="000000000000.dkr.ecr.us-east-1.amazonaws.com/mine:1"))
    assert variables["SM_FRAMEWORK_MODULE"] == ""
    assert json.loads(variables["SM_TRAINING_ENV"])["framework_module"] is None
    assert not {"MASTER_ADDR", "MASTER_PORT", "NCCL_DEBUG", "SM_DLC_TORCH_VERSION"} & set(variables)


def test_without_hyperparameters_the_platforms_names_are_empty() -> None:
    variables = of(an_order())
    assert variables["SAGEMAKER_JOB_NAME"] == ""
    assert variables["SAGEMAKER_REGION"] == ""
    assert variables["SM_HPS"] == "{}"
    assert variables["SM_USER_ARGS"] == "[]"
    assert variables["SM_CHANNELS"] == "[]"
    assert variables["SM_LOG_LEVEL"] == "20"


def test_what_the_user_sets_wins_over_the_platform_and_the_toolkit_over_both() -> None:
    order = an_order(
        environment={
            "PATH": "/mine",
            "NCCL_DEBUG": "INFO",
            "SM_MODEL_DIR": "/mine",
            "GLOO_SOCKET_IFNAME": "eth1",
            "TRAINING_JOB_NAME": "other",
            "PYTHONPATH": "/lib",
            "DEPLOY_ENV": "local",
        }
    )
    variables = of(order)
    assert variables["PATH"] == "/mine"
    assert variables["NCCL_DEBUG"] == "WARN"
    assert variables["SM_MODEL_DIR"] == "/opt/ml/model"
    assert variables["GLOO_SOCKET_IFNAME"] == "eth1"
    assert variables["TRAINING_JOB_NAME"] == "other"
    assert variables["PYTHONPATH"] == "/opt/ml/code:/lib"
    assert variables["DEPLOY_ENV"] == "local"


def test_a_script_gets_no_credentials_of_the_user() -> None:
    machine = {
        "PATH": "/bin",
        "HOME": "/home/me",
        "AWS_ACCESS_KEY_ID": "AKIA",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_SESSION_TOKEN": "token",
        "AWS_PROFILE": "work",
        "GITHUB_TOKEN": "token",
        "SAGELET_HOME": "/home/me/.sagelet",
    }
    assert inherited(machine) == {"PATH": "/bin", "HOME": "/home/me"}
    variables = of(replace(an_order(), inherited=inherited(machine)))
    assert variables["AWS_SHARED_CREDENTIALS_FILE"] == "/dev/null"
    assert variables["AWS_CONFIG_FILE"] == "/dev/null"
    assert variables["AWS_EC2_METADATA_DISABLED"] == "true"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        ("a b", "a b"),
        (True, "true"),
        (1.0, "1.0"),
        ({"b": 1, "a": [1, None]}, '{"a":[1,null],"b":1}'),
        (["ü"], '["\\u00fc"]'),
        ("ü", "ü"),
    ],
)
def test_a_value_is_written_as_text_or_compact_sorted_ascii_json(value: object, text: str) -> None:
    assert format_value(value) == text


def test_what_cannot_be_a_variable_is_left_out() -> None:
    variables = of(an_order(hyperparameters={"a=b": "1", "c": '"x\\u0000y"', "d": "2"}))
    assert "SM_HP_A=B" not in variables
    assert "SM_HP_C" not in variables
    assert variables["SM_HP_D"] == "2"
    assert json.loads(variables["SM_HPS"]) == {"a=b": 1, "c": "x\0y", "d": 2}


def test_hosts_of_two_groups_know_theirs_and_who_takes_part() -> None:
    groups = [("data", "ml.c5.xlarge", 1), ("train", "ml.g5.xlarge", 2)]
    order = an_order(
        cluster=Cluster.of_groups(groups),
        hyperparameters={
            "sagemaker_torch_distributed_enabled": "true",
            "sagemaker_distribution_instance_groups": '["train"]',
        },
    )
    data, trainer = of(order, host=0), of(order, host=2)
    assert trainer["SM_HOSTS"] == data["SM_HOSTS"] == '["algo-1","algo-2","algo-3"]'
    assert trainer["SM_CURRENT_HOST"] == "algo-3"
    assert trainer["SM_CURRENT_INSTANCE_TYPE"] == "ml.g5.xlarge"
    assert trainer["SM_CURRENT_INSTANCE_GROUP"] == "train"
    assert trainer["SM_CURRENT_INSTANCE_GROUP_HOSTS"] == '["algo-2","algo-3"]'
    assert trainer["SM_INSTANCE_GROUPS"] == '["data","train"]'
    assert trainer["SM_DISTRIBUTION_INSTANCE_GROUPS"] == '["train"]'
    assert trainer["SM_IS_HETERO"] == "true"
    assert json.loads(trainer["SM_INSTANCE_GROUPS_DICT"])["data"]["hosts"] == ["algo-1"]
    facts = json.loads(trainer["SM_TRAINING_ENV"])
    assert facts["distribution_hosts"] == ["algo-2", "algo-3"]
    assert (facts["master_hostname"], facts["is_master"]) == ("algo-2", False)
    assert json.loads(data["SM_TRAINING_ENV"])["master_hostname"] == "algo-2"


def test_without_a_distribution_the_first_host_is_the_master() -> None:
    order = an_order(cluster=Cluster.of(11, "ml.m5.xlarge"))
    variables = of(order, host=9)
    assert variables["SM_HOSTS"].startswith('["algo-1","algo-10","algo-11","algo-2",')
    assert variables["SM_DISTRIBUTION_INSTANCE_GROUPS"] == "[]"
    assert variables["SM_IS_HETERO"] == "false"
    facts = json.loads(variables["SM_TRAINING_ENV"])
    assert (facts["master_hostname"], facts["is_master"]) == ("algo-1", False)
    assert facts["distribution_hosts"] == []
    assert json.loads(of(order)["SM_TRAINING_ENV"])["is_master"] is True


def test_a_distribution_without_groups_has_all_hosts() -> None:
    order = an_order(
        cluster=Cluster.of(2, "ml.m5.xlarge"), hyperparameters={"sagemaker_mpi_enabled": "true"}
    )
    facts = json.loads(of(order, host=1)["SM_TRAINING_ENV"])
    assert facts["distribution_instance_groups"] == ["homogeneousCluster"]
    assert facts["distribution_hosts"] == ["algo-1", "algo-2"]


def test_a_host_has_its_share_of_the_gpus() -> None:
    order = an_order(cluster=Cluster.of(2, "ml.g5.xlarge"))
    program = order.program
    assert isinstance(program, ToolkitProgram)
    variables = environment(
        order,
        program,
        order.cluster.hosts[1],
        seen=OPT_ML,
        machine=replace(MACHINE, gpus=4),
        rendezvous=Rendezvous("algo-1", 40123),
    )
    assert variables["SM_NUM_GPUS"] == "2"
