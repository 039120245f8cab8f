"""Endpoints whose code brings a requirements.txt: real workers, wheels made by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sagelet.domain.hosting import EndpointStatus
from sagelet.hosting.settings import HostingSettings
from sagelet.supervision import package_path
from sagelet.supervision.launcher import Launchers
from tests.hosting_rig import Rig
from tests.serving_projects import write
from tests.wheels import make_wheel

HANDLERS = """
    import subprocess
    import sys

    import stemmer

    def model_fn(model_dir):
        return stemmer.VERSION

    def transform_fn(model, data, content_type, accept):
        program = "import stemmer; print(stemmer.VERSION)"
        out = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
        return f"{model} {out.stdout.strip()}"
"""


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    launchers = Launchers(
        package_path=package_path.ensure(tmp_path / "pythonpath"),
        preload=("json",),
        on_note=lambda text: None,
    )
    rig = Rig(tmp_path / "home", launchers, HostingSettings(workers=1, drain_s=5, stop_s=2))
    await rig.host.start()
    yield rig
    await rig.host.close()
    await launchers.close()


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    make_wheel(tmp_path / "wheels", "stemmer", "0.3")
    make_wheel(tmp_path / "wheels", "stemmer", "0.4")
    return tmp_path / "wheels"


def project(root: Path, wheels: Path, requirement: str) -> Path:
    requirements = f"--no-index\n--find-links {wheels}\n{requirement}\n"
    return write(root, {"code/inference.py": HANDLERS, "code/requirements.txt": requirements})


async def test_handlers_and_the_programs_they_start_see_what_they_require(
    rig: Rig, tmp_path: Path, wheels: Path
) -> None:
    rig.create(f"file://{project(tmp_path / 'project', wheels, 'stemmer==0.3')}")
    await rig.in_service()
    assert (await rig.ask()).body == b"0.3 0.3"
    await rig.logged("installed stemmer==0.3 in ")


async def test_requirements_that_cannot_be_installed_fail_the_endpoint_in_the_installers_words(
    rig: Rig, tmp_path: Path, wheels: Path
) -> None:
    rig.create(f"file://{project(tmp_path / 'project', wheels, 'stemmer==9')}")
    endpoint = await rig.settled()
    assert endpoint.status is EndpointStatus.FAILED
    assert endpoint.failure_reason is not None
    assert endpoint.failure_reason.startswith("InstallRequirementsError: ")
    assert "stemmer" in endpoint.failure_reason


async def test_an_update_whose_requirements_fail_keeps_the_old_version(
    rig: Rig, tmp_path: Path, wheels: Path
) -> None:
    rig.create(f"file://{project(tmp_path / 'one', wheels, 'stemmer==0.3')}")
    await rig.in_service()
    rig.update(f"file://{project(tmp_path / 'two', wheels, 'stemmer==9')}")
    endpoint = await rig.settled()
    assert endpoint.status is EndpointStatus.IN_SERVICE
    assert endpoint.failure_reason is not None
    assert "InstallRequirementsError" in endpoint.failure_reason
    assert (await rig.ask()).body == b"0.3 0.3"


async def test_edited_requirements_are_installed_for_fresh_workers(
    rig: Rig, tmp_path: Path, wheels: Path
) -> None:
    folder = project(tmp_path / "project", wheels, "stemmer==0.3")
    rig.create(f"file://{folder}")
    await rig.in_service()
    project(folder, wheels, "stemmer==0.4")
    await rig.logged("reloaded requirements.txt in ")
    assert (await rig.ask()).body == b"0.4 0.4"


async def test_edited_requirements_that_cannot_be_installed_are_refused_like_broken_code(
    rig: Rig, tmp_path: Path, wheels: Path
) -> None:
    folder = project(tmp_path / "project", wheels, "stemmer==0.3")
    rig.create(f"file://{folder}")
    await rig.in_service()
    project(folder, wheels, "stemmer==9")
    await rig.logged("requirements.txt is not served, the last good version is: InstallReq")
    answer = await rig.ask()
    assert answer.body == b"0.3 0.3"
    assert "InstallRequirementsError" in answer.headers["x-sagelet-reload-error"]
