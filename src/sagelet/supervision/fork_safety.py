"""Whether a fork of the zygote can do what an order asks for, or only a new interpreter can.

A zygote has read its environment long ago. A variable that is only read at a start or an import
comes too late for its forks, unless `worker.fresh` can make up for it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from sagelet.supervision.warmth import Warmth
from sagelet.worker import placing, shadowing
from sagelet.worker.spec import HostOrder, Order

INTERPRETER = "python"
LOADER = "the loader"


@dataclass(frozen=True, slots=True)
class ReadEarly:
    """Variables that are read once, by whom, and which of them forks can have all the same."""

    pattern: str
    reader: str
    except_for: tuple[str, ...] = ()


READ_EARLY = (
    ReadEarly("LD_*", LOADER),
    ReadEarly("GLIBC_TUNABLES", LOADER),
    ReadEarly("MALLOC_*", LOADER),
    ReadEarly(
        "PYTHON*",
        INTERPRETER,
        except_for=(
            "PYTHONDONTWRITEBYTECODE",
            "PYTHONFAULTHANDLER",
            "PYTHONIOENCODING",
            "PYTHONPATH",
            "PYTHONUNBUFFERED",
            "PYTHONUTF8",
        ),
    ),
    ReadEarly("OMP_*", "torch", except_for=("OMP_NUM_THREADS",)),
    ReadEarly("GOMP_*", "torch"),
    ReadEarly("KMP_*", "torch"),
    ReadEarly("MKL_*", "torch"),
    ReadEarly("DNNL_*", "torch"),
    ReadEarly("ONEDNN_*", "torch"),
    ReadEarly("ATEN_*", "torch"),
    ReadEarly("PYTORCH_*", "torch"),
    ReadEarly(
        "TORCH*",
        "torch",
        except_for=("TORCH_HOME", "TORCH_EXTENSIONS_DIR", "TORCH_NCCL_*", "TORCHELASTIC_*"),
    ),
    ReadEarly("OPENBLAS_*", "numpy"),
    ReadEarly("NPY_*", "numpy"),
    ReadEarly("NUMPY_*", "numpy"),
    ReadEarly("HF_*", "huggingface_hub"),
    ReadEarly("TRANSFORMERS_*", "transformers"),
    ReadEarly("MPL*", "matplotlib"),
)

# These run at an interpreter's start where they can be found.
_STARTUP_HOOKS = frozenset({"sitecustomize", "usercustomize"})


def why_cold(order: Order, warmth: Warmth) -> str:
    """Return why a fork will not do for an order, or the empty string where it will."""
    if isinstance(order, HostOrder) and not order.is_python:
        return ""  # a program of its own reads everything anew
    for environment in _environments(order):
        why = _debugger(environment) or _variables(environment, warmth)
        if why:
            return why
    return _modules(order, warmth)


def _environments(order: Order) -> Iterable[Mapping[str, str]]:
    """Return the variables of an order, and those of each of its processes alone."""
    yield order.environment
    if isinstance(order, HostOrder):
        yield from (rank.environment for rank in order.ranks)


def _debugger(environment: Mapping[str, str]) -> str:
    wanted = environment.get("PYTHONBREAKPOINT", "0")
    return "" if wanted == "0" else f"a debugger is asked for (PYTHONBREAKPOINT={wanted})"


def _variables(environment: Mapping[str, str], warmth: Warmth) -> str:
    for name, value in environment.items():
        reader = _reader(name, value, warmth.loaded)
        if reader and warmth.environment.get(name) != value:
            return f"{name} is read when {reader} starts"
    return ""


def _reader(name: str, value: str, loaded: frozenset[str]) -> str:
    """Return who has read a variable already, where that is so and matters."""
    if name == "OMP_NUM_THREADS" and not value.isdigit():
        return "torch"  # a list of numbers, one for each level of nesting
    if name == "PYTHONHASHSEED" and value == "random":
        return ""
    if name == "PYTHONBREAKPOINT":
        return ""
    for row in READ_EARLY:
        spared = any(fnmatchcase(name, pattern) for pattern in row.except_for)
        if fnmatchcase(name, row.pattern) and not spared:
            return row.reader if row.reader in loaded | {INTERPRETER, LOADER} else ""
    return ""


def _modules(order: Order, warmth: Warmth) -> str:
    # torch looks for numpy when it is imported, and not again.
    for folder in order.site_dirs:
        if "numpy" not in warmth.loaded and os.path.isdir(os.path.join(folder, "numpy")):  # noqa: PTH112, PTH118
            return "its requirements bring numpy, which torch looks for when it is imported"
    for folder in _code_folders(order):
        for name in shadowing.shadowed(folder, warmth.loaded | _STARTUP_HOOKS):
            return f"{name} in {folder} takes the place of a module that is imported already"
    return ""


def _code_folders(order: Order) -> Iterable[str]:
    """Return the folders that come before the interpreter's own, as they are seen from here."""
    seen = placing.relocated(order, order.mounts.opt_ml) if order.mounts is not None else order
    if isinstance(seen, HostOrder) and seen.way == "module":
        yield seen.cwd
    elif isinstance(seen, HostOrder):
        script = os.path.realpath(os.path.join(seen.cwd, seen.argv[0]))  # noqa: PTH118 - as CPython does
        yield os.path.dirname(script)  # noqa: PTH120
    else:
        yield seen.code_dir
    yield from filter(None, seen.environment.get("PYTHONPATH", "").split(os.pathsep))
