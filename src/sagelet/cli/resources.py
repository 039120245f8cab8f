"""A resource by its bare name: endpoints, jobs, models and configurations are tried in turn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sagelet.cli.context import App
from sagelet.errors import NotFound, RemoteRefused


@dataclass(frozen=True, slots=True)
class ResourceKind:
    """A kind of resource: its word on the command line, and its operations' names."""

    word: str
    stem: str
    name_member: str


ENDPOINT = ResourceKind("endpoint", "Endpoint", "EndpointName")
JOB = ResourceKind("job", "TrainingJob", "TrainingJobName")
MODEL = ResourceKind("model", "Model", "ModelName")
CONFIG = ResourceKind("config", "EndpointConfig", "EndpointConfigName")
KINDS = {kind.word: kind for kind in (ENDPOINT, JOB, MODEL, CONFIG)}

_MISSING = ("Could not find", "Requested resource not found")


def find(
    app: App, name: str, kinds: Sequence[ResourceKind] = tuple(KINDS.values())
) -> tuple[ResourceKind, dict[str, Any]]:
    """Return the first of the kinds that has the name, and its description.

    `kind/name` names the kind.

    Raises:
        NotFound: none of them has it.
    """
    word, slash, rest = name.partition("/")
    if slash and word in KINDS:
        name, kinds = rest, (KINDS[word],)
    for kind in kinds:
        try:
            return kind, app.call("sagemaker", f"Describe{kind.stem}", **{kind.name_member: name})
        except RemoteRefused as refused:
            if not refused.message.startswith(_MISSING):
                raise
    raise NotFoundByName(name=name, words=tuple(kind.word for kind in kinds))


class NotFoundByName(NotFound):
    """No resource of the kinds that were tried has this name."""

    def __init__(self, *, name: str, words: tuple[str, ...]) -> None:
        """Keep the name and the kinds' words."""
        super().__init__(name=name)
        self.words = words

    def sentence(self) -> str:
        """Name what was looked for."""
        return (
            f"no {' or '.join(self.words)} is named {self.name!r}; `sagelet ls` lists what there is"
        )
