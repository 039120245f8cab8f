"""AWS's S3, as moto's server plays it, and a proxy before it that breaks connections."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

MOTO = Path(__file__).parents[1] / ".venv-aws" / "bin" / "moto_server"
KEYS = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
PATIENCE_S = 30.0


@contextmanager
def moto_server(folder: Path) -> Iterator[str]:
    """Run moto's server; its address."""
    port = _free_port()
    with subprocess.Popen(
        [MOTO, "-H", "127.0.0.1", "-p", str(port)],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as server:
        try:
            deadline = time.monotonic() + PATIENCE_S
            while not _answers(port):
                assert time.monotonic() < deadline, "moto does not answer"
                time.sleep(0.02)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()


def s3_client(address: str) -> Any:  # noqa: ANN401  boto3's
    """A client of the emulator."""
    make: Any = boto3.client
    config = Config(s3={"addressing_style": "path"})
    return make("s3", endpoint_url=address, region_name="us-east-1", config=config, **KEYS)


def aws_files(folder: Path, *profiles: str) -> dict[str, str]:
    """Write the files of an AWS configuration; return the variables that name them."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [
        f"[{name}]\naws_access_key_id = testing\naws_secret_access_key = testing\n"
        for name in profiles
    ]
    (folder / "credentials").write_text("".join(lines))
    (folder / "config").write_text("")
    return {
        "AWS_SHARED_CREDENTIALS_FILE": str(folder / "credentials"),
        "AWS_CONFIG_FILE": str(folder / "config"),
        "AWS_EC2_METADATA_DISABLED": "true",
    }


@dataclass
class BreakingProxy:
    """Passes connections on, and breaks the first `breaks` that carry more than `after_bytes`.

    What counts is what the server answers, or `upwards` what it is sent.
    """

    target: int
    breaks: int = 0
    after_bytes: int = 0
    upwards: bool = False
    port: int = field(default_factory=lambda: _free_port())
    broken: int = 0

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @contextmanager
    def running(self) -> Iterator[BreakingProxy]:
        """Listen, in a thread."""
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever)
        thread.start()
        starting = asyncio.start_server(self._serve, "127.0.0.1", self.port)
        server = asyncio.run_coroutine_threadsafe(starting, loop).result(10)
        try:
            yield self
        finally:

            async def stop() -> None:
                server.close()
                tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

            asyncio.run_coroutine_threadsafe(stop(), loop).result(10)
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
        ways = [
            asyncio.ensure_future(self._pass_on(reader, far_writer, counts=self.upwards)),
            asyncio.ensure_future(self._pass_on(far_reader, writer, counts=not self.upwards)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            pass  # the test is over
        finally:
            for way in ways:
                way.cancel()
            writer.transport.abort()
            far_writer.transport.abort()

    async def _pass_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, counts: bool
    ) -> None:
        passed = 0
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                passed += len(data)
                if counts and self.broken < self.breaks and passed > self.after_bytes:
                    self.broken += 1
                    return
                writer.write(data)
                await writer.drain()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def _answers(port: int) -> bool:
    with socket.socket() as trial:
        return trial.connect_ex(("127.0.0.1", port)) == 0
