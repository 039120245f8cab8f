"""A call of an endpoint as programs make it: text to paste, with the very body that is sent.

    curl, requests, fetch               the JSON API, with a key in $SAGELET_API_KEY
    AWS CLI, boto3, SageMaker SDK       AWS's own API, in a shell that `sagelet env` has set up
    sagelet invoke                      no key at all

A body that is text stands in the snippet, written down as the language does (`literals`). One that
is none, or is long, is read from a file.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

from sagelet.domain.media import suffix_of
from sagelet.web.literals import js_text, python_text, sh_text

KEY_VARIABLE = "SAGELET_API_KEY"
INLINE_CHARACTERS = 4_000
"""A longer body makes no snippet that can be read."""

_KEY = f'"Authorization: Bearer ${KEY_VARIABLE}"'
_ENV = 'eval "$(sagelet env)"'
_IN_ENV = f"# in a shell after: {_ENV}"


@dataclass(frozen=True, slots=True)
class Called:
    """What is asked: `address` is the daemon's, without a slash at its end.

    `needs_key` is not so where anybody may ask.
    """

    address: str
    endpoint: str
    body: bytes
    content_type: str
    accept: str = ""
    variant: str = ""
    model: str = ""
    needs_key: bool = True

    @property
    def url(self) -> str:
        """Where predictions are asked for."""
        return f"{self.address}/api/v1/predict/{quote(self.endpoint, safe='')}"

    @property
    def text(self) -> str | None:
        """The body, if it can stand in a snippet."""
        try:
            text = self.body.decode("utf-8")
        except UnicodeDecodeError:
            return None
        return text if len(text) <= INLINE_CHARACTERS and "\0" not in text else None

    @property
    def file(self) -> str:
        """What the body's file is called."""
        return f"payload{suffix_of(self.content_type)}"

    @property
    def headers(self) -> list[tuple[str, str]]:
        """The header fields of a request, but for the key."""
        wanted = [
            ("Content-Type", self.content_type),
            ("Accept", self.accept),
            ("X-Amzn-SageMaker-Target-Variant", self.variant),
            ("X-Amzn-SageMaker-Target-Model", self.model),
        ]
        return [(name, value) for name, value in wanted if value]


@dataclass(frozen=True, slots=True)
class Snippet:
    """A call to paste; `key` tells it from the others, `language` is sh, python or js."""

    key: str
    title: str
    language: str
    code: str


def snippets_of(called: Called) -> tuple[Snippet, ...]:
    """Return a call in every way that we know."""
    return tuple(
        Snippet(key, title, language, write(called)) for key, title, language, write in _WAYS
    )


def _curl(called: Called) -> str:
    # Text that begins with an @ would name a file to --data-binary.
    body = f"--data-binary @{called.file}"
    if called.text is not None:
        body = f"--data-raw {sh_text(called.text)}"
    headers = "".join(f"  -H {sh_text(f'{name}: {value}')} \\\n" for name, value in called.headers)
    key = f"  -H {_KEY} \\\n" if called.needs_key else ""
    return f"curl -sS --fail-with-body {called.url} \\\n{key}{headers}  {body}"


def _aws_cli(called: Called) -> str:
    options = [
        ("endpoint-name", called.endpoint),
        ("content-type", called.content_type),
        ("accept", called.accept),
        ("target-variant", called.variant),
        ("target-model", called.model),
    ]
    given = "".join(f" \\\n  --{name} {sh_text(value)}" for name, value in options if value)
    begin = "" if called.text is None else f"printf %s {sh_text(called.text)} > {called.file}\n"
    return (
        f"{_ENV}\n{begin}aws sagemaker-runtime invoke-endpoint{given} \\\n"
        f"  --body fileb://{called.file} answer && cat answer"
    )


def _sagelet(called: Called) -> str:
    options = [
        ("content-type", called.content_type),
        ("accept", called.accept),
        ("variant", called.variant),
        ("target-model", called.model),
    ]
    given = "".join(f" --{name} {sh_text(value)}" for name, value in options if value)
    body = f"-f {called.file}" if called.text is None else f"-d {sh_text(called.text)}"
    return f"sagelet invoke {called.endpoint}{given} {body}"


