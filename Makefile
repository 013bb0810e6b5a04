# Every target does its own set-up: Python 3.11 or newer with pip is all a machine needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
.DEFAULT_GOAL := help

.PHONY: help demo test postgres frameworks check format bench look clean

help:  ## Show this list.
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(VENV)/.demo: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --editable ".[fast]"
	@touch $@

$(VENV)/.dev: $(VENV)/.demo
	$(BIN)/python -m pip install --quiet --group dev
	@touch $@

# An environment of its own: what it installs holds openai back to a version of its own choice.
$(VENV)/.frameworks/.made: $(VENV)/.demo
	$(PYTHON) -m venv $(VENV)/.frameworks
	$(VENV)/.frameworks/bin/python -m pip install --quiet --upgrade "pip>=25.1"
	$(VENV)/.frameworks/bin/python -m pip install --quiet --editable . --group frameworks
	@touch $@

demo: $(VENV)/.demo  ## See every capability, priced, with no account: starts the emulator itself.
	@$(BIN)/mai demo

test: $(VENV)/.dev postgres  ## Run every test. Nothing leaves this machine.
	$(BIN)/python -m pytest -n 2 -rs

# Tests of the ledger in Postgres start a server of their own; without its binaries they are skipped.
postgres:
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null || { \
	  test "$$(id -u)" = 0 && command -v apt-get >/dev/null && export DEBIAN_FRONTEND=noninteractive && \
	  apt-get update -qq && apt-get install -qq --no-install-recommends postgresql >/dev/null; \
	} || echo "No Postgres on this machine: the tests that need one are skipped."

frameworks: $(VENV)/.frameworks/.made  ## Run what is built on the openai package against client.openai().
	$(VENV)/.frameworks/bin/python -m pytest tests/frameworks tests/resources/test_resources_openai.py -k "not fast"

check: $(VENV)/.dev  ## Format, lint and types, without changing a file.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/basedpyright

format: $(VENV)/.dev  ## Format and mend what can be mended.
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.dev  ## Measure against the official clients, litellm and raw libraries; writes benchmarks/RESULTS.md.
	$(BIN)/python benchmarks/run.py
	$(BIN)/python benchmarks/speech.py
	$(BIN)/python benchmarks/sessions.py
	$(BIN)/python benchmarks/continuity.py
	$(BIN)/python benchmarks/ledger.py
	$(BIN)/python benchmarks/reports.py

look: $(VENV)/.dev  ## See the HTML report in Chromium (installed with apt if missing): PNG files in look/.
	@command -v chromium chromium-browser google-chrome >/dev/null || apt-get install -y --no-install-recommends chromium
	MAI_LOOK=$(CURDIR)/look $(BIN)/python -m pytest tests/metering/test_metering_html.py -k browser
	@ls look/*.png

clean:  ## Remove what these commands made.
	rm -rf $(VENV) benchmarks/.venv look .pytest_cache .mypy_cache .ruff_cache dist
