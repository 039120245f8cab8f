"""Where the model of a deployment comes from, and under which URL the API will find it.

`serve:`, local                 links in .sagelet/<environment>/model, served as a folder
`serve:`, remote                an archive, uploaded to <bucket>/<endpoint>/<hash>/model.tar.gz
`model_data_path`, file://      local: as it is; remote: uploaded
`model_data_path`, s3://        as it is; its ETag is the content
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sagelet.artifacts.hashes import sha256_of, tree_hash
from sagelet.artifacts.uris import FileUri, S3Uri, parse_uri
from sagelet.deploy.form_settings import with_form
from sagelet.deploy.names import default_bucket
from sagelet.deploy.packaging import Package, model_package, packed, working_folder
from sagelet.deploy.remote import Remote
from sagelet.deploy.trained import model_folder
from sagelet.deploy.wanted import ModelData, Staging, Upload
from sagelet.domain.account import LOCAL_ACCOUNT_ID
from sagelet.environments.config import EnvironmentSettings, ProjectConfig
from sagelet.environments.containers import absolute_file_url
from sagelet.errors import ModelDataMissing

_HASH = 16


@dataclass(frozen=True, slots=True)
class Source:
    """A project in one of its environments, and the API that this environment is.

    `model` stands in for the configuration's own: a folder, an archive or a job (see `trained`).
    """

    config: ProjectConfig
    settings: EnvironmentSettings
    remote: Remote
    endpoint: str
    model: str | None = None

    def model_data(self) -> ModelData:
        """Return the model's data; nothing is uploaded or linked yet.

        Raises:
            ConfigError: neither `serve:` nor `model_data_path` says what to serve.
            ModelDataMissing: nothing is at `model_data_path`.
        """
        written = self.settings.model_data_path
        if self.config.serve is None and self.model is None and written is not None:
            return self._existing(written)
        work = working_folder(self.config, self.settings.name)
        package = model_package(self.config, self._named_model())
        package = with_form(package, self.config, work / "ui")
        if self.settings.is_local:
            return self._staged(package)
        archive = packed(package, work / "archives")
        return self._uploaded(archive, package.content_hash, package.program)

    def bucket(self) -> str:
        """Return the bucket: configured, or that of `model_data_path`, or the account's own.

        Raises:
            BadConfig: it is AWS's, in a local environment, and none is configured.
        """
        if self.settings.bucket is not None:
            return self.settings.bucket
        written = self.settings.model_data_path
        if written is not None and written.startswith("s3://"):
            uri = parse_uri(written)
            assert isinstance(uri, S3Uri)
            return uri.bucket
        if self.settings.reads_aws:
            raise self.config.problem(
                ("environments", self.settings.name),
                "`bucket:` is missing: with `s3: aws`, source and output go to one of AWS's",
            )
        account = LOCAL_ACCOUNT_ID if self.settings.is_local else self.remote.identity().account
        return default_bucket(self.remote.region, account)

    def _named_model(self) -> Path | None:
        if self.model is None:
            return None
        return model_folder(
            self.model,
            remote=self.remote,
            endpoint=self.endpoint,
            project=self.config.project,
            work=working_folder(self.config, self.settings.name) / "models",
        )

    def _staged(self, package: Package) -> ModelData:
        folder = working_folder(self.config, self.settings.name) / "model"
        return ModelData(
            url=folder.as_uri(),
            content=package.served_hash,
            program=package.program,
            source=Staging(package, folder),
        )

    def _uploaded(self, archive: Path, content: str, program: str | None) -> ModelData:
        key = f"{self.endpoint}/{content[:_HASH]}/model.tar.gz"
        upload = Upload(archive, self.bucket(), key)
        return ModelData(url=upload.url, content=content, program=program, source=upload)

    def _existing(self, written: str) -> ModelData:
        uri = parse_uri(absolute_file_url(written, self.config.project))
        match uri:
            case S3Uri(bucket, key):
                version = self.remote.object_version(bucket, key)
                if version is None:
                    raise ModelDataMissing(uri=written)
                return ModelData(url=written, content=version)
            case FileUri(path):
                return self._file(path, written)

    def _file(self, path: Path, written: str) -> ModelData:
        if not path.exists():
            raise ModelDataMissing(uri=f"{written} ({path})")
        if self.settings.is_local:
            content = tree_hash(path) if path.is_dir() else sha256_of(path)
            return ModelData(url=path.as_uri(), content=content)
        if path.is_dir():
            raise self.config.problem(
                ("environments", self.settings.name, "model_data_path"),
                "a folder cannot be uploaded as it is; use `serve:`, which packs it",
            )
        return self._uploaded(path, sha256_of(path), None)
