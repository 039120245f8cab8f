"""Which function serves, with which arguments, and what is refused when the model is loaded."""

from __future__ import annotations

from tests.oracle.case import JSON, OCTETS, Case
from tests.oracle.shapes import SHAPES, handlers, stepwise, transform

_SHOWN = "repr((model, data, content_type, accept))"
_HEADER = "context.get_request_header(0, 'Accept')"


def _case(name: str, code: str, body: bytes = b"[1]", **more: object) -> Case:
    return Case(f"handlers: {name}", code, body, **more)  # type: ignore[arg-type]  # a Case's own


_ARITIES = [
    _case("transform_fn takes the context as a fifth", transform(_HEADER, "m, d, c, a, context")),
    _case("transform_fn takes three", transform("'x'", "model, data, content_type")),
    _case("transform_fn takes six", transform("'x'", "a, b, c, d, e, f")),
    _case("transform_fn takes anything", transform("'x'", "*everything")),
    _case(
        "transform_fn takes its fourth by default",
        transform(_SHOWN, "model, data, content_type, accept='a'"),
    ),
    _case(
        "transform_fn's fifth is a defaulted one of any name",
        transform("type(e).__name__", "a, b, c, d, e=None"),
    ),
    _case("transform_fn's fifth is **options", transform("'x'", "a, b, c, d, **options")),
    _case(
        "input_fn takes the context",
        stepwise("def input_fn(data, content_type, ctx):\n    return ctx.model_name"),
    ),
    _case("input_fn takes one", stepwise("def input_fn(data):\n    return data")),
    _case("input_fn takes none", stepwise("def input_fn():\n    return 1")),
    _case("input_fn takes four", stepwise("def input_fn(a, b, c, d):\n    return 1")),
    _case(
        "input_fn takes a default and **options",
        stepwise("def input_fn(data, kind='x', **options):\n    return data"),
    ),
    _case(
        "input_fn takes its second by keyword only",
        stepwise("def input_fn(data, *, content_type):\n    return data"),
    ),
    _case(
        "input_fn takes *args and **kwargs",
        stepwise("def input_fn(*args, **kwargs):\n    return repr(args)"),
    ),
    _case(
        "predict_fn takes the context",
        stepwise(
            predict_fn="def predict_fn(data, model, context):\n    return str(context.system_properties['batch_size'])"
        ),
    ),
    _case("predict_fn takes one", stepwise(predict_fn="def predict_fn(data):\n    return data")),
    _case(
        "predict_fn takes four", stepwise(predict_fn="def predict_fn(a, b, c, d):\n    return a")
    ),
    _case(
        "output_fn takes the context",
        stepwise(
            output_fn="def output_fn(prediction, accept, context):\n    return accept + context.model_name"
        ),
    ),
    _case(
        "output_fn takes one",
        stepwise(output_fn="def output_fn(prediction):\n    return prediction"),
    ),
    _case("output_fn takes *args", stepwise(output_fn="def output_fn(*args):\n    return 'x'")),
    _case("input_fn is a lambda of two", stepwise("input_fn = lambda data, content_type: data")),
    _case("input_fn is a lambda of one", stepwise("input_fn = lambda data: data")),
    _case("predict_fn is a builtin without a signature", stepwise(predict_fn="predict_fn = max")),
    _case(
        "predict_fn is a partial that fits",
        stepwise(predict_fn="predict_fn = functools.partial(lambda x, d, m: d, 1)"),
    ),
    _case(
        "predict_fn is a partial that does not fit",
        stepwise(predict_fn="predict_fn = functools.partial(lambda x, d: d, 1)"),
    ),
    _case(
        "predict_fn is a bound method",
        stepwise(
            predict_fn="class P:\n    def run(self, data, model):\n        return data\npredict_fn = P().run"
        ),
    ),
    _case(
        "predict_fn is a bound method of one",
        stepwise(
            predict_fn="class P:\n    def run(self, data):\n        return data\npredict_fn = P().run"
        ),
    ),
    _case(
        "predict_fn is a callable object",
        stepwise(
            predict_fn="class P:\n    def __call__(self, data, model):\n        return data\npredict_fn = P()"
        ),
    ),
    _case(
        "predict_fn is a class",
        stepwise(
            predict_fn="class predict_fn(str):\n    def __new__(cls, data, model):\n        return str.__new__(cls, data)"
        ),
    ),
    _case(
        "predict_fn is decorated with wraps",
        stepwise(
            predict_fn="def deco(f):\n    @functools.wraps(f)\n    def inner(*args):\n        return f(*args)\n    return inner\n@deco\ndef predict_fn(data, model):\n    return data"
        ),
    ),
    _case(
        "predict_fn is decorated without wraps",
        stepwise(
            predict_fn="def deco(f):\n    def inner(*args):\n        return f(*args)\n    return inner\n@deco\ndef predict_fn(data, model):\n    return data"
        ),
    ),
    _case(
        "predict_fn is torch.no_grad'ed",
        stepwise(
            predict_fn="@torch.no_grad()\ndef predict_fn(data, model):\n    return str(torch.is_grad_enabled())"
        ),
    ),
    _case("predict_fn is a number", stepwise(predict_fn="predict_fn = 5")),
]

