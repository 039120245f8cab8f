"""Runs many short scripts in forks of one process that has torch: a program for the tests to start.

    python runs.py < orders.json > ends.json

An order is a list of processes that run at once; each has a script (or a module to ask), arguments,
a folder, an environment and a file for what it writes. An end has their exit codes.
"""

from __future__ import annotations

import importlib.util
import json
import os
import runpy
import signal
import sys
import traceback
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ALL_TOGETHER_S = 60


def main() -> None:
    orders: list[list[dict[str, Any]]] = json.load(sys.stdin)
    import torch._dynamo
    import torch.distributed
    import torch.nn.parallel  # noqa: F401  what the scripts would wait for otherwise

    ends = []
    for order in orders:
        pids = [_started(process) for process in order]
        ends.append([os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids])
    json.dump(ends, sys.stdout)


def _started(process: dict[str, Any]) -> int:
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        signal.alarm(ALL_TOGETHER_S)
        code = _run(process)
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else 1
    except BaseException:  # noqa: BLE001  the script's own, whatever it is
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _run(process: dict[str, Any]) -> int:
    import numpy as np
    import torch

    log = os.open(process["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.environ.update(process["environment"])
    os.chdir(process["folder"])
    torch.set_num_threads(1)
    torch.manual_seed(7)
    np.random.seed(7)
    script = process["script"]
    sys.argv = [script, *process["arguments"]]
    sys.path[0:1] = [str(Path(script).parent), str(HERE)]
    if process["asks"]:
        return _ask(script, process["asks"])
    runpy.run_path(script, run_name="__main__")
    return 0


def _ask(script: str, asked: dict[str, Any]) -> int:
    """Import a script as a server does, load its model and print what it predicts."""
    import torch

    spec = importlib.util.spec_from_file_location("inference", script)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    model = module.model_fn(asked["model_dir"])
    with torch.no_grad():
        answer = model(torch.tensor(asked["rows"]))
    print(json.dumps({"training": model.training, "shape": list(answer.shape)}))
    return 0


if __name__ == "__main__":
    main()
