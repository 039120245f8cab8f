"""The peers: the same handlers and weights behind other people's servers, two workers each.

Each is set up as its own documentation says, with torch on one thread and no access log.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.environments import python, versions
from benchmarks.material import CONTENT, Material
from benchmarks.servers import DidNotRun, Running, check, first_answer, free_port, process

WORKERS = 2


@dataclass(frozen=True)
class Command:
    """How a peer is started."""

    argv: Sequence[str | Path]
    variables: Mapping[str, str]


class Peer(ABC):
    """A server that is one command, in an environment of its own."""

    name: str
    short_name: str
    environment: str
    packages: Sequence[str]
    path = "/invocations"
    left_behind: Path | None = None
    warm_s = 2.0

    @abstractmethod
    def command(self, folder: Path, port: int) -> Command:
        """Return the command that serves what is in a folder."""

    def reloading(self, folder: Path, port: int) -> Command | None:  # noqa: ARG002
        """Return the command that also serves what is edited, where there is one."""
        return None

    def edited_file(self, folder: Path) -> Path:
        """Return the handlers' file that is served."""
        return folder / "serve.py"

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
        log = material.folder.parent / "server.log"
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
        if self.left_behind is not None:
            self.left_behind.unlink(missing_ok=True)

    @contextmanager
    def restartable(
        self, material: Material, command: Command, port: int
    ) -> Iterator[tuple[Running, Callable[[], None]]]:
        """Do the same, and hand over what stops it and starts it again."""
        with ExitStack() as current:
            running = current.enter_context(self.serving(material, command, port))

            def restart() -> None:
                current.close()
                log = material.folder.parent / "server.log"
                current.enter_context(
                    process(command.argv, cwd=material.folder, variables=command.variables, log=log)
                )

            yield running, restart
        if self.left_behind is not None:
            self.left_behind.unlink(missing_ok=True)


class FastApi(Peer):
    """What a person writes by hand: an ASGI application under uvicorn."""

    name = "FastAPI + uvicorn, by hand"
    short_name = "FastAPI, uvicorn"
    environment = "fastapi"
    packages = ("fastapi", "uvicorn")

    def command(self, folder: Path, port: int) -> Command:  # noqa: ARG002
        """Return uvicorn's command, with two workers."""
        return self._uvicorn(port, "--workers", str(WORKERS))

    def reloading(self, folder: Path, port: int) -> Command:  # noqa: ARG002
        """Return uvicorn's command that reloads, which has one worker."""
        return self._uvicorn(port, "--reload")

    def _uvicorn(self, port: int, *options: str) -> Command:
        app = ["-m", "uvicorn", "fastapi_app:app", "--port", str(port), "--no-access-log"]
        return Command([python(self.environment), *app, *options], {})


class LitServe(Peer):
    """LitServe, two workers and as many HTTP servers as it starts by itself."""

    name = short_name = "LitServe"
    environment = "litserve"
    packages = ("litserve",)

    def command(self, folder: Path, port: int) -> Command:
        """Return the command."""
        app = folder / "litserve_app.py"
        return Command([python(self.environment), app, str(port), str(WORKERS)], {})


class BentoMl(Peer):
    """BentoML, two workers."""

    name = short_name = "BentoML"
    environment = "bentoml"
    packages = ("bentoml",)

    def command(self, folder: Path, port: int) -> Command:
        """Return the command."""
        return self._serve(folder, port)

    def reloading(self, folder: Path, port: int) -> Command:
        """Return the command that reloads."""
        return self._serve(folder, port, "--reload")

    def _serve(self, folder: Path, port: int, *options: str) -> Command:
        said = ["-m", "bentoml", "serve", "bentoml_app:Handlers", "--host", "127.0.0.1"]
        variables = {
            "BENCH_WORKERS": str(WORKERS),
            "BENTOML_HOME": str(folder.parent / "bentoml"),
            "BENTOML_DO_NOT_TRACK": "True",
        }
        argv: list[str | Path] = [python(self.environment), *said, "--port", str(port), *options]
        return Command(argv, variables)


class TorchServe(Peer):
    """TorchServe as AWS's container runs it: the toolkit's `serve`, which wants to be root.

    As shipped, each worker computes on as many threads as there are cores; by hand, on one.
    """

    short_name = "TorchServe"
    environment = "torchserve"
    packages = ("torchserve", "sagemaker-pytorch-inference")
    left_behind = Path("/etc/sagemaker-ts.properties")
    # Java compiles what it runs often.
    warm_s = 8.0

    def __init__(self, *, as_shipped: bool = False) -> None:
        """Choose the threads."""
        self._as_shipped = as_shipped
        self.name = f"TorchServe, {'as shipped' if as_shipped else 'one thread by hand'}"

    def edited_file(self, folder: Path) -> Path:
        """Return the file in the container's layout."""
        return folder.parent / "ml" / "model" / "code" / "serve.py"

    def command(self, folder: Path, port: int) -> Command:
        """Lay out /opt/ml as the container has it, and return its command.

        Raises:
            DidNotRun: there is no Java, or we may not write where the toolkit does.
        """
        _require_java()
        if os.geteuid() != 0:
            raise DidNotRun(f"the toolkit writes {self.left_behind}: it has to be root")
        base = folder.parent / "ml"
        code = base / "model" / "code"
        code.mkdir(parents=True, exist_ok=True)
        shutil.copy(folder / "model" / "model.pth", base / "model")
        for name in ("serve.py", "one_thread.py"):
            shutil.copy(folder / name, code)
        binaries = python(self.environment).parent
        variables = {
            "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}",
            "SAGEMAKER_BASE_DIR": str(base),
            "SAGEMAKER_PROGRAM": "serve.py" if self._as_shipped else "one_thread.py",
            "SAGEMAKER_MODEL_SERVER_WORKERS": str(WORKERS),
            "TS_INFERENCE_ADDRESS": f"http://127.0.0.1:{port}",
            "TS_MANAGEMENT_ADDRESS": f"http://127.0.0.1:{port}",
            "TEMP": str(folder.parent),
            "LOG_LOCATION": str(folder.parent / "logs"),
            "METRICS_LOCATION": str(folder.parent / "logs"),
        }
        if not self._as_shipped:
            variables["OMP_NUM_THREADS"] = "1"
        return Command([binaries / "serve"], variables)


def _require_java() -> None:
    if shutil.which("java") is None and os.geteuid() == 0 and shutil.which("apt-get"):
        argv = ["apt-get", "install", "--yes", "--quiet", "openjdk-17-jre-headless"]
        subprocess.run(argv, check=False, capture_output=True)
    if shutil.which("java") is None:
        raise DidNotRun("there is no Java (Debian: apt-get install openjdk-17-jre-headless)")
