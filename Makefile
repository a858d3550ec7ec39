# Every target sets up what it needs; the machine has to have python3 (3.11 or later), make and git.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help run serve test check bench fuzz clean

help: ## this list
	@echo "make TARGET [ARGS='...']"
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(INSTALLED) ## run the weather example from start to end
	$(BIN)/python examples/weather/demo.py

serve: $(INSTALLED) ## start the server: ARGS are those of 'perdure serve'
	$(BIN)/perdure serve $(ARGS)

# Those that start servers and measure real time have the machine to themselves.
test: $(INSTALLED) ## run the tests, on all cores where they can: ARGS are those of one plain pytest
ifdef ARGS
	$(BIN)/python -m pytest $(ARGS)
else
	@$(BIN)/python -m pytest -m 'not alone' --numprocesses=auto --dist=worksteal; beside=$$?; \
	$(BIN)/python -m pytest -m alone; alone=$$?; \
	echo "exit codes: $$beside of the tests beside each other, $$alone of those alone"; \
	exit $$((beside | alone))
endif

check: $(INSTALLED) ## lint, format, types and layers
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(INSTALLED) ## measure: ARGS are those of the benchmarks
	$(BIN)/python -m benchmarks $(ARGS)

fuzz: $(INSTALLED) ## send 20,000 made-up requests: ARGS are another number, and a seed
	$(BIN)/python -m tests.fuzz $(ARGS)

clean: ## remove the virtual environment, caches and builds, never data
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name .git -prune -o -type d -name __pycache__ -prune -exec rm -rf {} +

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "perdure needs Python 3.11 or later; '$(PYTHON)' is $$($(PYTHON) --version 2>&1)." >&2; \
		echo "Name another one: make PYTHON=python3.12 ..." >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@
