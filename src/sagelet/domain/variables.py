"""The variables named SAGELET_*: what a job's or a model's Environment says to us, not to its code.

A configuration writes them, and the packages that run jobs and endpoints read them. Those that
only one package knows stand there.
"""

from __future__ import annotations

PYTHON = "SAGELET_PYTHON"
"""The interpreter to train or serve with; default: the daemon's own."""

THREADS = "SAGELET_THREADS"
"""Torch's threads in each process; default: for a job the machine's cores, divided, else one."""

CONTRACT = "SAGELET_CONTRACT"
"""`strict`: as the container does, where `sane` does better (SIGTERM, among others)."""

TOOLKIT = "SAGELET_TOOLKIT"
"""`legacy`: arguments are split by a shell, as sagemaker-training before 5.1.3 does."""

INTERRUPT_AFTER = "SAGELET_SIMULATE_INTERRUPTION_S"
"""Seconds of training after which the job's spot instances are taken away, once."""

MAX_BATCH = "SAGELET_MAX_BATCH"
"""How many requests a handler that takes several at once gets at the most."""

PARK_AFTER = "SAGELET_PARK_AFTER"
"""Seconds without a request after which an endpoint's workers end, until the next one comes."""

SAMPLE = "SAGELET_SAMPLE"
"""A file with a request that a new version has to answer before it serves."""

ATTACH = "SAGELET_ATTACH"
"""The socket at which a terminal waits for the endpoint's one worker."""

PASS_CREDENTIALS = "SAGELET_PASS_CREDENTIALS"  # noqa: S105 - a switch
"""`true`: the code sees the machine's AWS credentials instead of local ones."""

S3 = "SAGELET_S3"
"""`aws`: s3:// URIs are AWS's own, read and written with the machine's credentials."""

S3_PROFILE = "SAGELET_S3_PROFILE"
"""The AWS profile to read S3 with, where SAGELET_S3 is `aws`; default: boto3's own choice."""

S3_REGION = "SAGELET_S3_REGION"
"""The region of S3, where SAGELET_S3 is `aws`; default: the profile's, or the daemon's."""

S3_ENDPOINT = "SAGELET_S3_ENDPOINT_URL"
"""Another address than AWS's, where SAGELET_S3 is `aws`: an emulator."""
