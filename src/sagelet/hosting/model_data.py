"""A model's files where a worker sees them: the tree that appears as /opt/ml.

    endpoints/<ulid>/versions/<generation>/<variant>/
      unpacked/     what the archive held
      ml/model      the model's root: a folder of ours, or a link to the user's own folder

A `file://` URL of a folder is served from where it is, and watched; an archive is unpacked once.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from sagelet.artifacts.archives import unpack
from sagelet.artifacts.files import Artifacts
from sagelet.artifacts.uris import FileUri, parse_uri
from sagelet.domain.hosting import Model

MODEL = "model"
"""Where a container of one model has it, below /opt/ml."""

_CODE = "code"


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """Where a model lies. `watched` is the user's own folder, if that is what is served."""

    opt_ml: Path
    root: Path
    watched: Path | None = None

    @property
    def has_code(self) -> bool:
        """Whether there is a `code` folder, as SageMaker's SDK makes one."""
        return (self.root / _CODE).is_dir()

    @property
    def requirements(self) -> Path | None:
        """The requirements.txt beside the code, if there is one."""
        folder = self.root / _CODE if self.has_code else self.root
        file = folder / "requirements.txt"
        return file if file.is_file() else None


def prepare(model: Model, artifacts: Artifacts, into: Path, place: str = MODEL) -> ModelFiles:
    """Lay a model's files out under `into`, which is made anew. It blocks.

    `place` is where the model appears below /opt/ml.

    Raises:
        ModelDataMissing: there is nothing at the model's URL.
        UnsafeArchive: its archive is refused.
        InvalidRequest: the URL is neither s3:// nor file://.
        DiskFull: there is no space.
    """
    shutil.rmtree(into, ignore_errors=True)
    opt_ml = into / "ml"
    link = opt_ml / place
    link.parent.mkdir(parents=True)
    if not model.data_url:
        link.mkdir()
        return ModelFiles(opt_ml, link)
    uri = parse_uri(model.data_url)
    is_folder = artifacts.is_folder(uri)
    if is_folder and isinstance(uri, FileUri):
        root = _root(uri.path.resolve())
        link.symlink_to(root, target_is_directory=True)
        return ModelFiles(opt_ml, root, watched=root)
    unpacked = into / "unpacked"
    if is_folder:
        artifacts.copy_prefix(uri, unpacked)
    else:
        unpack(artifacts.local_path(uri), unpacked)
    _root(unpacked).rename(link)
    return ModelFiles(opt_ml, link)


def _root(folder: Path) -> Path:
    """Return the model's root: an only folder inside is descended into, as the real stack does.

    A model that has nothing but code is left as it is; there the real stack loses the code.
    """
    entries = list(folder.iterdir())
    if len(entries) == 1 and entries[0].is_dir() and entries[0].name != _CODE:
        return entries[0]
    return folder
