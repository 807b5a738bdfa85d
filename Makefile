# Two commands: `make run` shows the product at work, `make test` proves it.

SHELL := /bin/bash
PYTHON ?= $(shell for name in python3 python3.11 python3.12 python3.13 python3.14; do \
	$$name -c 'import sys; raise SystemExit(sys.version_info < (3, 11))' 2>/dev/null && echo $$name && break; done)
PORT ?= 8000
STATE ?= .state
DATA ?=

# What the pages are built from.
APP := $(wildcard app/*.js app/*.json) $(shell find app/src -type f 2>/dev/null)

.PHONY: setup run test check bench real-inputs soak lock

setup: .venv/.ready passport/web/built/manifest.json

# The stamp names what was installed; as long as it is newer than both files nothing is asked of a registry.
.venv/.ready: requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed (looked for python3, python3.11 ... python3.14)."; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$(PYTHON) comes without venv or ensurepip; install them first (Debian, Ubuntu: apt-get install python3-venv)."; exit 1; }
	@test -x .venv/bin/python && .venv/bin/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv
	@echo "Installing what requirements.lock names into .venv (one to two minutes the first time) ..."
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

# The installation has built the pages; what changed since then is built again.
passport/web/built/manifest.json: .venv/.ready hatch_build.py $(APP)
	@.venv/bin/python hatch_build.py

run: setup
	@exec .venv/bin/passport demo --state $(STATE) --port $(PORT)

# Bytecode is kept even where the environment forbids it: the tests start the service often, and import much.
test: setup
	@.venv/bin/python -m tests.browser.chromium
	PYTHONDONTWRITEBYTECODE= .venv/bin/python -m pytest -n 2 --dist worksteal \
		--hypothesis-profile=repeatable $(ARGS)

check: setup
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports --no-logo
	.venv/bin/python hatch_build.py check
	.venv/bin/python -m pytest -q tests/unit/house

bench: setup
	.venv/bin/python -m bench

# The published files that prescriptions and devices really send, through the public interfaces.
real-inputs: setup
	@test -n "$(DATA)" || { echo "usage: make real-inputs DATA=folder"; exit 2; }
	.venv/bin/python -m tests.real_inputs "$(DATA)"

soak: setup
	.venv/bin/python -m bench.soak $(ARGS)

# The header stays free of the machine that wrote it.
lock: setup
	CUSTOM_COMPILE_COMMAND="make lock" .venv/bin/pip-compile --quiet --extra dev --generate-hashes \
		--no-emit-index-url --no-emit-find-links --no-emit-trusted-host --strip-extras --allow-unsafe \
		--output-file requirements.lock pyproject.toml
	@touch .venv/.ready
