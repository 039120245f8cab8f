"""Which of the user's modules import which: read from their sources, function bodies included."""

from __future__ import annotations

import ast
import functools
from collections.abc import Collection, Iterable, Iterator, Mapping

from sagelet.worker.serving.statements import parts_of
from sagelet.worker.serving.user_code import Source

Graph = Mapping[str, frozenset[str]]


def graph_of(sources: Mapping[str, Source]) -> Graph:
    """Return, for each module, the user's modules that it needs, its packages among them.

    A package counts as needed by what is in it: a new package object has to get them anew.
    """
    return {
        name: frozenset(
            _mentioned(name, source).intersection(sources).union(_parents(name, sources))
        )
        - {name}
        for name, source in sources.items()
    }


def imported(
    parts: Iterable[ast.AST], name: str, source: Source, known: Collection[str]
) -> set[str]:
    """Return the modules among `known` that parts of module `name` import."""
    mentions = (mention for part in parts for mention in _mentions(part, name, source))
    return {prefix for mention in mentions for prefix in _prefixes(mention) if prefix in known}


def needed_by(names: Collection[str], graph: Graph) -> set[str]:
    """Return `names` and all that they import, directly or not."""
    return _reach(set(names), graph)


def dependents_of(names: Collection[str], graph: Graph) -> set[str]:
    """Return `names` and all that import them, directly or not."""
    reverse: dict[str, set[str]] = {name: set() for name in graph}
    for name, needs in graph.items():
        for needed in needs:
            reverse.setdefault(needed, set()).add(name)
    return _reach(set(names), {name: frozenset(users) for name, users in reverse.items()})


def _reach(names: set[str], graph: Graph) -> set[str]:
    waiting = list(names)
    while waiting:
        for following in graph.get(waiting.pop(), frozenset()):
            if following not in names:
                names.add(following)
                waiting.append(following)
    return names


@functools.lru_cache(maxsize=1024)
def _mentioned(name: str, source: Source) -> frozenset[str]:
    """Return all that a module imports, whosever it is, with the packages that it is in."""
    mentions = (each for part in parts_of(source.tree()) for each in _mentions(part, name, source))
    return frozenset(prefix for mention in mentions for prefix in _prefixes(mention))


def _mentions(node: ast.AST, name: str, source: Source) -> Iterator[str]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield alias.name
    elif isinstance(node, ast.ImportFrom):
        origin = _origin(node, name, source)
        yield origin
        for alias in node.names:
            yield f"{origin}.{alias.name}"


def _origin(node: ast.ImportFrom, name: str, source: Source) -> str:
    """Return the absolute name that an ImportFrom starts from."""
    if not node.level:
        return node.module or ""
    package = name.split(".") if source.is_package else name.split(".")[:-1]
    base = package[: len(package) - (node.level - 1)]
    return ".".join([*base, node.module] if node.module else base)


def _prefixes(dotted: str) -> Iterator[str]:
    parts = dotted.split(".")
    for count in range(1, len(parts) + 1):
        yield ".".join(parts[:count])


def _parents(name: str, known: Collection[str]) -> Iterator[str]:
    for prefix in _prefixes(name):
        if prefix != name and prefix in known:
            yield prefix
