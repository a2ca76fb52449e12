# The Customer Workbook. Needs python3 (with venv and pip) and make; `make help` lists what there is.
PYTHON ?= python3
BIN := .venv/bin
CONFIG ?= workbook.toml
PERIOD ?=
CARDS ?= called

.DEFAULT_GOAL := help
.PHONY: help report test test-whole lint lab workshop benchmarks lock clean

help:  ## list the commands
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

# uv installs in seconds what pip takes a minute for; pip is always there. Both check the lock's hashes.
.venv/installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.12"; exit 1; }
	@echo "Installing into .venv (about 1 GB; a minute or two the first time)"
	@$(PYTHON) -m venv .venv
	@if command -v uv >/dev/null 2>&1; then \
	  uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements.lock && \
	  uv pip install --quiet --python $(BIN)/python --no-deps -e .; \
	else \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock && \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .; \
	fi
	@touch $@

report: .venv/installed  ## print the edition: make report [PERIOD=2026-10] [CONFIG=path/to/workbook.toml] [CARDS=10]
	@$(BIN)/workbook report $(PERIOD) --config "$(CONFIG)" --cards "$(CARDS)"

test: .venv/installed  ## run the tests
	@$(BIN)/python -m pytest -q -n auto --dist loadgroup

test-whole: .venv/installed  ## run the tests, and all of each sweep of which they have some
	@WORKBOOK_TESTS=whole $(BIN)/python -m pytest -q -n auto --dist loadgroup

lab: .venv/installed  ## open JupyterLab on the notebooks
	@$(BIN)/workbook lab --config "$(CONFIG)"

workshop: .venv/installed  ## open the workshop's notebook in JupyterLab
	@$(BIN)/workbook workshop --config "$(CONFIG)"

lint: .venv/installed  ## check style, layers and spelling
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/lint-imports && $(BIN)/codespell

data/demo: | .venv/installed
	@$(BIN)/workbook demo >/dev/null

benchmarks: data/demo  ## measure against named peers (an hour or two)
	@$(BIN)/python tests/benchmarks/abc_speed.py
	@$(BIN)/python tests/benchmarks/groups_speed.py
	@$(BIN)/python tests/benchmarks/stock_speed.py
	@$(BIN)/python tests/benchmarks/move_plan.py
	@$(BIN)/python tests/benchmarks/stuffing_rates.py
	@$(BIN)/python tests/benchmarks/figure_speed.py
	@$(BIN)/python tests/benchmarks/press_speed.py
	@$(BIN)/python tests/benchmarks/press_faults.py
	@$(BIN)/python tests/benchmarks/absences_matrix.py
	@$(BIN)/python tests/benchmarks/scopes.py
	@$(BIN)/python tests/benchmarks/forecast_cover.py
	@$(BIN)/python tests/benchmarks/uplift_placebo.py
	@$(BIN)/python tests/benchmarks/hanging_output.py
	@$(BIN)/python tests/benchmarks/card_rounds.py
	@$(BIN)/python tests/benchmarks/lab_run.py
	@$(BIN)/python tests/benchmarks/explorer_speed.py --leak
	@$(BIN)/python tests/benchmarks/sealed_versions.py
	@$(BIN)/python tests/benchmarks/engines_speed.py
	@$(BIN)/python tests/benchmarks/layouts.py --held-out
	@$(BIN)/python tests/benchmarks/sure_rates.py
	@$(BIN)/python tests/benchmarks/call_rates.py
	@$(BIN)/python tests/benchmarks/room_load.py
	@$(BIN)/python tests/benchmarks/turned_rules.py

lock: .venv/installed  ## pin the newest versions that pyproject.toml allows (needs uv)
	@uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --upgrade \
	  --extra dev pyproject.toml -o requirements.lock --quiet
	@echo 'pyspark>=4.0,<5' | uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  --upgrade - -o requirements-spark.lock --quiet

clean:  ## remove what was generated, editions and demo data too
	@rm -rf .venv data/demo data/cache .pytest_cache .ruff_cache .hypothesis build dist
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
	@find reports -mindepth 1 -not -name README.md -delete
