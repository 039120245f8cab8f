"""Every rule of `sagelet check`, by its id."""

from __future__ import annotations

from collections.abc import Mapping

from sagelet.upgrade.findings import Rule, Severity

_ERROR, _WARNING, _HINT = Severity.ERROR, Severity.WARNING, Severity.HINT

_SHARED = (
    ("smart-quotes", "Curly quotes in place of straight ones", _ERROR),
    ("bold-dunder", "`**name**` in place of `__name__`", _ERROR),
    ("lost-indentation", "A block that is not indented", _ERROR),
    ("star-args", "`*, args =` in place of `args, _ =`", _ERROR),
    ("no-main-guard", "The script runs when it is imported", _WARNING),
    ("training-at-import", "Training at the module's own level", _WARNING),
    ("environ-without-default", "A SageMaker variable without a default", _WARNING),
    ("hard-coded-data-path", "Data from a path of one's own", _ERROR),
    ("hard-coded-output-path", "A result that is saved where nobody collects it", _ERROR),
    ("print-not-logger", "`print` where a logger is meant", _HINT),
    ("type-list", "`type=list` makes a list of characters", _ERROR),
    ("type-bool", "`type=bool` is true for any text", _ERROR),
    ("strict-parse-args", "`parse_args` refuses what it does not know", _HINT),
    ("unused-hyperparameter", "A hyperparameter that no argument takes", _ERROR),
    ("no-distributed-sampler", "Each host trains on all of the data", _WARNING),
    ("no-set-epoch", "A distributed sampler that is never told the epoch", _WARNING),
    ("every-rank-saves", "Every rank saves the model", _WARNING),
    ("module-prefix", "A state dict whose keys begin with `module.`", _WARNING),
    ("data-parallel-for-keys", "DataParallel only to match `module.` keys", _WARNING),
    ("no-map-location", "Weights that load only on the device they came from", _WARNING),
    ("no-eval", "A model that serves in training mode", _WARNING),
    ("nccl-on-cpu", "nccl needs a GPU", _WARNING),
    ("missing-model-fn", "No model_fn", _WARNING),
    ("handler-arity", "A handler with the wrong number of parameters", _ERROR),
    ("missing-requirement", "An import that nothing installs", _WARNING),
    ("shell-entry-with-requirements", "requirements.txt beside a shell script", _WARNING),
)

RULES: Mapping[str, Rule] = {
    id_: Rule(id=id_, title=title, severity=severity, why=title, fix="")
    for id_, title, severity in _SHARED
}
