# The two commands: `make book` and `make test`. Nothing but Python >= 3.11 is needed.
# Everything else is listed by `make help`.

PYTHON ?= python3
JOBS ?= 2
SHELL := /bin/bash
.SHELLFLAGS := -eo pipefail -c
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PAGE := _build/html/index.html
BUILT := _build/.built
SOURCES = $(shell find book src -type f -not -path '*/__pycache__/*' -not -path '*.egg-info/*' \
	-not -path '*/.ipynb_checkpoints/*') _config.yml _toc.yml

# One thread a process: the products here are small, and tests run several processes.
export OMP_NUM_THREADS ?= 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help setup book test refresh pages lint format figures clean distclean

help: ## this list
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 18

# The environment is made anew when requirements.txt changed or the folder was moved.
setup: ## create .venv and install what requirements.txt pins
	@want="$$(cksum < requirements.txt) $(CURDIR)"; \
	if [ "$$(cat $(STAMP) 2>/dev/null)" = "$$want" ] && [ -x $(BIN)/python ]; then exit 0; fi; \
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "make: need Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) --version 2>/dev/null || echo not there)." >&2; \
	  echo "      Name another one: make $(firstword $(MAKECMDGOALS)) PYTHON=python3.12" >&2; exit 1; }; \
	if [ -x $(BIN)/python ] && ! grep -q " $(CURDIR)$$" $(STAMP) 2>/dev/null \
	  && [ -f $(STAMP) ]; then echo "The folder was moved: making $(VENV) anew."; rm -rf $(VENV); fi; \
	if [ ! -x $(BIN)/python ]; then $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  echo "make: '$(PYTHON) -m venv' failed (Debian and Ubuntu: apt install python3-venv)." >&2; exit 1; }; fi; \
	echo "Installing into $(VENV) (the first time this takes minutes: torch is large) ..."; \
	$(BIN)/python -m pip install -q --upgrade pip; \
	$(BIN)/python -m pip install -q -r requirements.txt; \
	echo "$$want" > $(STAMP)

book: setup $(BUILT) ## build the book and say where to open it
	@echo; echo "The book: file://$(CURDIR)/$(PAGE)"

$(BUILT): $(SOURCES)
	@$(MAKE) --no-print-directory setup
	@start=$$(date +%s); \
	$(BIN)/jupyter-book build -q -W -n --keep-going . > _build.log 2>&1 || { \
	  rm -rf _build/.doctrees $(BUILT); grep -nE 'WARNING|ERROR|rror:' _build.log || tail -30 _build.log; \
	  echo "make: the book does not build; the whole output is in _build.log" >&2; exit 1; }; \
	touch $(BUILT); rm -f _build.log; echo "Built in $$(( $$(date +%s) - start )) s."

test: book ## build if needed, then run everything: formulas, notebooks, guards, browser
	$(BIN)/python -m pytest --nbval -n $(JOBS) $(ARGS)

refresh: setup ## execute and normalise the notebooks; one only: make refresh NB=book/....ipynb
	$(BIN)/python -m ssl_dynamics.press refresh $(NB)

pages: setup ## write the generated pages: notation, execution, API
	$(BIN)/python -m ssl_dynamics.press pages

lint: setup ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: setup ## let ruff mend what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean: ## remove what was built
	rm -rf _build _build.log

distclean: clean ## remove the environment too
	rm -rf $(VENV)
