"""Every deliberate error of Sagelet. They carry facts; the edges choose words for them.

    SageletError
    ├── NotFound                 ModelNotFound, EndpointConfigNotFound, EndpointNotFound,
    │                            TrainingJobNotFound, LogGroupNotFound, LogStreamNotFound,
    │                            BucketNotFound, KeyNotFound, UploadNotFound, ApiKeyNotFound
    ├── AlreadyExists, BucketNotEmpty, Busy, IllegalMove          the present state forbids it
    ├── InvalidRequest           a request that is well-formed and makes no sense
    │   └── NotSupported         ... or that this release does not serve
    ├── TooManyHosts             a training job that is too large for one machine
    ├── EndpointNotInService, VariantNotFound, QueueFull          nobody to answer an invocation
    ├── TargetModelNotSupported, TargetModelRequired, ModelNotReady,
    │   ModelNotLoaded, ModelAlreadyLoaded, NoRoomForModel        several models in one container
    ├── ModelStreamBroken        a streamed answer that ended half-way
    ├── ModelDataMissing, UnsafeArchive                           data that cannot be used
    │   └── TargetModelMissing   ... of a model that an invocation names
    ├── DiskFull
    ├── SourceNotWritten         a script or notebook that stays as it was
    │   └── SourceChanged        ... since somebody has changed it meanwhile
    ├── UnreadableSource         a script, notebook or archive that cannot be looked at
    │   └── PathNotFound         ... since it is not there
    ├── UnknownRule              what a check is asked for, and does not know
    ├── ChildFailed              a child process ended, or never came up
    │   └── WorkerStartFailed    ... because the user's model would not load
    ├── RequirementsFailed       a requirements.txt that cannot be installed
    ├── ConfigError              ConfigNotFound, UnknownEnvironment, UnknownSetting, BadConfig,
    │                            InheritedEndpoint
    ├── DaemonError              DaemonRunning, DaemonStartFailed, VersionSkew, PortTaken
    ├── StateError               the state directory cannot be used
    └── RemoteError              RemoteRefused, RemoteUnreachable, WaitTimedOut, OperationFailed,
                                 NoCredentials, WrongAccount

This package is read by workers too: standard library only, Python 3.9's syntax.
"""

from __future__ import annotations

from sagelet.errors.configuration import (
    BadConfig,
    ConfigError,
    ConfigNotFound,
    InheritedEndpoint,
    UnknownEnvironment,
    UnknownRule,
    UnknownSetting,
)
from sagelet.errors.daemon import (
    DaemonError,
    DaemonRunning,
    DaemonStartFailed,
    PortTaken,
    StateError,
    VersionSkew,
)
from sagelet.errors.data import (
    DiskFull,
    ModelDataMissing,
    PathNotFound,
    SourceChanged,
    SourceNotWritten,
    TargetModelMissing,
    UnreadableSource,
    UnsafeArchive,
)
from sagelet.errors.remote import (
    NoCredentials,
    OperationFailed,
    RemoteError,
    RemoteRefused,
    RemoteUnreachable,
    WaitTimedOut,
    WrongAccount,
)
from sagelet.errors.resources import (
    AlreadyExists,
    ApiKeyNotFound,
    BucketNotEmpty,
    BucketNotFound,
    Busy,
    EndpointConfigNotFound,
    EndpointNotFound,
    IllegalMove,
    InvalidRequest,
    KeyNotFound,
    LogGroupNotFound,
    LogStreamNotFound,
    ModelNotFound,
    NotFound,
    NotSupported,
    TooManyHosts,
    TrainingJobNotFound,
    UploadNotFound,
)
from sagelet.errors.root import (
    SageletError,
)
from sagelet.errors.serving import (
    ChildFailed,
    EndpointNotInService,
    ModelAlreadyLoaded,
    ModelNotLoaded,
    ModelNotReady,
    ModelStreamBroken,
    NoRoomForModel,
    QueueFull,
    RequirementsFailed,
    TargetModelNotSupported,
    TargetModelRequired,
    VariantNotFound,
    WorkerStartFailed,
)

__all__ = [
    "AlreadyExists",
    "ApiKeyNotFound",
    "BadConfig",
    "BucketNotEmpty",
    "BucketNotFound",
    "Busy",
    "ChildFailed",
    "ConfigError",
    "ConfigNotFound",
    "DaemonError",
    "DaemonRunning",
    "DaemonStartFailed",
    "DiskFull",
    "EndpointConfigNotFound",
    "EndpointNotFound",
    "EndpointNotInService",
    "IllegalMove",
    "InheritedEndpoint",
    "InvalidRequest",
    "KeyNotFound",
    "LogGroupNotFound",
    "LogStreamNotFound",
    "ModelAlreadyLoaded",
    "ModelDataMissing",
    "ModelNotFound",
    "ModelNotLoaded",
    "ModelNotReady",
    "ModelStreamBroken",
    "NoCredentials",
    "NoRoomForModel",
    "NotFound",
    "NotSupported",
    "OperationFailed",
    "PathNotFound",
    "PortTaken",
    "QueueFull",
    "RemoteError",
    "RemoteRefused",
    "RemoteUnreachable",
    "RequirementsFailed",
    "SageletError",
    "SourceChanged",
    "SourceNotWritten",
    "StateError",
    "TargetModelMissing",
    "TargetModelNotSupported",
    "TargetModelRequired",
    "TooManyHosts",
    "TrainingJobNotFound",
    "UnknownEnvironment",
    "UnknownRule",
    "UnknownSetting",
    "UnreadableSource",
    "UnsafeArchive",
    "UploadNotFound",
    "VariantNotFound",
    "VersionSkew",
    "WaitTimedOut",
    "WorkerStartFailed",
    "WrongAccount",
]
