# make demo | test | check | bench | prove | tools | clean
# Everything a target needs it brings by itself: the environment in .venv, Asterisk in a cached folder (docs/operating.md).
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
SERVICE := $(VENV)/.service-made
TESTING := $(VENV)/.testing-made
WORKERS ?= 2

.PHONY: demo test check pytest bench prove tools clean

demo: $(SERVICE)
	@$(RUN) -m cti demo $(ARGS)

test: check pytest

check: $(TESTING)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

pytest: $(TESTING) tools
	$(RUN) -m pytest -n $(WORKERS) --dist loadfile $(ARGS)

bench: $(TESTING) tools
	$(RUN) -m bench $(ARGS)

prove: $(SERVICE)
	@$(RUN) -m cti prove --lab $(ARGS)

# Asterisk, SIPp, Mosquitto, Chromium and Chinese fonts: installed ones are used, missing ones are brought.
tools: $(SERVICE)
	@$(RUN) -m cti.lab.tools

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/bin/python:
	@command -v $(PYTHON) >/dev/null \
	  || { echo "$(PYTHON) is missing: apt-get install python3 python3-venv, or make PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "$(PYTHON) is older than 3.11: make PYTHON=python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
	  || { echo "the venv module is missing: apt-get install python3-venv" >&2; exit 1; }
	@echo "making the environment in $(VENV)"
	@$(PYTHON) -m venv $(VENV)

$(SERVICE): pyproject.toml | $(VENV)/bin/python
	@echo "installing the service's libraries"
	@$(RUN) -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(TESTING): pyproject.toml $(SERVICE)
	@echo "installing the tools of the tests"
	@$(RUN) -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@
