# Everything from a fresh machine: only Python 3.11 or later, make and a package index are needed.
# `make` alone lists the targets. PYTHON=python3.12 picks another interpreter, JOBS=4 more workers.

PYTHON ?= python3
JOBS ?= 2
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PYTEST := $(BIN)/python -m pytest --numprocesses=$(JOBS) --dist=loadfile

export PIP_NO_INPUT := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help install demo test test-all bench check format lock wheel clean distclean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(STAMP) ## create .venv with the pinned, hashed requirements and this project

# Hashes are checked and nothing is built from a source archive; setuptools is in the lock, so the
# project itself installs without a build environment of its own.
$(STAMP): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or later is needed: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' || { \
	  echo "This Python cannot create environments (on Debian: apt install python3-venv)" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes --only-binary :all: -r requirements.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@echo "compiling numerical kernels (once, about a minute)"
	$(BIN)/python -m backtester.warmup
	@touch $@

demo: $(STAMP) ## compare the built-in strategies on real and simulated markets
	$(BIN)/backtester demo

test: $(STAMP) ## run the tests, without the slow ones
	$(PYTEST) -m "not slow and not bench"

test-all: $(STAMP) ## run the slow tests as well
	$(PYTEST) -m "not bench"

# The peer cvxportfolio is GPL and lives in an environment of its own; without it its row says so.
bench: $(STAMP) ## time the engine, the solvers and their peers, alone on the machine
	@test .venv-bench/.installed -nt requirements-bench.txt || { \
	  $(PYTHON) -m venv --clear .venv-bench && echo '*' > .venv-bench/.gitignore && \
	  .venv-bench/bin/python -m pip install --quiet --require-hashes --only-binary :all: \
	    -r requirements-bench.txt && touch .venv-bench/.installed; } || { \
	  rm -rf .venv-bench; \
	  echo "no environment for cvxportfolio: it will not be measured" >&2; }
	$(BIN)/python tests/benchmarks/bench.py

check: $(STAMP) ## lint, format, strict types, architecture
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest --numprocesses=0 -q tests/test_architecture.py

format: $(STAMP) ## format the code and mend what the linter can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: $(STAMP) ## resolve requirements.txt anew from pyproject.toml (add UPGRADE=1 for new versions)
	$(BIN)/uv --no-config pip compile pyproject.toml --extra audit --extra vine --extra test --extra dev \
	  --universal --python-version 3.11 --generate-hashes --no-build --quiet \
	  --no-header $(if $(UPGRADE),--upgrade) \
	  --output-file requirements.txt

wheel: $(STAMP) ## build the wheel into dist/
	$(BIN)/python -m build --wheel --no-isolation

clean: ## remove caches and build outputs; results stay
	rm -rf build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage
	find . -name __pycache__ -type d -not -path './$(VENV)/*' -prune -exec rm -rf {} +

distclean: clean ## remove the environments as well
	rm -rf $(VENV) .venv-bench
