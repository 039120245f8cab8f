"""The sources of a form that lie with a model, in the order in which they are asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from sagelet.environments.ui_settings import UiSettings
from sagelet.web.forms.code_hints import Hints, code_hints
from sagelet.web.forms.drafts import Draft, by_payloads, by_schema, names_of
from sagelet.web.forms.examples import README, example_files, find_examples, listed_examples
from sagelet.web.forms.folder import ModelFolder
from sagelet.web.forms.form import Example, InferenceSource, SourceKind
from sagelet.web.forms.json_text import NotJson, loads
from sagelet.web.forms.learning import Schema
from sagelet.web.forms.schemas import as_text
from sagelet.web.forms.script import INPUT_SCHEMA, Script, read_script
from sagelet.web.forms.type_hints import hinted_schema
from sagelet.web.forms.ui_form import ui_draft

UI_FILE = "sagelet-ui.json"
SCHEMA_FILE = "schema.json"
_NO_SETTINGS = UiSettings()


@dataclass(frozen=True, slots=True)
class Found:
    """A draft, and where it comes from."""

    draft: Draft
    kind: SourceKind
    text: str


@dataclass(slots=True)
class Lookup:
    """What a model's files say. `sure` precedes what calls tell, and `guess` follows it."""

    ui: UiSettings = _NO_SETTINGS
    examples: tuple[Example, ...] = ()
    sure: Found | None = None
    guess: Found | None = None
    content_types: tuple[str, ...] = ()
    problems: list[str] = field(default_factory=list)

    def source(self, kind: SourceKind, text: str) -> InferenceSource:
        """Return a source with what was of no use before it."""
        return InferenceSource(kind, text, tuple(self.problems))


def look(folder: ModelFolder, program: str) -> Lookup:
    """Read a model's files. It blocks."""
    lookup = Lookup()
    script = _script(folder, program)
    lookup.ui, document = ui_settings(folder, lookup.problems)
    lookup.examples = _listed(folder, document) or find_examples(folder)
    hints = Hints(None, ()) if script is None else code_hints(script)
    lookup.content_types = hints.content_types
    for source in (_from_ui, _from_schema, _from_types, _from_examples):
        lookup.sure = _tried(source, folder, script, lookup)
        if lookup.sure is not None:
            break
    if hints.draft is not None:
        lookup.guess = Found(hints.draft, SourceKind.CODE, f"guessed from input_fn in {program}")
    return lookup


def files_of(folder: ModelFolder, program: str) -> list[Path]:
    """Return the files that `look` would read."""
    named = [folder.file(name) for name in (UI_FILE, SCHEMA_FILE, program)]
    readme = folder.file(*README)
    return [path for path in (*named, readme, *example_files(folder)) if path is not None]


_Source = Callable[[ModelFolder, Script | None, Lookup], Found | None]


def _tried(
    source: _Source, folder: ModelFolder, script: Script | None, lookup: Lookup
) -> Found | None:
    try:
        return source(folder, script, lookup)
    except (ValueError, TypeError, AttributeError, LookupError, RecursionError) as error:
        # A schema may hold anything where a keyword's value is wanted, and that is no reason to
        # have no form at all.
        what = source.__name__.removeprefix("_from_")
        lookup.problems.append(f"what {what} says cannot be used: {error}")
        return None


def _from_ui(_folder: ModelFolder, _script: Script | None, lookup: Lookup) -> Found | None:
    if not lookup.ui.fields:
        return None
    draft = ui_draft(lookup.ui)
    return Found(draft, SourceKind.UI, "from ui: in the configuration")


def _from_schema(folder: ModelFolder, script: Script | None, lookup: Lookup) -> Found | None:
    path = folder.file(SCHEMA_FILE)
    if path is not None:
        schema = _read_schema(folder, path)
        if schema is not None:
            draft = by_schema(schema, _example(schema, lookup.examples))
            return Found(draft, SourceKind.SCHEMA, f"from {SCHEMA_FILE}")
        lookup.problems.append(f"{SCHEMA_FILE} is not a JSON Schema of an object")
    literal = script.input_schema() if script is not None else None
    if literal is None:
        return None
    schema = loads(as_text(literal))
    draft = by_schema(schema, _example(schema, lookup.examples))
    return Found(draft, SourceKind.SCHEMA, f"from {INPUT_SCHEMA} in the script")


def _from_types(_folder: ModelFolder, script: Script | None, lookup: Lookup) -> Found | None:
    hinted = hinted_schema(script) if script is not None else None
    if hinted is None:
        return None
    schema, function = hinted
    draft = by_schema(schema, _example(schema, lookup.examples))
    return Found(draft, SourceKind.TYPES, f"from the type hints of {function}")


def _from_examples(_folder: ModelFolder, _script: Script | None, lookup: Lookup) -> Found | None:
    draft, problems = by_payloads(lookup.examples)
    lookup.problems += problems
    if draft is None:
        return None
    return Found(draft, SourceKind.EXAMPLES, f"inferred from {names_of(lookup.examples)}")


def ui_settings(
    folder: ModelFolder, problems: list[str] | None = None
) -> tuple[UiSettings, dict[str, Any]]:
    """Return the settings that were deployed with a model, and the document that they stand in.

    Settings that make no sense are none; `problems` gets to know.
    """
    path = folder.file(UI_FILE)
    text = folder.text(path) if path is not None else None
    if text is None:
        return _NO_SETTINGS, {}
    try:
        document = loads(text)
        if not isinstance(document, dict):
            raise ValueError("it is no object")
        return UiSettings.model_validate(document.get("ui", {})), document
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        problem = f"{'.'.join(str(step) for step in first['loc'])}: {first['msg']}"
    except ValueError as error:
        problem = str(error)
    if problems is not None:
        problems.append(f"{UI_FILE} is not used: {problem}")
    return _NO_SETTINGS, {}


def _listed(folder: ModelFolder, document: dict[str, Any]) -> tuple[Example, ...]:
    places = document.get("examples")
    listed = places if isinstance(places, list) else []
    return listed_examples(folder, [place for place in listed if isinstance(place, str)])


def _script(folder: ModelFolder, program: str) -> Script | None:
    path = folder.file(program)
    text = folder.text(path) if path is not None else None
    return None if text is None else read_script(text)


def _read_schema(folder: ModelFolder, path: Path) -> Schema | None:
    text = folder.text(path)
    try:
        found: Any = None if text is None else loads(text)
    except NotJson:
        return None
    is_one = isinstance(found, dict) and found.keys() & {"type", "properties", "$ref", "anyOf"}
    return found if is_one else None


def _example(schema: Schema, examples: Sequence[Example]) -> str | None:
    """Return an example to begin with, if there is one that looks like what the schema says."""
    wanted = {"object": "{", "array": "["}.get(str(schema.get("type")))
    for each in examples:
        try:
            text = each.body.decode()
            loads(text)
        except ValueError:
            continue
        if wanted is None or text.lstrip().startswith(wanted):
            return text
    return None
