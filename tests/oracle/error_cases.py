"""Everything a handler may raise."""

from __future__ import annotations

from tests.oracle.case import OCTETS, Case
from tests.oracle.shapes import SHAPES, handlers, stepwise

_RAISED = (
    "raise ValueError('no text given')",
    "raise ValueError",
    "raise ValueError('')",
    "raise ValueError('one', 'two')",
    "raise ValueError('two\\nlines')",
    "raise ValueError('ends in a line\\n')",
    "raise ValueError('a\\r\\nb')",
    "raise ValueError('schön')",
    "raise ValueError('日本\\nzwei')",
    "raise KeyError('x')",
    "raise MemoryError",
    "raise MemoryError('no more')",
    "raise RuntimeError('CUDA out of memory')",
    "raise OwnError('mine')",
    "raise OwnError",
    "raise OSError(2, 'No such file', 'weights')",
    "raise UnicodeDecodeError('utf-8', b'x', 0, 1, 'why')",
    "raise AssertionError",
    "assert False, 'so'",
    "raise StopIteration('x')",
    "raise TimeoutError('slow')",
    "raise ValueError('x') from KeyError('y')",
    "try:\n    1 / 0\nexcept ZeroDivisionError:\n    raise ValueError('while another')",
    "error = ValueError('x'); error.add_note('a note'); raise error",
    "raise ExceptionGroup('several', [ValueError('a'), KeyError('b')])",
    "1 / 0",
    "[][1]",
    "{}['k']",
    "None.x",
    "no_such_name",
    "import no_such_module_at_all",
    "int('x')",
    "torch.ones(2) @ torch.ones(3)",
    "json.loads('{')",
    "def deep(n):\n    return deep(n + 1)\ndeep(0)",
    "raise 'text'",
    "class Bad(Exception):\n    def __str__(self):\n        raise OSError('no text')\nraise Bad",
    "raise Exception('x' * 5000)",
    "raise SystemExit(3)",
    "raise KeyboardInterrupt",
    "raise GeneratorExit",
    "raise BaseException('base')",
    "raise BaseInferenceToolkitError(422, 'not like this', 'Unprocessable')",
    "raise BaseInferenceToolkitError(200, 'fine', 'OK')",
    "raise BaseInferenceToolkitError(422, '', 'Empty')",
    "raise BaseInferenceToolkitError(422, None, 'None')",
    "raise BaseInferenceToolkitError(422, 'no phrase', None)",
    "raise BaseInferenceToolkitError('422', 'a text', 'Text')",
    "raise BaseInferenceToolkitError(422, 'schön', 'plain')",
    "raise BaseInferenceToolkitError(422, 'plain', 'schön')",
    "raise BaseInferenceToolkitError(422, 'two\\nlines', 'one\\ntwo')",
    "raise BaseInferenceToolkitError(413, 'too much', 'Much')",
    "raise BaseInferenceToolkitError(422, {'a': 1}, 'A dict')",
    "raise GenericInferenceToolkitError(400)",
    "raise GenericInferenceToolkitError(400, 'bad')",
    "raise GenericInferenceToolkitError(400, 'bad', 'Bad')",
    "raise GenericInferenceToolkitError(503, phrase='Later')",
    "raise TooLong(5)",
    "class BaseInferenceToolkitError(Exception):\n    status_code, message, phrase = 422, 'm', 'p'\nraise BaseInferenceToolkitError('own')",
    "class UnsupportedFormatError(Exception):\n    pass\nraise UnsupportedFormatError('own')",
    "raise UnsupportedFormatError('x/y')",
    "decoder.decode(b'', 'x/y')",
    "encoder.encode([], 'x/y')",
    "context.set_response_status(201, 'Created'); raise ValueError('after a status')",
    "context.set_response_header(0, 'X-Kind', 'a'); raise ValueError('after a header')",
    "context.set_response_content_type(0, 'a/b'); raise ValueError('after a type')",
    "import sys; sys.exit('bye')",
    "eval('1 +')",
    "import warnings; warnings.warn('careful'); result = 'warned'",
)

_WHERE = {
    "input_fn raises": stepwise("def input_fn(data, content_type):\n    raise ValueError('in')"),
    "predict_fn raises": stepwise(
        predict_fn="def predict_fn(data, model):\n    raise ValueError('predict')"
    ),
    "output_fn raises": stepwise(
        output_fn="def output_fn(prediction, accept):\n    raise ValueError('out')"
    ),
    "input_fn does not support the type": stepwise(
        "from sagemaker_inference.errors import UnsupportedFormatError\n"
        "def input_fn(data, content_type):\n    raise UnsupportedFormatError(content_type)"
    ),
    "predict_fn does not support something": stepwise(
        predict_fn="from sagemaker_inference.errors import UnsupportedFormatError\n"
        "def predict_fn(data, model):\n    raise UnsupportedFormatError('x/y')"
    ),
    "output_fn does not support the type": stepwise(
        output_fn="from sagemaker_inference.errors import UnsupportedFormatError\n"
        "def output_fn(prediction, accept):\n    raise UnsupportedFormatError(accept)"
    ),
    "the model itself raises": handlers(
        "class M(torch.nn.Module):\n    def forward(self, x):\n        return x @ torch.ones(9)\n"
        "def model_fn(model_dir):\n    return M()"
    ),
    "the model wants two arguments": handlers(
        "class M(torch.nn.Module):\n    def forward(self, x, y):\n        return x\n"
        "def model_fn(model_dir):\n    return M()"
    ),
}

CASES: tuple[Case, ...] = (
    *(Case(f"error: {done}", SHAPES["done"], done.encode(), OCTETS) for done in _RAISED),
    *(Case(f"error: {name}", code) for name, code in _WHERE.items()),
)