_RESOLUTION = [
    _case("no module, one TorchScript file", "", files={"model.pt": "torchscript"}),
    _case("no module, a .pth of another name", "", files={"net.pth": "torchscript"}),
    _case(
        "no module, model.pt is taken among several",
        "",
        files={"model.pt": "torchscript", "other.pth": "state dict"},
    ),
    _case(
        "no module, a folder is no model file", "", files={"a.pt": "folder", "b.pt": "torchscript"}
    ),
    _case("no module, no model file", ""),
    _case("no module, a model file of another kind", "", files={"model.bin": "x"}),
    _case("no module, a state dict", "", files={"model.pt": "state dict"}),
    _case("no module, a text file", "", files={"model.pt": "no model"}),
    _case("a module with model_fn only", SHAPES["identity"]),
    _case(
        "input_fn only",
        handlers(
            "import torch\ndef model_fn(d):\n    return torch.nn.Identity()\ndef input_fn(data, content_type):\n    return torch.ones(1, 2)"
        ),
    ),
    _case("predict_fn only", handlers("def predict_fn(data, model):\n    return data * 2")),
    _case(
        "output_fn only",
        SHAPES["identity"]
        + "\ndef output_fn(prediction, accept):\n    return str(prediction.dtype)\n",
    ),
    _case(
        "functions that are None are defaults",
        SHAPES["identity"] + "\ninput_fn = predict_fn = output_fn = transform_fn = None\n",
    ),
    _case(
        "model_fn takes the context",
        handlers(
            "def model_fn(model_dir, context):\n    return context.model_name\ndef transform_fn(m, d, c, a):\n    return m"
        ),
    ),
    _case(
        "pre_model_fn, model_fn, model_warmup_fn in this order",
        handlers("""
        seen = []

        def pre_model_fn(model_dir):
            seen.append("pre")

        def model_fn(model_dir):
            seen.append("model")
            return seen

        def model_warmup_fn(model_dir, model):
            model.append("warm")

        def transform_fn(model, data, content_type, accept):
            return " ".join(model)
    """),
    ),
    _case(
        "pre_model_fn and model_warmup_fn take the context",
        handlers("""
        seen = []

        def pre_model_fn(model_dir, context):
            seen.append(context.model_name)

        def model_warmup_fn(model_dir, model, context):
            seen.append(context.system_properties["server_name"])

        def transform_fn(model, data, content_type, accept):
            return " ".join(seen)
    """),
    ),
    _case(
        "the program has another name",
        "",
        environment={"SAGEMAKER_PROGRAM": "serve.py"},
        files={
            "code/serve.py": "def model_fn(d):\n    return 1\ndef transform_fn(m, d, c, a):\n    return 'serve'\n"
        },
    ),
    _case(
        "the program has no suffix",
        "",
        environment={"SAGEMAKER_PROGRAM": "serve"},
        files={
            "code/serve.py": "def model_fn(d):\n    return 1\ndef transform_fn(m, d, c, a):\n    return 'serve'\n"
        },
    ),
    _case(
        "the program is in a package",
        "",
        environment={"SAGEMAKER_PROGRAM": "kit.serve"},
        files={
            "code/kit/__init__.py": "",
            "code/kit/serve.py": "def model_fn(d):\n    return 1\ndef transform_fn(m, d, c, a):\n    return __name__\n",
        },
    ),
    _case(
        "the program is not there: defaults",
        transform("'x'"),
        environment={"SAGEMAKER_PROGRAM": "other.py"},
        files={"model.pt": "torchscript"},
    ),
    _case(
        "a module of the model's root is imported",
        handlers("import text_kit\ndef transform_fn(m, d, c, a):\n    return text_kit.NAME"),
        files={"text_kit.py": "NAME = 'kit'\n"},
    ),
    _case(
        "the model is what model_fn returned",
        handlers(
            "def model_fn(model_dir):\n    return {'w': 2}\ndef transform_fn(m, d, c, a):\n    return m"
        ),
    ),
    _case(
        "predict_fn's default wants a module",
        handlers("def model_fn(model_dir):\n    return lambda x: x"),
    ),
    _case(
        "predict_fn's default has no gradient",
        handlers(
            "class M(torch.nn.Module):\n    def forward(self, x):\n        return torch.tensor([torch.is_grad_enabled(), self.training])\ndef model_fn(model_dir):\n    return M()"
        ),
    ),
    _case(
        "the default model_fn's model is scored with its own input_fn",
        handlers("def input_fn(data, content_type):\n    return torch.tensor([[3.5]])").replace(
            "def model_fn(model_dir):\n    return None\n", ""
        ),
        files={"model.pt": "torchscript"},
    ),
]

