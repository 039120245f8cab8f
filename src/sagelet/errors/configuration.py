"""The configuration cannot be found, read or used."""

from __future__ import annotations

from dataclasses import dataclass

from sagelet.errors.root import SageletError


class ConfigError(SageletError):
    """The configuration cannot be used."""


@dataclass(eq=False)
class ConfigNotFound(ConfigError):
    """No configuration file in any of the places that were searched."""

    searched: tuple[str, ...]

    def sentence(self) -> str:
        """List the places."""
        places = "\n".join(f"  {place}" for place in self.searched)
        return f"no configuration file was found; looked for:\n{places}"


@dataclass(eq=False)
class UnknownEnvironment(ConfigError):
    """The environment asked for is not in the file."""

    name: str
    file: str
    known: tuple[str, ...]

    def sentence(self) -> str:
        """Name the file and the environments there are."""
        return f"no environment {self.name!r} in {self.file}; it has: {', '.join(self.known)}"


@dataclass(eq=False)
class UnknownSetting(ConfigError):
    """An environment has no such key."""

    key: str
    environment: str
    file: str
    known: tuple[str, ...]

    def sentence(self) -> str:
        """Name the key, the file, and the keys there are."""
        return (
            f"no setting {self.key!r} in environment {self.environment!r} of {self.file}; "
            f"it has: {', '.join(self.known)}"
        )


@dataclass(eq=False)
class BadConfig(ConfigError):
    """The file does not say what it must. `where` names key and line."""

    file: str
    where: str
    problem: str

    def sentence(self) -> str:
        """Name file, place and problem."""
        return f"{self.file}, {self.where}: {self.problem}"


@dataclass(eq=False)
class InheritedEndpoint(ConfigError):
    """Calls for AWS would go elsewhere. `source` is the variable, or the file, that says so."""

    environment: str
    source: str
    address: str

    def sentence(self) -> str:
        """Name the source, and say what to do about it."""
        return (
            f"{self.source} points AWS clients at {self.address}, and environment "
            f"{self.environment!r} is AWS: unset it, or write `endpoint_url:` in that environment"
        )


@dataclass(eq=False)
class UnknownRule(SageletError):
    """There is no such rule of `sagelet check`. `nearest` is empty where none is like it."""

    name: str
    nearest: str = ""

    def sentence(self) -> str:
        """Name the rule, and the one that may be meant."""
        meant = f"; did you mean {self.nearest!r}?" if self.nearest else ""
        return f"there is no rule {self.name!r}{meant}"
