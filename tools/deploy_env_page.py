"""DeployEnv's part of the reference: from its signatures and docstrings."""

from __future__ import annotations

import inspect
import re

from sagelet.environments.deploy_env import DeployEnv
from tools.markdown import code, first_paragraph, paragraph

_RAISES = re.compile(r"Raises:\n(?P<list>(?:\s+.+\n?)+)")


def members() -> dict[str, object]:
    """Return the public methods and properties, in the order of the class."""
    return {name: value for name, value in vars(DeployEnv).items() if not name.startswith("_")}


def methods() -> str:
    """Return a section for each method and property; second names stand with the first."""
    named: dict[int, list[str]] = {}
    for name, value in members().items():
        named.setdefault(id(value), []).append(name)
    return "\n\n".join(_section(names) for names in named.values())


def _section(names: list[str]) -> str:
    name, *others = names
    value = inspect.getattr_static(DeployEnv, name)
    also = f"\n\nAlso {', '.join(code(f'{other}()') for other in others)}." if others else ""
    return f"### {_heading(name, value)}\n\n{_words(inspect.getdoc(value) or '')}{also}"


def _heading(name: str, value: object) -> str:
    if not inspect.isfunction(value):
        return name
    parameters = list(inspect.signature(value).parameters.values())[1:]
    return f"{name}({', '.join(_parameter(each) for each in parameters)})"


def _parameter(parameter: inspect.Parameter) -> str:
    if parameter.default is inspect.Parameter.empty:
        return parameter.name
    return f'{parameter.name}="{parameter.default}"'


def _words(docstring: str) -> str:
    """Return the docstring's prose, and its errors as a list."""
    raises = _RAISES.search(docstring)
    prose = docstring[: raises.start()] if raises else docstring
    parts = [paragraph(part) for part in prose.strip().split("\n\n")]
    if raises:
        parts.append("\n".join(f"- {_error(line)}" for line in _joined(raises["list"])))
    return "\n\n".join(parts)


def _joined(text: str) -> list[str]:
    """Return the entries of a Raises list; a deeper line goes on with the one before."""
    lines: list[str] = []
    for line in inspect.cleandoc(text).splitlines():
        if line.startswith(" ") and lines:
            lines[-1] += f" {line.strip()}"
        else:
            lines.append(line.strip())
    return lines


def _error(line: str) -> str:
    name, _, when = line.partition(": ")
    return f"{code(name)}: {when}"


def purpose() -> str:
    """Return what the class says of itself."""
    parts = (inspect.getdoc(DeployEnv) or "").split("\n\n")
    return "\n\n".join(first_paragraph(part) for part in parts)
