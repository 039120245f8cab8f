"""Which literal paths a script reads from and writes to.

A path is followed from `torch.save(…, path)` and its like back to a literal: through a name that is
assigned once, `os.path.join`, `/`, `+` and f-strings by their first part, an option's default, and
one or more of the script's own functions, by their parameters. What cannot be followed is not told.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from sagelet.upgrade.calls import (
    Function,
    argument,
    default_of,
    has_open_keywords,
    keyword,
    parameters,
    text_of,
)
from sagelet.upgrade.options import Options
from sagelet.upgrade.program import Program

_DEEPEST = 8

# Full name -> the place and the name of the path among the arguments.
READERS: Mapping[str, tuple[int, str]] = {
    "numpy.load": (0, "file"),
    "numpy.loadtxt": (0, "fname"),
    "numpy.genfromtxt": (0, "fname"),
    "numpy.fromfile": (0, "file"),
    "numpy.memmap": (0, "filename"),
    "pandas.read_csv": (0, "filepath_or_buffer"),
    "pandas.read_table": (0, "filepath_or_buffer"),
    "pandas.read_json": (0, "path_or_buf"),
    "pandas.read_parquet": (0, "path"),
    "pandas.read_pickle": (0, "filepath_or_buffer"),
    "pandas.read_feather": (0, "path"),
    "pandas.read_excel": (0, "io"),
    "pandas.read_hdf": (0, "path_or_buf"),
    "polars.read_csv": (0, "source"),
    "polars.read_parquet": (0, "source"),
    "torch.load": (0, "f"),
    "torchaudio.load": (0, "uri"),
    "torchvision.io.read_image": (0, "path"),
    "PIL.Image.open": (0, "fp"),
    "cv2.imread": (0, "filename"),
    "imageio.imread": (0, "uri"),
    "h5py.File": (0, "name"),
    "scipy.io.loadmat": (0, "file_name"),
    "joblib.load": (0, "filename"),
    "datasets.load_from_disk": (0, "dataset_path"),
    "pyarrow.parquet.read_table": (0, "source"),
    "os.listdir": (0, "path"),
    "os.scandir": (0, "path"),
    "os.walk": (0, "top"),
    "glob.glob": (0, "pathname"),
    "glob.iglob": (0, "pathname"),
}
WRITERS: Mapping[str, tuple[int, str]] = {
    "torch.save": (1, "f"),
    "torch.jit.save": (1, "f"),
    "torch.onnx.export": (2, "f"),
    "numpy.save": (0, "file"),
    "numpy.savez": (0, "file"),
    "numpy.savez_compressed": (0, "file"),
    "numpy.savetxt": (0, "fname"),
    "joblib.dump": (1, "filename"),
    "safetensors.torch.save_file": (1, "filename"),
    "safetensors.torch.save_model": (1, "filename"),
    "matplotlib.pyplot.savefig": (0, "fname"),
}
# Methods whose first argument is a path, on whatever object.
WRITING_METHODS = frozenset(
    {"to_csv", "to_parquet", "to_pickle", "to_json", "to_feather", "to_hdf", "savefig",
     "save_pretrained"}
)  # fmt: skip
_OPENERS = frozenset({"open", "io.open", "gzip.open"})
_DATASETS = "torchvision.datasets."
_DATA_LOOKUPS = frozenset({"_C", "vision", "utils", "folder", "samplers"})

# What is kept beside a script and travels with it, unless its path is absolute.
_SETTINGS = re.compile(r"\.(json|ya?ml|toml|ini|cfg|txt|md|py|sql|jinja2?|env)\Z", re.IGNORECASE)
_ABSOLUTE = re.compile(r"(?:/|~|[A-Za-z]:[\\/])")
_PLACES = re.compile(r"(?:[a-z][a-z0-9+.-]+://|/dev/|/proc/|/sys/|/etc/|/tmp\b)", re.IGNORECASE)
OPT_ML = "/opt/ml"


class Use(Enum):
    """What is done with a path."""

    READ = "read"
    WRITE = "written"


@dataclass(frozen=True, slots=True)
class Literal:
    """A literal path that a script uses: the literal's node and the call that it ends up in.

    `option` is the option whose default it is.
    """

    text: str
    use: Use
    node: ast.expr
    option: str = ""

    @property
    def is_absolute(self) -> bool:
        """Whether it names a place on one machine."""
        return _ABSOLUTE.match(self.text) is not None


def literals(program: Program, options: Options) -> list[Literal]:
    """Return the literal paths that a program reads and writes, each literal once."""
    flow = _Flow(program, options)
    found = {id(each.node): each for each in flow.literals()}
    written = {each.text for each in found.values() if each.use is Use.WRITE}
    return [
        each
        for each in sorted(
            found.values(), key=lambda each: (each.node.lineno, each.node.col_offset)
        )
        # What the script has written itself is told of once, where it is written.
        if each.use is Use.WRITE or each.text not in written
    ]


class _Flow:
    """Paths on their way from literals to calls."""

    def __init__(self, program: Program, options: Options) -> None:
        self._program = program
        self._options = options
        self._through: dict[tuple[str, str], Use] = {}

    def literals(self) -> Iterator[Literal]:
        waiting = list(self._uses())
        for _depth in range(_DEEPEST):
            further: list[tuple[ast.expr, Use]] = []
            for node, use in waiting:
                end = self._follow(node)
                if isinstance(end, Literal):
                    if _counts(end.text, use):
                        yield Literal(end.text, use, end.node, end.option)
                elif end is not None:
                    further += self._given(*end, use)
            waiting = further

    def _uses(self) -> Iterator[tuple[ast.expr, Use]]:
        """Yield the expressions that are read from and written to."""
        for name, calls in self._program.called.items():
            for call in calls if _may_use_paths(name) else ():
                yield from self._uses_of(name, call)
        for method in WRITING_METHODS:
            for call in self._program.methods[method]:
                yield from _some(argument(call, 0, "path"), Use.WRITE)

    def _uses_of(self, name: str, call: ast.Call) -> Iterator[tuple[ast.expr, Use]]:
        if name in READERS:
            yield from _some(argument(call, *READERS[name]), Use.READ)
        elif name in WRITERS:
            yield from _some(argument(call, *WRITERS[name]), Use.WRITE)
        elif name in _OPENERS:
            yield from _some(argument(call, 0, "file"), _use_of(call))
        else:
            yield from _some(argument(call, 0, "root"), Use.READ)

    def _follow(self, node: ast.expr) -> Literal | tuple[Function, str] | None:
        """Follow an expression to a literal, or to a parameter of a function."""
        option = ""
        for _depth in range(_DEEPEST):
            if (text := _beginning(node)) is not None:
                return Literal(text, Use.READ, node, option)
            if isinstance(node, ast.Name):
                scope = self._program.scope_of(node)
                if isinstance(scope, Function) and node.id in parameters(scope):
                    return scope, node.id
            further = self._step(node)
            if further is None:
                return None
            if isinstance(node, ast.Attribute):
                option = node.attr
            node = further
        return None

    def _step(self, node: ast.expr) -> ast.expr | None:
        """Return the expression that decides where a path begins."""
        match node:
            case ast.Name():
                return self._program.single_value(node)
            case ast.Attribute(value=value, attr=attr):
                return self._default(attr) if self._options.is_parsed(value) else None
            case ast.BinOp(left=left, op=ast.Div() | ast.Add()):
                return left
            case ast.JoinedStr(values=[ast.FormattedValue(value=value), *_]):
                return value
            case ast.Call():
                return self._step_into(node)
            case _:
                return None

    def _step_into(self, call: ast.Call) -> ast.expr | None:
        name = self._program.name_of(call.func)
        if name in ("os.path.join", "pathlib.Path", "str", "os.path.abspath") and call.args:
            first = call.args[0]
            return None if isinstance(first, ast.Starred) else first
        return None

    def _default(self, attribute: str) -> ast.expr | None:
        option = self._options.by_dest(attribute)
        return option.default if option else None

    def _given(
        self, function: Function, parameter: str, use: Use
    ) -> Iterator[tuple[ast.expr, Use]]:
        """Yield what the program hands to a parameter; of each parameter once."""
        if self._through.get((function.name, parameter)) is use:
            return
        self._through[function.name, parameter] = use
        names = parameters(function)
        place = names.index(parameter)
        calls = self._program.callers(function)
        holder = self._program.parent(function)
        if isinstance(holder, ast.ClassDef) and function.name == "__init__":
            calls, place = self._program.calls_of(holder.name), place - 1
        for call in calls:
            given = argument(call, place, parameter) if place >= 0 else keyword(call, parameter)
            if given is None and not has_open_keywords(call):
                given = default_of(function, parameter)
            if given is not None:
                yield given, use


def _may_use_paths(name: str) -> bool:
    if name.startswith(_DATASETS):
        return not _DATA_LOOKUPS & set(name.split("."))
    return name in READERS or name in WRITERS or name in _OPENERS


def _beginning(node: ast.expr) -> str | None:
    """Return a literal's text, or the text that an f-string begins with."""
    if isinstance(node, ast.JoinedStr):
        return text_of(node.values[0]) if node.values else None
    return text_of(node)


def _some(node: ast.expr | None, use: Use) -> Iterator[tuple[ast.expr, Use]]:
    if node is not None:
        yield node, use


def _use_of(call: ast.Call) -> Use:
    mode = text_of(argument(call, 1, "mode")) or "r"
    return Use.WRITE if set(mode) & set("wax+") else Use.READ


def _counts(text: str, use: Use) -> bool:
    """Whether a path is one that a job would not have."""
    if not text or _PLACES.match(text) or "\n" in text or "{" in text:
        return False
    is_beside = use is Use.READ and _SETTINGS.search(text) and not _ABSOLUTE.match(text)
    return not is_beside