_LOADING = [
    _case("transform_fn beside input_fn", transform("1") + "\ndef input_fn(a, b):\n    return 1\n"),
    _case(
        "transform_fn beside predict_fn", transform("1") + "\ndef predict_fn(a, b):\n    return 1\n"
    ),
    _case(
        "transform_fn beside output_fn", transform("1") + "\ndef output_fn(a, b):\n    return 1\n"
    ),
    _case("model_fn takes none", handlers("def model_fn():\n    return 1")),
    _case("model_fn takes three", handlers("def model_fn(a, b, c):\n    return 1")),
    _case(
        "model_fn raises",
        handlers("def model_fn(model_dir):\n    raise OSError(2, 'no such weights')"),
    ),
    _case("model_fn is None", handlers("model_fn = None")),
    _case("pre_model_fn takes none", handlers("def pre_model_fn():\n    return 1")),
    _case(
        "pre_model_fn raises",
        handlers("def pre_model_fn(model_dir):\n    raise RuntimeError('not before')"),
    ),
    _case("model_warmup_fn takes one", handlers("def model_warmup_fn(model_dir):\n    return 1")),
    _case(
        "model_warmup_fn raises",
        handlers("def model_warmup_fn(model_dir, model):\n    raise RuntimeError('cold')"),
    ),
    _case("a name that is not defined", "import json\nundefined_name\n"),
    _case("an import that is not there", "import no_such_package_anywhere\n"),
    _case("a file that does not parse", "def model_fn(:\n"),
    _case(
        "a program in a package that is not there",
        transform("1"),
        environment={"SAGEMAKER_PROGRAM": "no_such_package.serve"},
    ),
]

_GENERATORS = [
    _case(
        "predict_fn is a generator, output_fn the default",
        handlers(
            "def input_fn(d, c):\n    return 1\ndef predict_fn(data, model):\n    yield 'a'\n    yield 'b'"
        ),
    ),
    _case(
        "output_fn is a generator",
        stepwise(output_fn="def output_fn(prediction, accept):\n    yield b'a'\n    yield b'b'"),
    ),
    _case("transform_fn is a generator", transform("(yield 'a')")),
    _case("transform_fn returns an iterator", transform("iter(['a', 'b'])")),
]

_TOLD = [
    _case("three functions are told the types", SHAPES["told-in-three"], b"[1]"),
    _case(
        "three functions get bytes of another type",
        SHAPES["told-in-three"],
        b"\x00\xff",
        content_type=OCTETS,
        accept=OCTETS,
    ),
    _case("an empty body", SHAPES["told"], b"", content_type=JSON),
    _case("an empty body without a type", SHAPES["told"], b"", content_type=None),
]

CASES = (*_ARITIES, *_RESOLUTION, *_LOADING, *_GENERATORS, *_TOLD)
