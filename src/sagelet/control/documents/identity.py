"""What STS and IAM say here: one caller, roles of any name, everything allowed."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from urllib.parse import quote

from sagelet.control.context import Document
from sagelet.domain.account import Account

_ROLE = "sagelet"
_SESSION = "local"
_MADE_AT = datetime(2026, 1, 1, tzinfo=UTC)
_MAX_SESSION_S = 3600
_TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "sagemaker.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}


def show_caller(account: Account) -> Document:
    """Return who calls: a session of a role, so that the SDKs find an execution role in it."""
    return {
        "UserId": f"{_role_id(_ROLE)}:{_SESSION}",
        "Account": account.id,
        "Arn": f"arn:aws:sts::{account.id}:assumed-role/{_ROLE}/{_SESSION}",
    }


def show_role(document: Document, account: Account) -> Document:
    """Return the role of any name, one that SageMaker may assume."""
    name = document["RoleName"]
    return {
        "Role": {
            "Path": "/",
            "RoleName": name,
            "RoleId": _role_id(name),
            "Arn": account.role_arn(name),
            "CreateDate": _MADE_AT,
            # IAM encodes policies like this, and botocore decodes them.
            "AssumeRolePolicyDocument": quote(json.dumps(_TRUST), safe=""),
            "MaxSessionDuration": _MAX_SESSION_S,
        }
    }


def show_decisions(document: Document) -> Document:
    """Return that every action on every resource asked for is allowed."""
    resources = document.get("ResourceArns") or ["*"]
    return {
        "EvaluationResults": [
            {
                "EvalActionName": action,
                "EvalResourceName": resource,
                "EvalDecision": "allowed",
                "MatchedStatements": [],
                "MissingContextValues": [],
            }
            for action in document["ActionNames"]
            for resource in resources
        ],
        "IsTruncated": False,
    }


def _role_id(name: str) -> str:
    return "AROA" + hashlib.sha256(name.encode()).hexdigest()[:17].upper()
