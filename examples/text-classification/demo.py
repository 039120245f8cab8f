"""The whole journey on this machine: train, deploy, invoke. `make demo` runs it.

Each step is a command that you can type yourself, in this folder.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import time
from pathlib import Path

from text_classification import data

PROJECT = Path(__file__).resolve().parent
PAYLOAD = PROJECT / "tests" / "payloads" / "wimbledon.json"
ENDPOINT = "pytorch-text-classification"
# The first article's figure for deploying to SageMaker's own local mode, in seconds.
ARTICLE_S = 23


def main() -> None:
    """Run the steps and say what they gave."""
    print("# the data: 23,703 texts of four kinds (from vaderSentiment's sources, MIT)", flush=True)
    rows = data.load(PROJECT / data.DATA_DIR)
    print(f"{len(rows):,} texts in {data.DATA_DIR}\n", flush=True)

    print("# a baseline on the same split: TF-IDF with logistic regression", flush=True)
    run(sys.executable, "baseline.py")

    print("# train, as a SageMaker training job", flush=True)
    sagelet("train")

    print("# deploy what the job made, to a SageMaker endpoint", flush=True)
    started = time.monotonic()
    sagelet("deploy", "--model", "latest")
    answer = sagelet("invoke", "-f", str(PAYLOAD.relative_to(PROJECT)), capture=True)
    seconds = time.monotonic() - started
    print(json.dumps(json.loads(answer), indent=4))
    print(f"\nfrom `deploy` to the first answer: {seconds:.1f} s (the article: {ARTICLE_S} s)\n")

    print("# the endpoint stays up")
    sagelet("status")
    print("""\
Ask it from anywhere on this machine:
    python deploy/sagemaker/test.py              # boto3, through DeployEnv
    eval "$(sagelet env)"                        # then any AWS client
    aws sagemaker list-endpoints
Edit deploy/sagemaker/serve.py and ask again: the next answer runs the new code.
Stop everything with `sagelet down`.
""")
    print("# its page: choose the example, press Run (later, `sagelet ui` signs in again)")
    sagelet("ui", ENDPOINT, "--no-open")


def sagelet(*arguments: str, capture: bool = False) -> str:
    """Run our own program, shown as it would be typed."""
    return run(sys.executable, "-m", "sagelet", *arguments, capture=capture)


def run(*argv: str, capture: bool = False) -> str:
    """Run a command and show it; end with it if it fails."""
    shown = argv[2:] if argv[1:2] == ("-m",) else ("python", *argv[1:])
    print(f"$ {shlex.join(shown)}", flush=True)
    pipe = subprocess.PIPE if capture else None
    done = subprocess.run(argv, cwd=PROJECT, stdout=pipe, text=True, check=False)
    if done.returncode:
        sys.exit(done.returncode)
    print(flush=True)
    return done.stdout or ""


if __name__ == "__main__":
    main()
