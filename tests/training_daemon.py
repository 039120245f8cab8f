"""A process that plays the daemon: `python tests/training_daemon.py HOME SCRIPT WARM HOSTS`.

It starts one job with the script and then does nothing but follow it, until it is killed.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from sagelet.domain.training import Cluster
from tests.training_builders import a_metric
from tests.training_machine import TrainingMachine


async def main(home: str, script: str, warm: str, hosts: str) -> None:
    async with TrainingMachine(Path(home), warm=warm == "warm") as machine:
        await machine.begin(
            Path(script).read_text(),
            metrics=(a_metric("line", r"line (\d+)"),),
            cluster=Cluster.of(int(hosts), "ml.m5.xlarge"),
        )
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
