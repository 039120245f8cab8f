"""Names that follow from content: the same content has the same name, wherever it is computed."""

from __future__ import annotations

import getpass
import hashlib
import json
import re
import secrets
import subprocess
from datetime import datetime
from pathlib import Path

_LONGEST = 63
_HASH = 8
_NOT_IN_TAGS = re.compile(r"[^\w\s.:/=+\-@]")
_GIT_DEADLINE_S = 2.0


def hash_of(*facts: object) -> str:
    """Return a SHA-256, in hex, of facts that JSON can say."""
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def named_by(base: str, content_hash: str) -> str:
    """Return `<base>-<hash8>`, no longer than SageMaker's names may be."""
    return f"{base[: _LONGEST - _HASH - 1].rstrip('-')}-{content_hash[:_HASH]}"


def job_name(base: str, at: datetime) -> str:
    """Return a training job's name: `<base>-<date>-<time>-<4 random>`, new each time."""
    suffix = f"{at:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
    return f"{base[: _LONGEST - len(suffix) - 1].rstrip('-')}-{suffix}"


def default_bucket(region: str, account: str) -> str:
    """Return the bucket that is used where none is configured."""
    return f"sagelet-{region}-{account}"


def tags(project: Path, environment: str) -> dict[str, str]:
    """Return the tags of all that a deployment makes; they have no part in its names."""
    found = {
        "sagelet:project": project.name,
        "sagelet:environment": environment,
        "sagelet:user": _user(),
        "sagelet:git-sha": _git_sha(project),
    }
    return {key: _NOT_IN_TAGS.sub("-", value)[:256] for key, value in found.items() if value}


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""  # a container's user may have no name


def _git_sha(project: Path) -> str:
    try:
        done = subprocess.run(
            ["git", "rev-parse", "HEAD"],
            cwd=project,
            capture_output=True,
            text=True,
            timeout=_GIT_DEADLINE_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""  # no git here, or one that hangs on a network drive: the tag is left out
    return done.stdout.strip() if done.returncode == 0 else ""