def _boto3(called: Called) -> str:
    members = [
        ("EndpointName", called.endpoint),
        ("ContentType", called.content_type),
        ("Accept", called.accept),
        ("TargetVariant", called.variant),
        ("TargetModel", called.model),
    ]
    given = "".join(f"    {name}={value!r},\n" for name, value in members if value)
    return (
        f"{_IN_ENV}\n{_python_head('boto3', called)}\n"
        f'runtime = boto3.client("sagemaker-runtime")\n'
        f"answer = runtime.invoke_endpoint(\n{given}    Body=body,\n)\n"
        f'sys.stdout.buffer.write(answer["Body"].read())'
    )


def _sagemaker(called: Called) -> str:
    accept = f"accept={called.accept!r}" if called.accept else ""
    targets = [("target_variant", called.variant), ("target_model", called.model)]
    given = "".join(f", {name}={value!r}" for name, value in targets if value)
    return (
        f"{_IN_ENV}   (the SDK's version 2)\n{_python_body_imports(called)}\n\n"
        "from sagemaker.deserializers import BytesDeserializer\n"
        "from sagemaker.predictor import Predictor\n"
        "from sagemaker.serializers import IdentitySerializer\n\n"
        f"{_python_body(called)}\n"
        f"predictor = Predictor(\n    {called.endpoint!r},\n"
        f"    serializer=IdentitySerializer(content_type={called.content_type!r}),\n"
        f"    deserializer=BytesDeserializer({accept}),\n)\n"
        f"sys.stdout.buffer.write(predictor.predict(body{given}))"
    )


def _requests(called: Called) -> str:
    fields = "".join(f"        {name!r}: {value!r},\n" for name, value in called.headers)
    key = f"        'Authorization': 'Bearer ' + os.environ['{KEY_VARIABLE}'],\n"
    return (
        f"{_python_head('requests', called, 'import os' if called.needs_key else '')}\n"
        f"answer = requests.post(\n    {called.url!r},\n    data=body,\n    headers={{\n"
        f"{key if called.needs_key else ''}{fields}    }},\n)\n"
        "answer.raise_for_status()\nsys.stdout.buffer.write(answer.content)"
    )


def _fetch(called: Called) -> str:
    begin = "" if called.text is not None else 'import { readFile } from "node:fs/promises";\n\n'
    body = f"await readFile({js_text(called.file)})"
    if called.text is not None:
        body = js_text(called.text)
    fields = "".join(f"    {js_text(name)}: {js_text(value)},\n" for name, value in called.headers)
    key = f"    Authorization: `Bearer ${{process.env.{KEY_VARIABLE}}}`,\n"
    return (
        f"// node 20: save it as predict.mjs\n{begin}"
        f'const answer = await fetch({js_text(called.url)}, {{\n  method: "POST",\n  headers: {{\n'
        f"{key if called.needs_key else ''}{fields}  }},\n"
        f"  body: {body},\n}});\n"
        "if (!answer.ok) throw new Error(await answer.text());\n"
        "process.stdout.write(Buffer.from(await answer.arrayBuffer()));"
    )


def _python_head(library: str, called: Called, more: str = "") -> str:
    imports = "\n".join(filter(None, [more, _python_body_imports(called)]))
    return f"{imports}\n\nimport {library}\n\n{_python_body(called)}"


def _python_body_imports(called: Called) -> str:
    return "import sys" if called.text is not None else "import sys\nfrom pathlib import Path"


def _python_body(called: Called) -> str:
    if called.text is None:
        return f"body = Path({called.file!r}).read_bytes()"
    return f"body = {python_text(called.text)}.encode()"


_WAYS: tuple[tuple[str, str, str, Callable[[Called], str]], ...] = (
    ("curl", "curl", "sh", _curl),
    ("requests", "Python requests", "python", _requests),
    ("fetch", "JavaScript fetch", "js", _fetch),
    ("sagelet", "sagelet invoke", "sh", _sagelet),
    ("aws", "AWS CLI", "sh", _aws_cli),
    ("boto3", "boto3", "python", _boto3),
    ("sagemaker", "SageMaker Python SDK", "python", _sagemaker),
)
