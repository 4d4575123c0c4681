# make demo | test | check | bench | prove | tools | clean
# Everything a target needs it brings by itself: the environment in .venv, Asterisk in a cached folder (docs/operating.md).
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
PIP := $(RUN) -m pip install -qq --disable-pip-version-check
PIP_FAILED = echo "pip could not install (above): is there a network, or an index in pip.conf?" >&2; exit 1;
MADE := $(VENV)/.made
SERVICE := $(VENV)/.service-made
TESTING := $(VENV)/.testing-made
# Most of the real Asterisk tier waits for phones: three files at a time keep two cores busy.
WORKERS ?= 3

.PHONY: demo test check pytest bench prove prompts tools clean

demo: $(SERVICE)
	@$(RUN) -m cti demo $(ARGS)

test: check pytest

check: $(TESTING)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

# Files in order of their names: the real Asterisk's come first. Largest first, the longest file of one test would be last.
pytest: $(TESTING) tools
	$(RUN) -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

bench: $(TESTING) tools
	$(RUN) -m bench $(ARGS)

prove: $(SERVICE)
	@$(RUN) -m cti prove --lab $(ARGS)

# asterisk-conf/sounds/ from its table of texts; needs espeak-ng and sox.
prompts:
	$(PYTHON) asterisk-conf/prompts/make.py

# Asterisk, SIPp, Mosquitto, Chromium and Chinese fonts: installed ones are used, missing ones are brought.
tools: $(SERVICE)
	@$(RUN) -m cti.lab.tools

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Made anew when it was not finished: an interrupted start leaves no half environment behind.
$(MADE):
	@command -v $(PYTHON) >/dev/null \
	  || { echo "$(PYTHON) is missing: apt-get install python3 python3-venv, or make PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "$(PYTHON) is older than 3.11: make PYTHON=python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
	  || { echo "the venv module is missing: apt-get install python3-venv" >&2; exit 1; }
	@echo "making the environment in $(VENV)"
	@rm -rf $(VENV)
	@$(PYTHON) -m venv $(VENV)
	@touch $@

# The byte code, as pip makes it for a package: where Python may not write it, every start would compile everything anew.
$(SERVICE): pyproject.toml | $(MADE)
	@echo "installing the service's libraries"
	@$(PIP) --editable . || { $(PIP_FAILED) }
	@$(RUN) -m compileall -q agents queues recordings regulations cti
	@touch $@

$(TESTING): pyproject.toml $(SERVICE)
	@echo "installing the tools of the tests"
	@$(PIP) --editable '.[dev]' || { $(PIP_FAILED) }
	@touch $@
