"""The archive that an endpoint is made of."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sagelet.upgrade.contents import WEIGHTS, Contents
from sagelet.upgrade.findings import Rule, Severity
from sagelet.upgrade.projects import REQUIREMENTS
from sagelet.upgrade.rules.requirements import PLACE
from sagelet.upgrade.rules.saving import MODULE_PREFIX
from sagelet.upgrade.subjects import Check, Spot

REFUSED = Rule(
    id="archive-refused",
    title="An archive that is not unpacked",
    severity=Severity.ERROR,
    why=(
        "It is damaged or cut off, is no gzipped tar, or holds what is refused here and by newer "
        "toolkits: names and links that lead outside, devices, more than anybody wants unpacked."
    ),
    fix="Pack it anew, from inside of its folder: `tar -czf model.tar.gz *`.",
)
LAYOUT = Rule(
    id="archive-layout",
    title="An archive with things in the wrong places",
    severity=Severity.WARNING,
    why=(
        "An endpoint unpacks the archive to /opt/ml/model and looks for the handlers in `code/`, "
        "for the weights where model_fn says. Packed with its folder (`tar -czf model.tar.gz "
        "model/`) everything is one level too deep; scripts beside the weights are not found."
    ),
    fix="Put weights at the root and scripts into `code/`, and pack from inside of the folder.",
    example="model/model.pth, model/code/inference.py  # too deep\nmodel.pth, code/inference.py",
)
JUNK = Rule(
    id="archive-junk",
    title="An archive with what a machine left behind",
    severity=Severity.HINT,
    why=(
        "macOS packs a `._` file beside each file: a second `._model.pth` makes the default "
        'model_fn refuse the archive ("Exactly one .pth or .pt file is required"). Byte code and '
        "notebooks' checkpoints only take room."
    ),
    fix="Pack with `COPYFILE_DISABLE=1 tar …`, and leave such files out.",
)
SIZE = Rule(
    id="archive-size",
    title="Data in the archive's code",
    severity=Severity.HINT,
    why=(
        "The archive is downloaded and unpacked for each instance of an endpoint. Data sets that "
        "got into `code/` make each start slower."
    ),
    fix="Keep data out of the source folder, or name it in .sagemakerignore.",
)

_JUNK = re.compile(
    r"(?:^|/)(?:\._[^/]*|\.DS_Store|__MACOSX|__pycache__|\.ipynb_checkpoints|\.git)(?:/|$)"
)
_APPLE = re.compile(r"(?:^|/)\._[^/]*\.pth?$")
_CODE = "code/"
_LARGE_CODE_BYTES = 50_000_000
_AT = (1, 1)


def refused(contents: Contents) -> Iterator[Spot]:
    """Say why an archive would be refused."""
    if contents.refused:
        yield Spot(_AT, contents.refused)


def layout(contents: Contents) -> Iterator[Spot]:
    """Find an archive that is one folder, and scripts outside of code/."""
    names = [file.name for file in contents.files if not _JUNK.search(file.name)]
    if not contents.is_archive or not names or contents.refused:
        return
    tops = {name.partition("/")[0] for name in names}
    folder = next(iter(tops))
    if len(tops) == 1 and f"{folder}/" != _CODE and all("/" in name for name in names):
        yield Spot(_AT, f"everything is in the folder {folder}/: one level too deep")
        return
    scripts = [name for name in names if name.endswith(".py") and "/" not in name]
    if scripts and not any(name.startswith(_CODE) for name in names):
        yield Spot(_AT, f"{scripts[0]} is at the root: handlers are looked for in code/")


def requirements(contents: Contents) -> Iterator[Spot]:
    """Find a requirements.txt at an archive's root."""
    names = {file.name for file in contents.files}
    if contents.is_archive and REQUIREMENTS in names and f"{_CODE}{REQUIREMENTS}" not in names:
        yield Spot(_AT, f"{REQUIREMENTS} is at the archive's root, and read in code/ only")


def junk(contents: Contents) -> Iterator[Spot]:
    """Find what should not have been packed."""
    found = [file.name for file in contents.files if _JUNK.search(file.name)]
    if not found or not contents.is_archive:
        return
    harmful = next((name for name in found if _APPLE.search(name)), None)
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    severity = Severity.WARNING if harmful else None
    yield Spot(_AT, f"it holds {harmful or found[0]}{more}", severity=severity)


def size(contents: Contents) -> Iterator[Spot]:
    """Find much data beside the scripts."""
    code = [file for file in contents.files if file.name.startswith(_CODE)]
    total = sum(file.size_bytes for file in code)
    if total > _LARGE_CODE_BYTES:
        largest = max(code, key=lambda file: file.size_bytes)
        yield Spot(_AT, f"code/ has {total // 1_000_000} MB, above all {largest.name}")


def prefix(contents: Contents) -> Iterator[Spot]:
    """Find weights whose names all begin with `module.`."""
    for file in contents.files:
        if file.name.endswith(WEIGHTS) and file.is_prefixed:
            yield Spot(_AT, f"the keys of {file.name} begin with `module.`")


CHECKS = (
    Check(REFUSED, refused),
    Check(LAYOUT, layout),
    Check(PLACE, requirements),
    Check(JUNK, junk),
    Check(SIZE, size),
    Check(MODULE_PREFIX, prefix),
)
