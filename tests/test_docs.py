"""The documentation against the code: what there is, is documented; what is linked to, is there."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from sagelet.buckets import deviations as s3
from sagelet.cli import failures
from sagelet.cli.main import COMMANDS
from sagelet.control import deviations, refusals
from sagelet.domain.training import Channel, ToolkitProgram
from sagelet.training.layout import OPT_ML, MlTree
from sagelet.training.variables import Machine, Rendezvous, environment
from sagelet.worker.serving.context import Context
from tests.training_builders import an_order
from tools import cli_page, deploy_env_page, errors_page, operations_page, reference

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
LINKED = [*PAGES, *sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("examples/*/*.md"))]

VARIABLE = re.compile(r"\b(?:SAGELET|SAGEMAKER)_[A-Z0-9_]*[A-Z0-9]\b")
LINK = re.compile(r"(?<!!)\[[^\]]*\]\((?P<target>[^)\s]+)\)")
HEADING = re.compile(r"^#+ +(?P<text>.+)$", re.MULTILINE)
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
MACHINE = re.compile(r"/(?:tmp|srv|opt/(?!ml\b)|Users|work)/|/root\b|\.pyenv|/home/(?!ada\b)")


@pytest.fixture(scope="module", autouse=True)
def _quiet() -> Iterator[None]:
    """The errors' page asks how each error is answered, which the server logs."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def whole_reference() -> str:
    return "".join(
        path.read_text(encoding="utf-8") for path in sorted(reference.PAGES.glob("*.md"))
    )


def slugs(path: Path) -> set[str]:
    """The anchors that a page's headings make, as mkdocs has them."""
    headings = HEADING.findall(FENCE.sub("", path.read_text(encoding="utf-8")))
    plain = [re.sub(r"[^\w\s-]", "", text).strip().lower() for text in headings]
    return {re.sub(r"[-\s]+", "-", text) for text in plain}


def broken_links(path: Path) -> list[str]:
    """The relative links of a page that lead nowhere."""
    broken = []
    for target in LINK.findall(FENCE.sub("", path.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        linked = (path.parent / file).resolve() if file else path
        if not linked.exists() or (anchor and anchor not in slugs(linked)):
            broken.append(target)
    return broken


def test_the_generated_parts_of_the_reference_are_what_the_code_says() -> None:
    outdated = [named(path) for path, _ in reference.stale()]

    assert not outdated, f"run `make reference`: {', '.join(outdated)}"


def test_each_generated_part_stands_on_one_page() -> None:
    assert sorted(reference.part_names(whole_reference())) == sorted(reference.PARTS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_documented_with_all_its_options(name: str) -> None:
    options = cli_page.own_options(cli_page.command_named(name))
    text = page("reference/cli.md")

    assert f"\n### {name}\n" in text
    assert [option.name for option in options if not option.help] == []
    assert [option.name for option in options if cli_page.spellings(option) not in text] == []


def test_every_exit_code_is_documented() -> None:
    codes = {value for name, value in vars(failures).items() if isinstance(value, int)}

    rows = re.findall(r"^\| (\d+) \|", page("reference/cli.md"), re.MULTILINE)

    assert {int(row) for row in rows} == codes


def test_every_variable_that_the_code_names_is_in_the_reference() -> None:
    sources = (ROOT / "src" / "sagelet").rglob("*.py")
    in_the_code = {
        name for path in sources for name in VARIABLE.findall(path.read_text(encoding="utf-8"))
    }

    # The name of a service, as botocore spells it behind AWS_ENDPOINT_URL_.
    assert in_the_code - set(VARIABLE.findall(whole_reference())) == {"SAGEMAKER_RUNTIME"}


def test_every_variable_that_a_script_is_given_is_in_the_training_contract() -> None:
    order = an_order(channels=(Channel("training", "s3://bucket/data"),))
    assert isinstance(order.program, ToolkitProgram)
    given = environment(
        order,
        order.program,
        order.cluster.hosts[0],
        seen=MlTree(OPT_ML),
        machine=Machine(cpus=2, torch_version="2.13.0"),
        rendezvous=Rendezvous("algo-1", 29500),
    )
    text = page("reference/training.md")
    own = {name for name in given if name not in order.inherited}

    undocumented = {name for name in own if f"`{name}`" not in text}

    # One for each channel: `SM_CHANNEL_<NAME>`; that there is no metadata service needs no word.
    assert undocumented == {"SM_CHANNEL_TRAINING", "AWS_EC2_METADATA_DISABLED"}


@pytest.mark.parametrize(
    "name", sorted(name for names in operations_page.served().values() for name in names)
)
def test_every_operation_that_is_served_is_documented(name: str) -> None:
    assert f"`{name}`" in page("reference/operations.md")


@pytest.mark.parametrize(
    "member",
    sorted(
        {row.path for row in deviations.WIDENED}
        | {row.member for row in deviations.IGNORED}
        | {row.member for row in refusals.REFUSED}
        | {row.member for row in s3.IGNORED}
        | {row.member for row in s3.REFUSED}
    ),
)
def test_every_deviation_is_documented(member: str) -> None:
    assert f"`{member}`" in page("reference/deviations.md")


@pytest.mark.parametrize("kind", errors_page.error_classes(), ids=lambda kind: kind.__name__)
def test_every_error_is_documented(kind: type) -> None:
    assert kind.__name__ in page("reference/errors.md")


@pytest.mark.parametrize("name", deploy_env_page.members())
def test_every_member_of_deploy_env_is_documented(name: str) -> None:
    assert re.search(rf"\b{name}\b", page("reference/deploy-env.md"))


_WORKERS_OWN = ("begin", "differ", "send_part", "take_up")  # what the worker does with a context


@pytest.mark.parametrize("name", [name for name in vars(Context) if not name.startswith("_")])
def test_every_member_of_the_handlers_context_is_documented(name: str) -> None:
    text = page("reference/handlers.md")

    assert f"`{name}" in text or name in _WORKERS_OWN


@pytest.mark.parametrize("path", LINKED, ids=named)
def test_every_relative_link_leads_somewhere(path: Path) -> None:
    assert broken_links(path) == []


@pytest.mark.parametrize("path", LINKED, ids=named)
def test_no_page_mentions_the_machine_that_it_was_written_on(path: Path) -> None:
    assert MACHINE.findall(path.read_text(encoding="utf-8")) == []


def test_every_page_is_in_the_navigation() -> None:
    def pages_in(entries: object) -> Iterator[str]:
        match entries:
            case str(name):
                yield name
            case list(items):
                for item in items:
                    yield from pages_in(item)
            case dict(sections):
                for section in sections.values():
                    yield from pages_in(section)
            case _:
                raise TypeError(f"{entries!r} in the navigation")

    configuration = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))

    assert sorted(pages_in(configuration["nav"])) == sorted(
        path.relative_to(DOCS).as_posix() for path in PAGES
    )
