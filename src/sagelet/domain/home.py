"""The state directory (`$SAGELET_HOME`), as paths.

state.db                    SQLite: models, endpoint configurations, endpoints, jobs, tags
daemon.json, daemon.lock    the running daemon: pid, start time, port, version
daemon.log                  what the daemon says
credentials                 0600: the generated local access keys
login.html                  0600: leads the browser that `sagelet ui` opened on to the web app
buckets/<bucket>/<key>      S3 objects as plain files; their metadata in buckets/.meta
jobs/<ulid>/                one training job: its order, its journal, a tree for each host
endpoints/<ulid>/           one endpoint: unpacked models, one folder a version
logs/<group>/<stream>       log streams (CloudWatch Logs), names percent-encoded
downloads/                  what jobs read from AWS's buckets, kept for the next one
metrics/<hash>.csv          metrics that were put (CloudWatch); those of jobs are in their folders
history/<2 digits>/<sha256>   bodies of calls; which call has which is in state.db
ports/<port>                locked for as long as a training job uses the port
packages/<hash>/            what a requirements.txt asked for beyond its interpreter's own
interpreters/<hash>.json    what an interpreter has, so that it is not started to ask it
pythonpath/                 holds only our package, for workers in other interpreters
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Home:
    """Where everything lies under one state directory."""

    root: Path

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.root / "state.db"

    @property
    def daemon_file(self) -> Path:
        """What the running daemon says of itself."""
        return self.root / "daemon.json"

    @property
    def daemon_lock(self) -> Path:
        """Locked for as long as a daemon runs on this home."""
        return self.root / "daemon.lock"

    @property
    def daemon_log(self) -> Path:
        """The daemon's own log."""
        return self.root / "daemon.log"

    @property
    def credentials(self) -> Path:
        """The generated local access keys."""
        return self.root / "credentials"

    @property
    def login_page(self) -> Path:
        """What `sagelet ui` has the browser open."""
        return self.root / "login.html"

    @property
    def buckets(self) -> Path:
        """The folder whose sub-folders are buckets."""
        return self.root / "buckets"

    @property
    def logs(self) -> Path:
        """The folder of log groups."""
        return self.root / "logs"

    @property
    def metrics(self) -> Path:
        """The folder of metrics that were put."""
        return self.root / "metrics"

    @property
    def history(self) -> Path:
        """The folder of what calls sent and got."""
        return self.root / "history"

    @property
    def pythonpath(self) -> Path:
        """The one folder that goes on a worker's PYTHONPATH."""
        return self.root / "pythonpath"

    @property
    def packages(self) -> Path:
        """The folder of installed requirements."""
        return self.root / "packages"

    @property
    def downloads(self) -> Path:
        """What jobs have read from AWS's buckets."""
        return self.root / "downloads"

    @property
    def ports(self) -> Path:
        """Where training jobs agree on the ports that they use."""
        return self.root / "ports"

    def job(self, ulid: str) -> Path:
        """The folder of one training job."""
        return self.root / "jobs" / ulid

    def endpoint(self, ulid: str) -> Path:
        """The folder of one endpoint."""
        return self.root / "endpoints" / ulid
