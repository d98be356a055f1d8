# Every command of the project. Nothing is needed beforehand but python3 (3.11 or newer), make and git.
SHELL := /bin/sh
PYTHON ?= python3
PY := .venv/bin/python
# Many tests wait for something: one process more than there are cores keeps both busy.
PROCESSES ?= 3
UV := $(PYTHON) bootstrap.py uv
MAKEFLAGS += --no-print-directory
# Kept bytecode lets each process start seconds sooner.
unexport PYTHONDONTWRITEBYTECODE
.DEFAULT_GOAL := help
.PHONY: help demo demo-reset run worker test check lint bench lock dist doctor clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

demo: ## the product on sample data: prints addresses and sign-ins, Ctrl-C stops it (PORT=8000, RESET=1)
	@$(PYTHON) bootstrap.py run
	@$(if $(RESET),$(PY) -m nps.cli demo reset)
	@exec $(PY) -m nps.cli demo run $(if $(PORT),--port $(PORT))

demo-reset: ## the demo with its sample data made anew
	@exec $(MAKE) demo RESET=1

run: ## web and worker with the settings of .env and the environment; makes the database first
	@$(PYTHON) bootstrap.py run
	@exec $(PY) -m nps.cli run

worker: ## a worker alone
	@$(PYTHON) bootstrap.py run
	@exec $(PY) -m nps.cli worker

test: export CI := true
test: ## every test, on SQLite and PostgreSQL, with a real browser
	@$(PYTHON) bootstrap.py dev </dev/null
	@$(PY) -m tests.services fetch </dev/null
	@# types are checked on one core; the other compiles the tests meanwhile, once for all processes
	@$(PY) -m pytest --collect-only -q --db both </dev/null >/dev/null 2>&1 & $(MAKE) lint; found=$$?; wait; exit $$found
	@$(PY) -m pytest -n $(PROCESSES) --db both $(ARGS) </dev/null

check: ## the quick half of the tests: lint and types, then SQLite without a browser
	@$(MAKE) lint
	@$(PY) -m pytest -q -n 2 -m "not browser and not slow" $(ARGS) </dev/null

lint: ## ruff, mypy, the arrows between the floors, declared dependencies
	@$(PYTHON) bootstrap.py dev </dev/null
	@$(PY) -m ruff check .
	@$(PY) -m mypy
	@.venv/bin/lint-imports --no-logo
	@.venv/bin/deptry .

bench: ## the figures of bench/ (NAME=redirect_click, FORM=short or long)
	@$(PYTHON) bootstrap.py dev </dev/null
	@exec $(PY) -m bench $(NAME) --form $(or $(FORM),short)

COMPILE = $(UV) pip compile --quiet --universal --generate-hashes --no-header --no-annotate --python-version 3.11 $(if $(UP),--upgrade)
lock: ## the hashed locks in requirements/ from pyproject.toml (UP=1 takes newer versions)
	@$(COMPILE) pyproject.toml -o requirements/run.txt
	@$(COMPILE) pyproject.toml --group test -c requirements/run.txt -o requirements/test.txt
	@$(COMPILE) pyproject.toml --group test --group dev -c requirements/test.txt -o requirements/dev.txt
	@for name in tools servers node; do $(COMPILE) --no-deps requirements/$$name.in -o requirements/$$name.txt || exit 1; done
	@if grep -nE '://|^-|file:' requirements/*.txt; then echo "A lock holds an address or an option; nothing of that may be committed." >&2; exit 1; fi

dist: ## the wheel and the source archive in dist/
	@$(UV) build --quiet --out-dir dist
	@ls -1 dist

doctor: ## is this installation in order, and if not, what to do next
	@$(PYTHON) bootstrap.py run
	@exec $(PY) -m nps.cli doctor

clean: ## everything that can be made again; data in var/ stays
	rm -rf .venv .tools .servers .node .browser node_modules build dist artefacts .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
