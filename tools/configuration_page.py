"""Every key of the configuration: types and defaults from the settings classes, words from here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from sagelet.environments.settings import (
    OURS,
    OVERRIDABLE,
    EnvironmentSettings,
    ServeSettings,
    TrainSettings,
)
from sagelet.environments.ui_settings import UiField, UiOutput, UiSettings
from tools.markdown import code, table

_NOT_YET = "Checked, and without effect in this release."

_ENVIRONMENT = {
    "model_name": "The endpoint's name, and the beginning of every other name that `deploy` and "
    "`train` make.",
    "aws_role": "The role that SageMaker works in: a name, which IAM expands, or an ARN. Needed "
    "outside this machine.",
    "instance_type": "What serves: `local` or `local_gpu` for this machine, else one of AWS's "
    "types. Needed outside this machine.",
    "model_data_path": "An existing model, `file://` or `s3://`, where there is no `serve:`.",
    "python": "The project's interpreter, for workers and training scripts. Default: the one that "
    "runs the daemon.",
    "s3": "Whose buckets `s3://` means in a local environment: the daemon's, or AWS's own, read "
    "and written with this machine's credentials; see [use S3 data](../how-to/use-s3-data.md).",
    "contract": "How strictly an endpoint keeps to the container's behaviour; see "
    "[handlers](handlers.md#sane-and-strict).",
    "toolkit": "How a training script gets its arguments: `current` as sagemaker-training 5.1.3 "
    "and newer pass them, `legacy` as older images do, whose shell splits and expands them.",
    "runtime": _NOT_YET,
    "workers": "Worker processes of an endpoint; `auto` is one a core.",
    "threads": "torch's threads in a worker. For a training script it counts only where it is "
    "written; its default is all cores.",
    "max_batch": "How many requests a `predict_batch_fn` gets at once, at most. Default: 32.",
    "park_after": "Seconds without a request after which an endpoint's workers are stopped; the "
    "next request starts them again. Default: never, or what `sagelet up --park-after` says.",
    "pass_credentials": "Whether scripts and handlers see this machine's AWS credentials instead "
    "of a local key of their own, which is good for S3, logs and metrics here.",
    "region": "The region. Default: `AWS_REGION`, then `AWS_DEFAULT_REGION`; in a local "
    "environment `us-east-1` after these.",
    "profile": "An AWS profile; in a local environment only for `s3: aws`.",
    "account": "The account, as text. `deploy` and `train` refuse credentials of another one.",
    "bucket": "Where archives and channels go. Default: the bucket of `model_data_path`, else "
    "`sagelet-<region>-<account>`; with `s3: aws` there is no such default.",
    "image": "The container image. Default: AWS's PyTorch image for the project's torch.",
    "endpoint_url": "Another address for every AWS client of this environment, such as an "
    "emulator's. It is printed when it is used, and it makes the environment remote.",
    "s3_endpoint_url": "Another address for `s3: aws`, such as an emulator's.",
}
_SERVE = {
    "source": "The folder that becomes `code/`; `.gitignore` and `.sagemakerignore` are honoured.",
    "entry_point": "The file with the handlers.",
    "model": "The folder (or file) that becomes the root of `model.tar.gz`.",
    "sample": "A payload that new code has to answer, out of sight, before it serves. A local "
    "endpoint keeps its last good version where it cannot.",
}
_TRAIN = {
    "source": "The folder that becomes `sourcedir.tar.gz`.",
    "entry_point": "The script, somewhere in `source`.",
    "instance_type": "What trains. Needed outside this machine.",
    "channels": "Names and folders, `file://` or `s3://` URLs. A folder is read where it is "
    "(local) or uploaded (elsewhere).",
    "hyperparameters": "The script's arguments.",
    "hosts": "How many instances; here each is a host of this machine.",
    "processes": "How many processes each host runs; default: one for each of its GPUs, or one.",
    "distribution": "What starts them; default: `torch_distributed` where there are several.",
    "metrics": "Names and regular expressions whose first group is the value in a log line.",
    "checkpoints": "Where the script's checkpoints are kept while it trains: an `s3://` URL, or a "
    "folder in a local environment. Default: nowhere, but for jobs that are interrupted.",
}
_UI = {
    "title": "The page's title. Default: the endpoint's name.",
    "description": "What the model does, in Markdown. Default: the model's `README.md`.",
    "fields": "What is filled in; see below. Default: what the model takes is "
    "[found out](../how-to/predict-form.md#where-the-fields-come-from).",
    "body": 'The body as JSON, each field in it once as a text `"{name}"`, which becomes the '
    "field's value. Default: an object with a member for each field.",
    "content_type": "What the body is. Default: `application/json`, or what the examples are.",
    "accept": "What is wanted back. Default: `application/json`.",
    "examples": "Payloads to begin with, by their paths in the project. Default: the files in "
    "`examples/` and `tests/payloads/`.",
    "output": "How answers are shown; see below.",
}
_UI_FIELD = {
    "name": "The member of the body, and the name in `body`.",
    "default": "What the field holds at first.",
    "type": "The kind of input. Default: it follows from the default and the options.",
    "label": "What stands beside the input. Default: the name.",
    "options": "What there is to choose.",
    "multiple": "Whether several options may be chosen; the value is then a list.",
    "min": "The least number.",
    "max": "The largest number.",
    "step": "How far apart the numbers are.",
    "help": "A sentence below the input.",
    "placeholder": "What an empty input shows.",
    "secret": "Whether what is typed is hidden, and kept out of links.",
}
_UI_OUTPUT = {
    "labels": "Names for the numbers of a list, in their order.",
    "unit": "What a single number is counted in.",
    "renderer": "How an answer is shown. Default: it follows from the answer.",
}


def environment_keys() -> str:
    """Return the keys of one environment."""
    rows = [
        [*row, code(f"SAGELET_{name.upper()}") if name in OVERRIDABLE else ""]
        for name, row in zip(OURS, _rows(EnvironmentSettings, _ENVIRONMENT), strict=True)
    ]
    return table(["key", "may be", "default", "what it says", "variable"], rows)


def serve_keys() -> str:
    """Return the keys of `serve:`."""
    return _section(ServeSettings, _SERVE)


def train_keys() -> str:
    """Return the keys of `train:`."""
    return _section(TrainSettings, _TRAIN)


def ui_keys() -> str:
    """Return the keys of `ui:`."""
    return _section(UiSettings, _UI)


def ui_field_keys() -> str:
    """Return the keys of an item of `ui.fields`."""
    return _section(UiField, _UI_FIELD)


def ui_output_keys() -> str:
    """Return the keys of `ui.output`."""
    return _section(UiOutput, _UI_OUTPUT)


def _section(model: type[BaseModel], words: Mapping[str, str]) -> str:
    return table(["key", "may be", "default", "what it says"], _rows(model, words))


def _rows(model: type[BaseModel], words: Mapping[str, str]) -> list[list[str]]:
    internal = _INTERNAL if model is EnvironmentSettings else ()
    fields = {name: field for name, field in model.model_fields.items() if name not in internal}
    if fields.keys() != words.keys():
        raise LookupError(f"{model.__name__}: {sorted(fields.keys() ^ words.keys())}")
    return [
        [code(name), _type(field.annotation), _default(field), words[name]]
        for name, field in fields.items()
    ]


_INTERNAL = frozenset({"name", "raw"})
_TYPES: Mapping[Any, str] = {
    str: "text",
    Path: "path",
    int: "number above 0",
    float: "number",
    bool: "`true` or `false`",
    UiOutput: "names and values",
    Any: "any value",
}


def _type(annotation: Any) -> str:  # noqa: ANN401  any annotation
    """Return an annotation as a person would say it."""
    if annotation in _TYPES:
        return _TYPES[annotation]
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " or ".join(code(value) for value in arguments)
    if origin is Mapping:
        return "names and values"
    if origin is tuple:
        return "list"
    if origin is not None and hasattr(annotation, "__metadata__"):  # Annotated
        return _type(arguments[0])
    said = [_type(each) for each in arguments if each is not type(None)]
    if "number" in said:
        return "number"
    return " or ".join(dict.fromkeys(said))


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "needed"
    value = field.default
    if value in (None, {}, (), "") or isinstance(value, BaseModel):
        return ""
    if isinstance(value, bool):
        return code(str(value).lower())
    return code(str(value))
