"""The user's own error in a log: under drivers that strip lines, under torchrun, under a shell."""

from __future__ import annotations

from pathlib import Path

import pytest

from sagelet.training.tail_errors import NOTHING_LOGGED, LoggedError, find_error

CODE = Path("/opt/ml/input/data/code")

PLAIN = f"""\
epoch 1
Traceback (most recent call last):
  File "{CODE}/train.py", line 12, in <module>
    main()
  File "{CODE}/steps.py", line 3, in main
    raise ValueError("the loss is nan")
ValueError: the loss is nan
"""

STRIPPED = f"""\
Traceback (most recent call last):
File "{CODE}/train.py", line 12, in <module>
main()
File "{CODE}/steps.py", line 3, in main
raise ValueError("the loss is nan")
ValueError: the loss is nan
Command failed with exit code 1. Traceback: Traceback (most recent call last):
File "/opt/ml/input/data/sm_drivers/common/utils.py", line 193, in execute_commands
raise subprocess.CalledProcessError(exitcode, commands)
subprocess.CalledProcessError: Command '['python3', 'train.py']' returned non-zero exit status 1.
"""

RANKS = f"""\
[rank0]: Traceback (most recent call last):
[rank0]:   File "{CODE}/train.py", line 16, in <module>
[rank0]:     dist.all_reduce(t)
[rank0]:   File "/venv/lib/python3.11/site-packages/torch/distributed/c10d.py", line 9, in reduce
[rank0]:     work.wait()
[rank0]: torch.distributed.DistNetworkError: the connection was closed
Traceback (most recent call last):
  File "/venv/bin/torchrun", line 8, in <module>
    sys.exit(main())
  File "/venv/lib/python3.11/site-packages/torch/distributed/run.py", line 9, in main
    run(args)
torch.distributed.elastic.multiprocessing.errors.ChildFailedError:
"""

SYNTAX = f"""\
  File "{CODE}/train.py", line 1
    def step(:
             ^
SyntaxError: invalid syntax
"""

OWN_CLASS = f"""\
Traceback (most recent call last):
  File "{CODE}/train.py", line 4, in <module>
    raise Trouble("deep")
__main__.Trouble: deep
"""

CHAINED = f"""\
Traceback (most recent call last):
  File "{CODE}/train.py", line 2, in <module>
    {{}}["label"]
KeyError: 'label'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "{CODE}/train.py", line 4, in <module>
    raise RuntimeError("no label")
RuntimeError: no label
"""

FATAL = f"""\
Fatal Python error: Segmentation fault

Current thread 0x00007f2a4b4ff740 (most recent call first):
  File "/venv/lib/python3.11/site-packages/torch/_ops.py", line 7 in __call__
  File "{CODE}/train.py", line 5 in step
  File "{CODE}/train.py", line 9 in <module>
"""


@pytest.mark.parametrize(
    ("log", "error", "where"),
    [
        (PLAIN, "ValueError: the loss is nan", "steps.py:3"),
        (STRIPPED, "ValueError: the loss is nan", "steps.py:3"),
        (RANKS, "torch.distributed.DistNetworkError: the connection was closed", "train.py:16"),
        (SYNTAX, "SyntaxError: invalid syntax", "train.py:1"),
        (OWN_CLASS, "__main__.Trouble: deep", "train.py:4"),
        (CHAINED, "RuntimeError: no label", "train.py:4"),
        (FATAL, "Fatal Python error: Segmentation fault", "train.py:5"),
        (PLAIN.replace(f"{CODE}/", ""), "ValueError: the loss is nan", "steps.py:3"),
    ],
    ids=["plain", "stripped", "ranks", "syntax", "own class", "chained", "fatal", "relative"],
)
def test_the_last_error_that_went_through_the_users_code_is_found(
    log: str, error: str, where: str
) -> None:
    assert find_error(log.splitlines(), CODE) == LoggedError(error, where)


@pytest.mark.parametrize(
    "log",
    [
        "",
        "epoch 1\nloss=0.5\n",
        "Traceback (most recent call last):\n",
        PLAIN[: PLAIN.index("Val")],
    ],
    ids=["empty", "nothing wrong", "only begun", "cut off"],
)
def test_without_a_whole_traceback_nothing_is_found(log: str) -> None:
    assert find_error(log.splitlines(), CODE) == NOTHING_LOGGED


def test_an_error_that_was_only_logged_before_is_not_the_users_where_it_is_anothers() -> None:
    log = PLAIN.replace(str(CODE), "/venv/lib/python3.11/site-packages/lib")
    assert find_error(log.splitlines(), CODE) == NOTHING_LOGGED
