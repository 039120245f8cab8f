"""Ours: a daemon on a home of its own and the project behind an endpoint, signature verified."""

from __future__ import annotations

import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.material import Material
from benchmarks.measuring import Bench
from benchmarks.servers import DidNotRun, Running, check, first_answer, tail
from benchmarks.signing import signed
from sagelet import __version__
from sagelet.domain.home import Home
from sagelet.environments import credentials, daemon

CONFIG = """\
environments:
  local: {{model_name: bench, aws_role: bench, instance_type: local, workers: {workers}}}
serve: {{source: ., entry_point: {entry_point}, model: model}}
train: {{source: ., entry_point: train.py}}
"""
ONE_BY_ONE, COALESCED = "serve.py", "coalesced.py"


@dataclass(frozen=True)
class Ours:
    """Sagelet with one of the handler files."""

    name: str
    entry_point: str = ONE_BY_ONE
    workers: int = 2
    warm_s: float = 2.0

    def version(self) -> str:
        """Return our release and the interpreter's."""
        return f"sagelet {__version__}, Python {platform.python_version()}"

    @contextmanager
    def run(self, material: Material) -> Iterator[Running]:
        """Deploy with nothing running; `sagelet deploy` starts the daemon."""
        with self.deployed(material) as (_, running):
            yield running

    @contextmanager
    def deployed(self, material: Material) -> Iterator[tuple[Bench, Running]]:
        """Do the same and also hand over the home and the project."""
        with tempfile.TemporaryDirectory(prefix="sagelet-bench-") as folder:
            copied = material.copy(Path(folder, "project"))
            config = CONFIG.format(workers=self.workers, entry_point=self.entry_point)
            (copied.folder / "sagelet.yml").write_text(config, encoding="utf-8")
            bench = Bench(Home(Path(folder, "home")), copied.folder)
            try:
                yield bench, self._deploy(bench, material)
            finally:
                bench.sagelet("down")

    def _deploy(self, bench: Bench, material: Material) -> Running:
        log = bench.project.parent / "deploy.log"  # not in what is watched
        begun = time.perf_counter()
        with log.open("wb") as output:
            deploy = subprocess.Popen(
                [sys.executable, "-m", "sagelet", "deploy", "-q"],
                cwd=bench.project,
                env=bench.environment,
                stdout=output,
                stderr=output,
            )
        url = f"{_address(bench, deploy, log)}/endpoints/bench/invocations"
        key = credentials.load_or_create(bench.home)

        def headers() -> Mapping[str, str]:
            return signed(url, key)

        body = first_answer(url, headers, has_ended=lambda: bool(deploy.poll()), log=log)
        start_s = time.perf_counter() - begun
        check(material, body)
        deploy.wait()
        return Running(url, bench.info.pid, headers, start_s)


def _address(bench: Bench, deploy: subprocess.Popen[bytes], log: Path) -> str:
    """Return where the daemon is as soon as it is there."""
    while (found := daemon.read(bench.home)) is None:
        if deploy.poll():
            raise DidNotRun(f"`sagelet deploy` failed:\n{tail(log)}")
        time.sleep(0.005)
    return found.address
