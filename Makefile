# The commands of this project; `make help` lists them.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready

export PLOOMBER_STATS_ENABLED := false
unexport PYTHONDONTWRITEBYTECODE  # without compiled modules every start takes seconds longer
unexport PYTHONPATH VIRTUAL_ENV

.PHONY: help
help:  ## List what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' Makefile

.PHONY: run
run: setup  ## Build every quarter that is due; QUARTER=2019Q1 FILES="a.csv b.csv": take files in
ifneq ($(strip $(FILES)),)
	@[[ -n "$(QUARTER)" ]] || { echo 'QUARTER is missing: make run QUARTER=2019Q1 FILES=...' >&2; exit 2; }
	@$(BIN)/exams deliver --quarter "$(QUARTER)" -- $(FILES)
else ifeq ($(strip $(QUARTER)),)
	@$(BIN)/exams sample
endif
	@$(BIN)/exams build $(if $(strip $(QUARTER)),--quarter "$(QUARTER)",--due)
	@$(BIN)/exams where $(if $(strip $(QUARTER)),--quarter "$(QUARTER)")

# Three at a time, also on two cores: much of what takes long waits for a browser or a kernel.
# tests/conftest.py says in which order.
.PHONY: test
test: lint  ## Check code and notebooks, then run every test
	@$(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder

.PHONY: lint
lint: setup  ## Check code and notebooks without running them
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --quiet --check
	@$(BIN)/mypy --no-error-summary
	@said=$$($(BIN)/lint-imports --no-logo) || { echo "$$said"; exit 1; }

.PHONY: lab
lab: setup  ## Open the notebooks in JupyterLab
	@$(BIN)/exams lab

.PHONY: dashboard
dashboard: setup  ## Serve the dashboard and print its address; HOST=0.0.0.0: to others, by a token
	@$(BIN)/exams dashboard $(if $(HOST),--host "$(HOST)") $(if $(PORT),--port "$(PORT)")

.PHONY: screenshots
screenshots: setup  ## Take the pictures in docs/images/, and those that the tests compare with
	@PYTHONPATH=tests $(BIN)/python docs/screenshots.py
	@$(BIN)/python tests/looks.py

BENCH := $(BIN)/python benchmarks/intake.py

.PHONY: bench
bench: setup .venv-bench/ready  ## Measure intake beside other tools; write docs/performance.md
	@command -v sqlite3 >/dev/null || { echo "The command sqlite3 is missing: apt-get install sqlite3." >&2; exit 1; }
	@$(BENCH) --rows 200000 --beside duckdb pandas sqlite-utils dlt
	@$(BENCH) --rows 1000000 --beside duckdb pandas
	@$(BENCH) --rows 5000000
	@$(BENCH) --rows 10000000 --beside build
	@$(BIN)/python benchmarks/breakdown.py
	@for mode in idle cold further; do $(BIN)/python benchmarks/builds.py $$mode; done
	@$(BIN)/python benchmarks/page.py

.PHONY: fuzz
fuzz: setup .fuzz/ready  ## Feed the reader bytes that nobody expects, for a minute
	@PYTHONPATH=.fuzz $(BIN)/python tests/fuzz_reader.py -max_total_time=60

.PHONY: soak
soak: setup  ## Kill builds at random instants; KILLS=200: each is made good by one more build
	@PYTHONPATH=tests $(BIN)/python tests/recovery.py --kills $(or $(KILLS),200) --seed $(or $(SEED),1)

.PHONY: setup
setup: $(READY)  ## Make .venv from requirements.lock (the other targets do this, too)
	@:

# uv installs in a fifth of the time of pip. It comes from the lock like everything else; where
# it cannot reach the packages (a mirror that only pip has been told of), pip takes over.
$(READY): requirements.lock pyproject.toml $(shell find share -type f)
	@command -v "$(PYTHON)" >/dev/null || { echo "$(PYTHON) was not found: install Python 3.11 or newer, or say make PYTHON=/path/to/python3." >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is older than Python 3.11: say make PYTHON=/path/to/python3.11." >&2; exit 1; }
	@"$(PYTHON)" -c 'import sqlite3, sys; sys.exit(sqlite3.sqlite_version_info < (3, 36))' || { echo "$(PYTHON) has an SQLite older than 3.36 (which the loader needs): say make PYTHON=... for another one." >&2; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) cannot make environments: apt-get install python3-venv." >&2; exit 1; }
	@echo "Making $(VENV) from requirements.lock (once, a minute or so)"
	@"$(PYTHON)" -m venv $(VENV)
	@awk '/^uv==/ { print; on = /\\$$/; next } on { print; on = /\\$$/ }' requirements.lock >$(VENV)/uv.txt
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes --no-deps -r $(VENV)/uv.txt
	@install() { $(BIN)/uv -q pip install --python $(BIN)/python --no-deps "$$@" 2>>$(VENV)/uv.log || \
	    { echo "uv could not ($(VENV)/uv.log); pip does it, more slowly"; \
	      $(BIN)/python -m pip install -q --disable-pip-version-check --no-deps "$${@/--compile-bytecode/--compile}"; }; }; \
	  install --require-hashes --compile-bytecode -r requirements.lock; \
	  install --no-build-isolation -e .
	@touch $@

# Tools that are no part of the product lie apart from it.
.venv-bench/ready: benchmarks/requirements.lock | $(READY)
	@echo "Making .venv-bench from benchmarks/requirements.lock (once)"
	@$(BIN)/uv -q venv --clear --python $(BIN)/python .venv-bench
	@$(BIN)/uv -q pip install --compile-bytecode --python .venv-bench/bin/python --require-hashes -r $<
	@touch $@

.fuzz/ready: tests/fuzz.lock | $(READY)
	@$(BIN)/uv -q pip install --python $(BIN)/python --target .fuzz --require-hashes -r $<
	@touch $@
