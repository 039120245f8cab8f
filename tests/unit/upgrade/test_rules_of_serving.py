"""A broken and a clean snippet, or more, for the rules of handlers, logging and deploying."""

from __future__ import annotations

from pathlib import Path

import pytest

from sagelet.upgrade.findings import Severity
from tests.unit.upgrade.marked import JOB, a_project, assert_found, findings

MODEL_FN = "def model_fn(model_dir):\n    return 1\n"

SERVING = [
    ("missing-model-fn", "▸def predict_fn(data, model):\n    return 1\n"),
    ("missing-model-fn", "▸def transform_fn(model, data, kind, accept):\n    return 1\n"),
    ("missing-model-fn", JOB + "▸torch.save(w, p)\ntrain(1)\n"),
    ("missing-model-fn", MODEL_FN + "def predict_fn(data, model):\n    return 1\n"),
    ("missing-model-fn", "from load import model_fn\ndef predict_fn(data, model):\n    return 1\n"),
    ("missing-model-fn", "from load import *\ndef predict_fn(data, model):\n    return 1\n"),
    ("missing-model-fn", "model_fn = load\ndef predict_fn(data, model):\n    return 1\n"),
    ("missing-model-fn", JOB + "torch.save(w, p)\ntrain(1)\n" + MODEL_FN),
    ("missing-model-fn", "import torch\ntorch.save(w, p)\n"),
    ("model-fn-returns-none", "▸def model_fn(model_dir):\n    x = 1\n"),
    ("model-fn-returns-none", "▸def model_fn(d):\n    def f():\n        return 1\n    return\n"),
    ("model-fn-returns-none", MODEL_FN),
    ("model-fn-returns-none", "def model_fn(d):\n    raise NotImplementedError\n"),
    ("handler-arity", "▸def model_fn():\n    return 1\n"),
    ("handler-arity", MODEL_FN + "▸def input_fn(body):\n    return body\n"),
    ("handler-arity", MODEL_FN + "▸def predict_fn(*args):\n    return 1\n"),
    ("handler-arity", MODEL_FN + "▸def output_fn(p, accept, context, more=1):\n    return 1\n"),
    ("handler-arity", MODEL_FN + "▸def transform_fn(model, data):\n    return 1\n"),
    ("handler-arity", MODEL_FN + "def input_fn(body, kind):\n    return body\n"),
    ("handler-arity", "def model_fn(d, context):\n    return 1\n"),
    ("handler-arity", MODEL_FN + "def transform_fn(m, d, k, a, context=None):\n    return 1\n"),
    ("handler-arity", MODEL_FN + "@torch.no_grad()\ndef predict_fn(data):\n    return 1\n"),
    ("handler-arity", "class Handlers:\n    def model_fn(self, a, b, c):\n        return 1\n"),
    ("async-handler", MODEL_FN + "▸async def predict_fn(data, model):\n    return 1\n"),
    ("async-handler", MODEL_FN + "async def ask(data):\n    return 1\n"),
    (
        "transform-fn-conflict",
        MODEL_FN
        + "▸def transform_fn(m, d, k, a):\n    return 1\ndef input_fn(b, k):\n    return b\n",
    ),
    ("transform-fn-conflict", MODEL_FN + "def transform_fn(m, d, k, a):\n    return 1\n"),
]

LOGGER = "import logging\nlog = logging.getLogger(__name__)\n"
LOGGING = [
    (
        "print-not-logger",
        "def f(loss):\n    loss.backward()\n    ▸print(1)\n    print(2)\nimport torch\n",
    ),
    ("print-not-logger", JOB + "print(1)\ndef test():\n    print(2)\n"),
    ("log-without-placeholder", LOGGER + "▸log.info('x=', 1)\n▸logging.error('100 %%', 1)\n"),
    (
        "log-without-placeholder",
        "import logging\nclass A:\n    def f(self):\n        ▸self.logger.info('x', 1)\n",
    ),
    ("log-without-placeholder", LOGGER + "log.info('x=%s', 1)\nlog.info('%(a)s', {'a': 1})\n"),
    (
        "log-without-placeholder",
        LOGGER + "log.info('x %.2f', 1)\nlog.info('x', *a)\nlog.info('x')\n",
    ),
    ("log-without-placeholder", LOGGER + "log.info(text, 1)\nlog.info('x', exc_info=1)\n"),
    ("log-without-placeholder", "import logging, math\nx = math.log(1, 2)\nbox.info('x', 1)\n"),
    (
        "log-without-placeholder",
        "from loguru import logger\nimport logging\nlogger.info('{}', 1)\n",
    ),
    ("log-without-placeholder", "def log(): pass\nlog.info('x', 1)\n"),
    ("unconfigured-logging", JOB + "import logging\n▸logging.info('x')\nlogging.info('y')\n"),
    ("unconfigured-logging", JOB + LOGGER + "log.warning('x')\n▸log.debug('x')\n"),
    ("unconfigured-logging", JOB + LOGGER + "log.setLevel(1)\n▸logging.info('x')\n"),
    ("unconfigured-logging", JOB + LOGGER + "logging.basicConfig(level=20)\nlog.info('x')\n"),
    ("unconfigured-logging", JOB + LOGGER + "log.addHandler(h)\nlog.info('x')\n"),
    (
        "unconfigured-logging",
        JOB + LOGGER + "root = logging.getLogger()\nroot.setLevel(20)\nlogging.info('x')\n",
    ),
    (
        "unconfigured-logging",
        JOB + LOGGER + "logging.getLogger().setLevel(20)\nlogging.info('x')\n",
    ),
    ("unconfigured-logging", JOB + LOGGER + "log.warning('x')\n"),
    ("unconfigured-logging", LOGGER + "log.info('x')\n"),
]

