"""Topics: what of all that happens a client of the event stream wants to hear of.

    endpoints  endpoint:NAME      status, reloads, problems
    jobs       job:NAME           status; one job's own topic also tells of its log and metrics
    models     model:NAME
    calls:NAME                    an endpoint was called
    log:GROUP  log:GROUP:PREFIX   a log group, or its streams that begin with PREFIX, has grown

Names are told apart whatever their case, as SageMaker tells them; log groups are not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sagelet.web.faults import Refused

AT_MOST = 200
_LISTS = frozenset({"endpoints", "jobs", "models"})
_KINDS = frozenset({"endpoint", "job", "model", "calls"})
_LOG = "log"
_LONGEST = 1200


@dataclass(frozen=True, slots=True)
class LogTopic:
    """The streams of a log group that begin with a prefix."""

    group: str
    prefix: str

    def has(self, group: str, stream: str) -> bool:
        """Say whether a stream is one of them."""
        return group == self.group and stream.startswith(self.prefix)


@dataclass(frozen=True, slots=True)
class Topics:
    """What a client asked for: `names` from a topic in lower case to what the client called it."""

    names: Mapping[str, str]
    logs: tuple[LogTopic, ...] = ()

    def logs_with(self, group: str, stream: str) -> bool:
        """Say whether a log stream is of interest."""
        return any(topic.has(group, stream) for topic in self.logs)

    def named(self, *topics: str) -> list[str]:
        """Return which of some topics are of interest, as the client calls them.

        `endpoint:*` stands for all endpoints.
        """
        return [asked for each in topics for asked in self._named(each)]

    def _named(self, topic: str) -> list[str]:
        if topic.endswith(":*"):
            return [asked for name, asked in self.names.items() if name.startswith(topic[:-1])]
        return [self.names[topic]] if topic in self.names else []


def read_topics(text: str) -> Topics:
    """Return the topics of a list with commas.

    Raises:
        Refused: 400 for one that there is not, or for too many.
    """
    asked = [each for each in (part.strip() for part in text.split(",")) if each]
    if len(asked) > AT_MOST:
        raise Refused(400, f"at most {AT_MOST} topics, not {len(asked)}")
    names: dict[str, str] = {}
    logs: list[LogTopic] = []
    for each in asked:
        kind, _, name = each.partition(":")
        if len(each) > _LONGEST or not (each in _LISTS or (name and kind in {*_KINDS, _LOG})):
            raise Refused(400, f"there is no topic {each[:80]!r}")
        if kind == _LOG:
            group, _, prefix = name.partition(":")
            logs.append(LogTopic(group, prefix))
        else:
            names[each.lower()] = each
    return Topics(names, tuple(logs))
