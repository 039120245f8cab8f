"""The local access keys: generated once a home, kept in a file that only its owner reads.

The file has the form of AWS's own shared credentials file, so that it can be pointed at with
AWS_SHARED_CREDENTIALS_FILE. Each section is one key; `default` is the one that clients get.
"""

from __future__ import annotations

import configparser
import io
import logging
import os
import secrets
import string
from dataclasses import dataclass, field
from pathlib import Path

from sagelet.domain.home import Home
from sagelet.environments.locks import exclusive
from sagelet.environments.whole_files import write_whole
from sagelet.errors import StateError

_LOG = logging.getLogger(__name__)

_SECTION = "default"
_KEY_ID_PREFIX = "SGLT"
_KEY_ID_ALPHABET = string.ascii_uppercase + "234567"
_LOCK_DEADLINE_S = 10.0


@dataclass(frozen=True, slots=True)
class LocalCredentials:
    """An access key of the local daemon. The secret is left out of `repr`."""

    access_key_id: str
    secret_access_key: str = field(repr=False)


def load_or_create(home: Home) -> LocalCredentials:
    """Return the home's own key; the first call of all makes it.

    Raises:
        StateError: the file cannot be read or written, or holds no key.
    """
    try:
        if not home.credentials.exists():
            home.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            with exclusive(home.root / "credentials.lock", deadline_s=_LOCK_DEADLINE_S):
                if not home.credentials.exists():
                    _write(home.credentials, _generate())
        _keep_private(home.credentials)
        return _read(home.credentials)[_SECTION]
    except OSError as error:
        raise StateError(str(home.credentials), error.strerror or str(error)) from error
    except (KeyError, configparser.Error) as error:
        raise StateError(
            str(home.credentials), "holds no access key; remove the file to get a new one"
        ) from error


class KnownKeys:
    """The secrets of a home's access keys. The file is read anew when it has changed."""

    def __init__(self, home: Home) -> None:
        """Read nothing yet."""
        self._file = home.credentials
        self._path = str(home.credentials)  # asked for with every request
        self._version = (0, 0, 0)
        self._secrets: dict[str, str] = {}

    def secret_of(self, access_key_id: str) -> str | None:
        """Return the secret of an access key, or None if the home has no such key.

        A key that is removed from the file is unknown from the next call on.

        Raises:
            StateError: the file is there and cannot be read.
        """
        try:
            seen = os.stat(self._path)  # noqa: PTH116  one call, on the path of every request
            version = (seen.st_ino, seen.st_mtime_ns, seen.st_size)
            if version != self._version:
                keys = _read(self._file).values()
                self._secrets = {key.access_key_id: key.secret_access_key for key in keys}
                self._version = version
        except FileNotFoundError:
            return None
        except (OSError, KeyError, configparser.Error) as error:
            raise StateError(self._path, f"cannot be read: {error}") from error
        return self._secrets.get(access_key_id)


def _generate() -> LocalCredentials:
    suffix = "".join(secrets.choice(_KEY_ID_ALPHABET) for _ in range(16))
    return LocalCredentials(_KEY_ID_PREFIX + suffix, secrets.token_urlsafe(30))


def _write(file: Path, key: LocalCredentials) -> None:
    parser = configparser.ConfigParser(interpolation=None)
    parser[_SECTION] = {
        "aws_access_key_id": key.access_key_id,
        "aws_secret_access_key": key.secret_access_key,
    }
    text = io.StringIO()
    parser.write(text)
    write_whole(file, text.getvalue(), mode=0o600)


def _keep_private(file: Path) -> None:
    if file.stat().st_mode & 0o077:
        _LOG.warning("%s was open to other users; it is closed to them now", file)
        file.chmod(0o600)


def _read(file: Path) -> dict[str, LocalCredentials]:
    # `default` is an ordinary section here, as it is for the AWS clients.
    parser = configparser.ConfigParser(interpolation=None, default_section="\0")
    parser.read_string(file.read_text(encoding="utf-8"), source=str(file))
    return {
        name: LocalCredentials(
            section["aws_access_key_id"].strip(), section["aws_secret_access_key"].strip()
        )
        for name in parser.sections()
        for section in (parser[name],)
    }
