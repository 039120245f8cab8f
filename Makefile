# `make` is the only tool that a fresh machine needs beside Python 3.11 or newer.
.DEFAULT_GOAL := help
.PHONY: help setup demo check test e2e full docs reference oracle lock build bench screenshots clean

PYTHON ?= python3
BIN := .venv/bin
TORCH := 2.13.0
PIP := python -m pip --quiet --disable-pip-version-check

help: ## Show this help
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "%-11s %s\n", $$1, $$2}'

setup: .venv/ready ## Make the environment: the locked libraries, torch and this project

.venv/ready: requirements/dev.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/$(PIP) install --require-hashes -r requirements/dev.txt
	$(BIN)/$(PIP) install --no-deps torch==$(TORCH)
	$(BIN)/$(PIP) install --no-deps --no-build-isolation --editable .
	touch $@

# An interpreter that has torch and nothing of ours: workers must start in it.
.venv-torch/ready: requirements/torch.txt
	$(PYTHON) -m venv .venv-torch
	.venv-torch/bin/$(PIP) install --require-hashes -r requirements/torch.txt
	.venv-torch/bin/$(PIP) install --no-deps torch==$(TORCH)
	touch $@

# AWS's command line, and the emulator that stands in for AWS.
.venv-aws/ready: requirements/aws.txt
	$(PYTHON) -m venv .venv-aws
	.venv-aws/bin/$(PIP) install --require-hashes -r requirements/aws.txt
	touch $@

# A browser for the pages' tests, and what npm has for them: axe-core, and the scripts' type checker.
.venv-web/ready: tests/web/package.json tests/web/package-lock.json
	@missing=$$(for tool in chromium npm; do command -v $$tool >/dev/null || echo $$tool; done); \
	if [ -n "$$missing" ]; then \
		if [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then \
			echo "The tests of the web app need" $$missing "(on Debian: apt-get install" $$missing")." >&2; exit 1; \
		fi; \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends $$missing; \
	fi
	mkdir -p .venv-web
	cp $^ .venv-web
	npm ci --prefix .venv-web --no-audit --no-fund --ignore-scripts --loglevel=error
	touch $@

# The real container's own code, to record what it answers.
.venv-oracle/ready: requirements/oracle.txt
	$(PYTHON) -m venv .venv-oracle
	.venv-oracle/bin/$(PIP) install --require-hashes -r requirements/oracle.txt
	.venv-oracle/bin/$(PIP) install --no-deps torch==$(TORCH)
	touch $@

# The real training toolkit, to compare with and to race against.
.venv-toolkit/ready: requirements/toolkit.txt
	$(PYTHON) -m venv .venv-toolkit
	.venv-toolkit/bin/$(PIP) install --require-hashes -r requirements/toolkit.txt
	.venv-toolkit/bin/$(PIP) install --no-deps torch==$(TORCH)
	touch $@

# The benchmarks' peers, each with the same torch as ours, and the profiler.
.venv-bench-profile/ready: requirements/bench-profile.txt
	$(PYTHON) -m venv .venv-bench-profile
	.venv-bench-profile/bin/$(PIP) install --require-hashes -r $<
	touch $@

.venv-bench-%/ready: requirements/bench-%.txt
	$(PYTHON) -m venv .venv-bench-$*
	.venv-bench-$*/bin/$(PIP) install --require-hashes -r $<
	.venv-bench-$*/bin/$(PIP) install --no-deps torch==$(TORCH)
	touch $@

demo: .venv/ready ## Train, deploy and invoke the example on real data, on this machine
	$(BIN)/python examples/text-classification/demo.py

check: .venv/ready .venv-web/ready ## Lint, types, architecture, documentation
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	.venv-web/node_modules/.bin/tsc --project tests/web
	$(BIN)/mkdocs build --quiet --strict --site-dir build/site

test: .venv/ready .venv-torch/ready .venv-aws/ready .venv-web/ready ## Run the tests, unit to end-to-end
	$(BIN)/pytest -m "not full"

e2e: .venv/ready .venv-torch/ready .venv-aws/ready ## Run the end-to-end tests only
	$(BIN)/pytest -m "not full" tests/end_to_end

full: .venv/ready .venv-torch/ready .venv-aws/ready .venv-web/ready ## Run every test, the long ones too
	$(BIN)/pytest

bench: .venv/ready ## Measure, beside peers, and write docs/benchmarks.md
	$(BIN)/python -m benchmarks

docs: .venv/ready ## Serve the documentation at 127.0.0.1:8000
	$(BIN)/mkdocs serve

reference: .venv/ready ## Write the parts of docs/reference that follow from the code
	$(BIN)/python -m tools.reference

screenshots: .venv/ready .venv-web/ready ## Make the pictures of docs/screenshots.md
	$(BIN)/python -m tools.screenshots

oracle: .venv-oracle/ready .venv-toolkit/ready ## Record anew what the real containers' code does
	.venv-oracle/bin/python -m tests.oracle.record
	PYTHONPATH=src .venv-toolkit/bin/python -m tests.oracle.training.record

build: .venv/ready ## Build the wheel and the sdist
	$(BIN)/uv build --no-build-isolation --python $(BIN)/python --out-dir dist

lock: .venv/ready ## Resolve the requirements anew
	$(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --no-emit-index-url --no-header \
		pyproject.toml --group dev --group torch --output-file requirements/dev.txt
	$(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --no-emit-index-url --no-header \
		--group torch --output-file requirements/torch.txt
	$(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --no-emit-index-url --no-header \
		--group aws --output-file requirements/aws.txt
	for peer in bentoml fastapi litserve torchserve; do \
		$(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --no-emit-index-url --no-header \
			--group bench-$$peer --group torch --output-file requirements/bench-$$peer.txt || exit 1; \
	done
	$(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --no-emit-index-url --no-header \
		--group bench-profile --output-file requirements/bench-profile.txt
	$(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --no-emit-index-url --no-header \
		--group toolkit --group torch --output-file requirements/toolkit.txt
	$(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --no-emit-index-url --no-header \
		--group oracle --output-file requirements/oracle.txt

clean: ## Remove what the other targets made
	rm -rf .venv .venv-torch .venv-aws .venv-web .venv-oracle .venv-toolkit .venv-bench-* build dist
