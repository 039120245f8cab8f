"""The peers: the same handlers and weights behind other people's servers, two workers each."""

from __future__ import annotations

import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.environments import python, versions
from benchmarks.material import CONTENT, Material
from benchmarks.servers import Running, check, first_answer, free_port, process

WORKERS = 2


@dataclass(frozen=True)
class Command:
    """How a peer is started."""

    argv: Sequence[str | Path]
    variables: Mapping[str, str]


class Peer(ABC):
    """A server that is one command, in an environment of its own."""

    name: str
    environment: str
    packages: Sequence[str]
    path = "/invocations"
    warm_s = 2.0

    @abstractmethod
    def command(self, folder: Path, port: int) -> Command:
        """Return the command that serves what is in a folder."""

    def version(self) -> str:
        """Return the releases that matter."""
        return versions(self.environment, self.packages)

    @contextmanager
    def run(self, material: Material) -> Iterator[Running]:
        """Start it on the material."""
        python(self.environment)
        with tempfile.TemporaryDirectory(prefix="peer-") as folder:
            copied = material.copy(Path(folder, "project"))
            with self.serving(copied, self.command(copied.folder, port := free_port()), port) as it:
                yield it

    @contextmanager
    def serving(self, material: Material, command: Command, port: int) -> Iterator[Running]:
        """Run a command and wait until it answers as the handlers do.

        Raises:
            DidNotRun: it does not.
        """
        url = f"http://127.0.0.1:{port}{self.path}"
        log = material.folder / "server.log"
        begun = time.perf_counter()
        with process(
            command.argv, cwd=material.folder, variables=command.variables, log=log
        ) as started:
            body = first_answer(
                url, lambda: CONTENT, has_ended=lambda: started.poll() is not None, log=log
            )
            start_s = time.perf_counter() - begun
            check(material, body)
            yield Running(url, started.pid, lambda: CONTENT, start_s)


class FastApi(Peer):
    """What a person writes by hand: an ASGI application under uvicorn."""

    name = "FastAPI + uvicorn, by hand"
    environment = "fastapi"
    packages = ("fastapi", "uvicorn")

    def command(self, folder: Path, port: int) -> Command:  # noqa: ARG002
        """Return uvicorn's command, with two workers."""
        app = ["-m", "uvicorn", "fastapi_app:app", "--port", str(port), "--no-access-log"]
        return Command([python(self.environment), *app, "--workers", str(WORKERS)], {})
