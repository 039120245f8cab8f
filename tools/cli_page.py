"""The command line's part of the reference: from click's own description of each command."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator

import click

from sagelet.cli.main import COMMANDS, cli
from tools.markdown import code, table


def shared_options() -> str:
    """Return the options that every command has."""
    return _option_table(_options(cli))


def commands() -> str:
    """Return a section for each command: what it does, its arguments, its own options."""
    return "\n\n".join(_section(name) for name in COMMANDS)


def command_named(name: str) -> click.Command:
    """Return a command of the table."""
    command = cli.get_command(click.Context(cli), name)
    if command is None:
        raise LookupError(name)
    return command


def own_options(command: click.Command) -> list[click.Option]:
    """Return a command's options without those that all have."""
    shared = {option.name for option in _options(cli)}
    return [option for option in _options(command) if option.name not in shared]


def spellings(option: click.Option) -> str:
    """Return how an option is written, with what it takes."""
    written = ", ".join(code(name) for name in (*option.opts, *option.secondary_opts))
    return written if option.is_flag or option.count else f"{written} {_takes(option)}"


def _section(name: str) -> str:
    command = command_named(name)
    parts = [f"### {name}", *_parts(name, command)]
    if isinstance(command, click.Group):
        for word, each in command.commands.items():
            parts += [f"#### {name} {word}", *_parts(f"{name} {word}", each)]
    return "\n\n".join(part for part in parts if part)


def _parts(name: str, command: click.Command) -> list[str]:
    usage = " ".join(command.collect_usage_pieces(click.Context(command, info_name=name)))
    options = own_options(command)
    return [
        _prose(command),
        f"```\nsagelet {name} {usage}\n```",
        _example(command),
        _option_table(options) if options else "",
    ]


def _options(command: click.Command) -> list[click.Option]:
    return [parameter for parameter in command.params if isinstance(parameter, click.Option)]


def _option_table(options: Iterable[click.Option]) -> str:
    return table(["option", "what it does"], _rows(options))


def _rows(options: Iterable[click.Option]) -> Iterator[list[str]]:
    for option in options:
        says = option.help or ""
        if option.show_default and option.default is not None:
            says = f"{says} Default: {code(str(option.default))}.".strip()
        yield [spellings(option), says]


def _takes(option: click.Option) -> str:
    if isinstance(option.type, click.Choice):
        return " or ".join(code(str(choice)) for choice in option.type.choices)
    if option.metavar is None and isinstance(option.type, click.IntRange):
        return code("N")
    return code(option.make_metavar(click.Context(cli)))


def _prose(command: click.Command) -> str:
    """Return the paragraphs of a command's help."""
    return "\n\n".join(
        " ".join(part.split()) for part in _paragraphs(command) if not part.startswith("\b")
    )


def _example(command: click.Command) -> str:
    """Return the help's example, which click marks as not to be re-flowed."""
    for part in _paragraphs(command):
        if part.startswith("\b"):
            return f"```\n{part.removeprefix(chr(8)).strip()}\n```"
    return ""


def _paragraphs(command: click.Command) -> list[str]:
    return [part.strip(" \n") for part in inspect.cleandoc(command.help or "").split("\n\n")]
