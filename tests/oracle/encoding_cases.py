"""Values of every kind, written by encoder.encode and by the default output_fn."""

from __future__ import annotations

from tests.oracle.case import CSV, JSON, NPY, NPZ, OCTETS, Case
from tests.oracle.shapes import SHAPES

_TYPES = {"JSON": JSON, "CSV": CSV, "npy": NPY}


def _written(shape: str, value: str, kind: str) -> Case:
    name = "default output" if shape == "predicted" else "encoder"
    return Case(f"{name}: {kind} of {value}", SHAPES[shape], value.encode(), OCTETS, _TYPES[kind])


_TENSORS = (
    "torch.tensor([1.2, 2.0])",
    "torch.tensor([[1.5, 2.5], [3.5, 4.5]])",
    "torch.tensor([[1, 2], [3, 4]])",
    "torch.tensor(6.0)",
    "torch.tensor([True, False])",
    "torch.tensor([0.1], dtype=torch.float64)",
    "torch.tensor([0.1], dtype=torch.float16)",
    "torch.tensor([float('nan'), float('inf'), -float('inf')])",
    "torch.zeros(1, 2, 2)",
    "torch.zeros(0)",
    "torch.ones(2, requires_grad=True)",
)

_VALUES = (
    "[1, 2.5, None]",
    "[[1, 2], [3, 4]]",
    "[[1, 2.5], [3, 4]]",
    "[True, False]",
    "(1, 2)",
    "[(1, 2), (3, 4)]",
    "[]",
    "[[]]",
    "5",
    "2.5",
    "'text'",
    "['a', 'b,c']",
    "['ä', '日本']",
    "None",
    "[None, None]",
    "{'label': 'ä', 'score': 0.5}",
    "[float('nan'), float('inf')]",
    "[10**20, 1e-7, 1e22]",
    "np.array([1.5, 2.5], dtype='float32')",
    "np.array([[1, 2], [3, 4]])",
    "np.float32(1.2)",
    "np.array(['a', 'b'])",
    "np.array([(1, 2.5)], dtype=[('a', int), ('b', float)])",
)

# What only JSON's writer makes a difference of.
_JSON_ONLY = (
    "{'p': torch.tensor([1, 2])}",
    "[torch.tensor(1.5), np.int64(2)]",
    "torch.nn.Parameter(torch.ones(2))",
    "torch.tensor([1.5], dtype=torch.bfloat16)",
    "torch.tensor([1 + 2j])",
    "torch.tensor([1.0]).to_sparse()",
    "{1: 'a', None: 'b', True: 'c', 2.5: 'd'}",
    "{(1, 2): 3}",
    "{1, 2}",
    "b'bytes'",
    "[b'bytes']",
    "decimal.Decimal('1.5')",
    "datetime.date(2020, 1, 2)",
    "np.datetime64('2020-01-02')",
    "object",
    "range(3)",
    "1 + 2j",
    "(x for x in [1])",
    "[[1, [2, [3, {'a': (4, 5)}]]]]",
    "'\\ud800'",
    "'\\x00\\x1f\\x7f\"\\\\/'",
    "10**400",
    "-0.0",
    "np.float64('nan')",
    "np.array([[0.1, 0.2]], dtype='float16')",
    "True",
    "''",
)

_ACCEPTS: tuple[tuple[str, str | None], ...] = (
    ("nothing", None),
    ("an empty text", ""),
    ("anything", "*/*"),
    ("JSON", JSON),
    ("CSV", CSV),
    ("npy", NPY),
    ("npz", NPZ),
    ("bytes", OCTETS),
    ("text", "text/plain"),
    ("HTML, then JSON", "text/html, application/json"),
    ("CSV, then JSON", "text/csv, application/json"),
    ("JSON, then CSV, tight", "application/json,text/csv"),
    ("HTML, then anything", "text/html,*/*"),
    ("JSON with a weight", "application/json;q=0.9"),
    ("CSV with less weight than JSON", "text/csv;q=0.5, application/json"),
    ("JSON with less weight than CSV", "application/json;q=0.5, text/csv"),
    ("JSON refused", "application/json;q=0, text/csv"),
    ("anything with a weight", "*/*;q=0.8"),
    ("any application", "application/*"),
    ("any text", "text/*"),
    ("JSON with a charset", "application/json; charset=utf-8"),
    ("JSON in capitals", "Application/JSON"),
    ("JSON with blanks", " application/json "),
    ("an unknown type", "x/y"),
    ("commas only", ",,"),
)

_DEFAULTS: tuple[tuple[str, str | None], ...] = (
    ("CSV, nothing accepted", None),
    ("CSV, anything accepted", "*/*"),
    ("CSV, JSON accepted", JSON),
)

CASES: tuple[Case, ...] = (
    *(_written("predicted", value, kind) for value in _TENSORS for kind in _TYPES),
    *(_written("predicted", value, kind) for value in _VALUES for kind in _TYPES),
    *(_written("encoded", value, kind) for value in _TENSORS[:3] for kind in _TYPES),
    *(_written("encoded", value, kind) for value in _VALUES for kind in ("CSV", "npy")),
    *(_written("encoded", value, "JSON") for value in _JSON_ONLY),
    *(_written("predicted", value, "JSON") for value in _JSON_ONLY[:5]),
    *(
        Case(
            f"default output: {name} is accepted", SHAPES["predicted"], b"[[1.5, 2]]", OCTETS, kind
        )
        for name, kind in _ACCEPTS
    ),
    *(
        Case(f"encoder: {name} is accepted", SHAPES["encoded"], b"[[1.5, 2]]", OCTETS, kind)
        for name, kind in _ACCEPTS
    ),
    *(
        Case(
            f"default accept: {name}",
            SHAPES["predicted"],
            b"[[1.5, 2]]",
            OCTETS,
            kind,
            environment={"SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": CSV},
        )
        for name, kind in _DEFAULTS
    ),
    Case(
        "default accept: an unknown type",
        SHAPES["predicted"],
        b"1",
        OCTETS,
        None,
        environment={"SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": "x/y"},
    ),
    Case(
        "default accept: an empty text",
        SHAPES["predicted"],
        b"1",
        OCTETS,
        None,
        environment={"SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": ""},
    ),
)
