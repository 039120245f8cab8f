"""Makes the parts of docs/reference that follow from the code: `make reference`.

A page is written by a person; between two comments stands what is made here:

    <!-- made by tools/reference.py: cli.commands -->
    …
    <!-- end -->

`tests/test_docs.py` fails where a page and the code differ.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from tools import (
    cli_page,
    configuration_page,
    conformance_page,
    contract_differences_page,
    deploy_env_page,
    deviations_page,
    errors_page,
    operations_page,
    rules_page,
)

PAGES = Path(__file__).parents[1] / "docs" / "reference"

PARTS: Mapping[str, Callable[[], str]] = {
    "cli.shared-options": cli_page.shared_options,
    "cli.commands": cli_page.commands,
    "configuration.environment": configuration_page.environment_keys,
    "configuration.serve": configuration_page.serve_keys,
    "configuration.train": configuration_page.train_keys,
    "configuration.ui": configuration_page.ui_keys,
    "configuration.ui-fields": configuration_page.ui_field_keys,
    "configuration.ui-output": configuration_page.ui_output_keys,
    "conformance.departures": conformance_page.departures,
    "conformance.training-versions": conformance_page.training_versions,
    "conformance.versions": conformance_page.versions,
    "contract-differences.requests": contract_differences_page.requests,
    "deploy-env.methods": deploy_env_page.methods,
    "deploy-env.purpose": deploy_env_page.purpose,
    "deviations.ignored": deviations_page.ignored,
    "deviations.refused": deviations_page.refused,
    "deviations.s3-ignored": deviations_page.s3_ignored,
    "deviations.s3-refused": deviations_page.s3_refused,
    "deviations.widened": deviations_page.widened,
    "errors.answers": errors_page.answers,
    "errors.invalid-codes": errors_page.invalid_codes,
    "errors.meanings": errors_page.meanings,
    "errors.tree": errors_page.tree,
    "operations": operations_page.operations,
    "rules.overview": rules_page.overview,
    "rules.rules": rules_page.rules,
}

_PART = re.compile(
    r"(?P<begin><!-- made by tools/reference\.py: (?P<name>[\w.-]+) -->\n).*?(?P<end><!-- end -->)",
    re.DOTALL,
)


def part_names(page: str) -> list[str]:
    """Return the names of the parts that a page has."""
    return [part["name"] for part in _PART.finditer(page)]


def renewed(page: str) -> str:
    """Return a page with its parts made anew.

    Raises:
        KeyError: it has a part that is not made here.
    """
    return _PART.sub(
        lambda part: f"{part['begin']}\n{PARTS[part['name']]()}\n\n{part['end']}", page
    )


def stale() -> Iterator[tuple[Path, str]]:
    """Yield the pages that differ from the code, with what they should be."""
    for path in sorted(PAGES.glob("*.md")):
        page = path.read_text(encoding="utf-8")
        fresh = renewed(page)
        if fresh != page:
            yield path, fresh


def main() -> int:
    """Write the pages that have changed, and name them."""
    # The errors page asks how errors are answered; that they occurred is no news.
    logging.disable(logging.CRITICAL)
    for path, fresh in stale():
        path.write_text(fresh, encoding="utf-8")
        sys.stdout.write(f"wrote {path.relative_to(PAGES.parents[1])}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
