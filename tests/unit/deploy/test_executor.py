from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sagelet.deploy.executor import Executor
from sagelet.deploy.plan import CreateBucket, Plan, UploadArchive, UploadFolder
from sagelet.deploy.wanted import Upload
from tests.fakes import FakeRemote


def test_uploads_tell_their_size_and_how_far_they_are(tmp_path: Path) -> None:
    file, other = tmp_path / "a", tmp_path / "b"
    file.write_bytes(b"x" * 10)
    other.write_bytes(b"y" * 5)
    bars: list[tuple[int, list[int]]] = []

    @contextmanager
    def progress(size_bytes: int) -> Iterator[Callable[[int], None]]:
        went: list[int] = []
        bars.append((size_bytes, went))
        yield went.append

    plan = Plan(
        (
            CreateBucket("b"),
            UploadArchive(Upload(file, "b", "a.tar.gz")),
            UploadFolder("s3://b/p/", "b", {"p/a": file, "p/b": other}),
        )
    )
    Executor(FakeRemote(), on_step=lambda _step: None, progress=progress).run(plan)
    assert bars == [(10, [10]), (15, [10, 5])]