DEPLOYING = [
    ("update-endpoint", "model.deploy(1, update_endpoint=▸True)\n"),
    ("update-endpoint", "model.deploy(1)\nclient.update_endpoint(EndpointName=n)\n"),
    ("sdk-classes", "▸from sagemaker.pytorch import PyTorchModel\n"),
    ("sdk-classes", "▸from sagemaker.pytorch.estimator import PyTorch\n"),
    ("sdk-classes", "from sagemaker.serve import ModelBuilder\nimport sagemaker\n"),
    ("bucket-pattern", r"import re" "\n" r"re.search(▸'//(\w+)', url)" "\n"),
    ("bucket-pattern", r"import re" "\n" r"re.match(▸r's3://(\w+)/(.*)', url)" "\n"),
    ("bucket-pattern", r"import re" "\n" r"re.match(r's3://([\w.-]+)/(.*)', url)" "\n"),
    (
        "unchecked-tar",
        "import os\n▸os.system('tar -czf a.tar.gz a')\n▸os.system(f'tar -czf {a}')\n",
    ),
    (
        "unchecked-tar",
        "import os\n▸os.system('tar -czf {}'.format(a))\n▸os.system('aws s3 cp ' + a)\n",
    ),
    ("unchecked-tar", "import os\nif os.system('tar -czf a.tar.gz a'):\n    raise SystemExit(1)\n"),
    ("unchecked-tar", "import os\nos.system('clear')\nos.system(command)\n"),
    (
        "delete-before-create",
        "def f():\n    ▸c.delete_endpoint(EndpointName=n)\n    c.create_endpoint(EndpointName=n)\n",
    ),
    (
        "delete-before-create",
        "def f():\n    c.create_endpoint(EndpointName=n)\n    c.delete_endpoint(EndpointName=n)\n",
    ),
    (
        "delete-before-create",
        "def f():\n    c.delete_endpoint(EndpointName=n)\n"
        "def g():\n    c.create_endpoint(EndpointName=n)\n",
    ),
    (
        "delete-before-create",
        "if x:\n    c.delete_endpoint(EndpointName=n)\n"
        "else:\n    c.create_endpoint(EndpointName=n)\n",
    ),
    (
        "delete-before-create",
        "if x:\n    ▸c.delete_endpoint(EndpointName=n)\nc.create_endpoint(EndpointName=n)\n",
    ),
    (
        "delete-before-create",
        "match x:\n    case 1:\n        c.delete_endpoint(EndpointName=n)\n"
        "    case 2:\n        c.create_endpoint(EndpointName=n)\n",
    ),
    (
        "delete-before-create",
        "c.delete_endpoint(EndpointName='a')\nc.create_endpoint(EndpointName='b')\n",
    ),
]


@pytest.mark.parametrize(("rule", "snippet"), [*SERVING, *LOGGING, *DEPLOYING])
def test_a_rule_finds_the_marked_places_and_no_other(
    rule: str, snippet: str, tmp_path: Path
) -> None:
    assert_found(rule, snippet, tmp_path)


def test_what_the_project_serves_needs_a_model_fn(tmp_path: Path) -> None:
    project = a_project(tmp_path, serve="serve.py")

    assert_found("missing-model-fn", "▸x = 1\n", tmp_path, name="serve.py", project=project)


def test_weights_are_no_matter_where_another_script_serves_them(tmp_path: Path) -> None:
    (tmp_path / "serve.py").write_text(MODEL_FN)

    assert_found("missing-model-fn", JOB + "torch.save(w, p)\ntrain(1)\n", tmp_path)


def test_the_first_articles_model_fn_is_allowed_to_return_nothing(tmp_path: Path) -> None:
    path = tmp_path / "serve.py"
    path.write_text("def model_fn(d):\n    pass\ndef predict_fn(data, model):\n    return 1\n")

    (found,) = findings(path, rule="model-fn-returns-none")

    assert found.severity is Severity.HINT


def test_a_pinned_sdk_has_its_classes(tmp_path: Path) -> None:
    (tmp_path / "requirements-dev.txt").write_text("boto3\nsagemaker>=2.200,<3\n")

    assert_found("sdk-classes", "from sagemaker.pytorch import PyTorchModel\n", tmp_path)
