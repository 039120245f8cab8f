from __future__ import annotations

import json
from urllib.parse import unquote

from tests.control_bench import Bench


async def test_the_caller_is_a_session_of_a_role(bench: Bench) -> None:
    shown = await bench.ask_service("sts", "GetCallerIdentity")

    assert shown["Account"] == "000000000000"
    assert shown["Arn"] == "arn:aws:sts::000000000000:assumed-role/sagelet/local"
    assert shown["UserId"].endswith(":local")


async def test_there_is_a_role_of_any_name_that_sagemaker_may_assume(bench: Bench) -> None:
    role = (await bench.ask_service("iam", "GetRole", RoleName="AnyRole"))["Role"]

    policy = json.loads(unquote(role["AssumeRolePolicyDocument"]))
    assert role["Arn"] == "arn:aws:iam::000000000000:role/AnyRole"
    assert role["AssumeRolePolicyDocument"].startswith("%7B")
    assert policy["Statement"][0]["Principal"] == {"Service": "sagemaker.amazonaws.com"}
    assert role == (await bench.ask_service("iam", "GetRole", RoleName="AnyRole"))["Role"]


async def test_every_action_is_allowed(bench: Bench) -> None:
    shown = await bench.ask_service(
        "iam",
        "SimulatePrincipalPolicy",
        PolicySourceArn="arn:aws:iam::000000000000:role/AnyRole",
        ActionNames=["s3:GetObject", "sagemaker:CreateModel"],
    )

    assert shown["IsTruncated"] is False
    assert [
        (result["EvalActionName"], result["EvalDecision"]) for result in shown["EvaluationResults"]
    ] == [("s3:GetObject", "allowed"), ("sagemaker:CreateModel", "allowed")]
