"""What a child that runs the user's code sees of the machine's environment.

Variables are listed that may pass, not those that may not: a credential that nobody thought of
stays where it is.
"""

from __future__ import annotations

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
