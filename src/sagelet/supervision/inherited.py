"""What a child that runs the user's code sees of the machine's environment.

Variables are listed that may pass, not those that may not: a credential that nobody thought of
stays where it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_PASSED = frozenset(
    {
        "CUDA_HOME",
        "CUDA_PATH",
        "CUDA_VISIBLE_DEVICES",
        "CURL_CA_BUNDLE",
        "HF_HOME",
        "HIP_VISIBLE_DEVICES",
        "HOME",
        "HTTPS_PROXY",
        "HTTP_PROXY",
        "LANG",
        "LANGUAGE",
        "LD_LIBRARY_PATH",
        "LOGNAME",
        "NO_PROXY",
        "NVIDIA_VISIBLE_DEVICES",
        "PATH",
        "REQUESTS_CA_BUNDLE",
        "SHELL",
        "SSL_CERT_DIR",
        "SSL_CERT_FILE",
        "TMPDIR",
        "TORCH_HOME",
        "TZ",
        "USER",
        "VIRTUAL_ENV",
        "XDG_CACHE_HOME",
        "http_proxy",
        "https_proxy",
        "no_proxy",
    }
)
_PASSED_PREFIX = "LC_"
_PACKAGE_SOURCES = re.compile(
    r"(PIP|UV)_(CERT|CLIENT_CERT|CONFIG_FILE|DEFAULT_INDEX|DEFAULT_TIMEOUT|EXTRA_INDEX_URL|"
    r"FIND_LINKS|INDEX|INDEX_URL|NO_INDEX|OFFLINE|PROXY|SYSTEM_CERTS|TRUSTED_HOST)|"
    r"PIP_DISABLE_PIP_VERSION_CHECK|UV_INSECURE_HOST"
)

# User code has no AWS account of the user's: the files of keys in HOME are out of its sight.
NO_CREDENTIALS: Mapping[str, str] = {
    "AWS_CONFIG_FILE": "/dev/null",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
}


def inherited(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what passes; never a credential."""
    return {
        name: value
        for name, value in environ.items()
        if name in _PASSED or name.startswith(_PASSED_PREFIX)
    }


def package_sources(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that tell installers where packages are; none that holds a password."""
    return {
        name: value
        for name, value in environ.items()
        if _PACKAGE_SOURCES.fullmatch(name) and not re.search(r"://[^/\s]*@", value)
    }
