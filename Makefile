# Everything that a user or developer of Goodput runs. `make help` lists the targets.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
BASE := $(VENV)/.installed-base
DEV := $(VENV)/.installed-dev
PORT ?= 8000
MODEL ?= smollm2:135m
COMMA := ,

.DEFAULT_GOAL := help
.PHONY: help install demo serve test test-slow lint format typecheck hooks bench-engine bench-runtime bench-goodput bench-fidelity bench-film chaos clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  \033[36m%-14s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "goodput needs Python 3.11 or newer; set PYTHON=..., found $$($(PYTHON) --version)" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(BASE): pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(DEV): pyproject.toml $(BASE)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

install: $(BASE) ## Make .venv and install what serving needs

demo: install ## Serve the default model, ask it a question, measure its goodput
	$(BIN)/goodput demo --model $(MODEL) --out out/demo

serve: install ## Serve the default model on port 8000 until Ctrl-C
	$(BIN)/goodput serve --model $(MODEL) --port $(PORT)

test: install $(DEV) ## Run the test suite
	$(BIN)/python -m pytest

test-slow: install $(DEV) ## Run the slow tests: the soak, the peers, long texts
	$(BIN)/python -m pytest -m slow --timeout 900

lint: $(DEV) ## Check style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(DEV) ## Rewrite files in the project's style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

typecheck: $(DEV) ## Check types (mypy --strict)
	$(BIN)/mypy

hooks: $(DEV) ## Install the pre-commit hooks
	$(BIN)/pre-commit install

bench-engine: $(DEV) ## Engine rates beside its peers (LLAMA_PYTHON=..., VLLM_PYTHON=..., QUICK=1)
	$(BIN)/python benchmarks/engine.py --model $(MODEL) $(if $(QUICK),--quick) \
		--peers eager$(if $(LLAMA_PYTHON),$(COMMA)llama.cpp)$(if $(VLLM_PYTHON),$(COMMA)vllm) \
		$(if $(LLAMA_PYTHON),--llama-python $(LLAMA_PYTHON)) \
		$(if $(VLLM_PYTHON),--vllm-python $(VLLM_PYTHON)) --json out/engine/results.json

bench-goodput: $(DEV) ## Goodput of ours and of other servers (LLAMA_PYTHON=..., VLLM_PYTHON=...)
	$(BIN)/python benchmarks/serving.py --model $(MODEL) --out out/goodput \
		$(if $(LLAMA_PYTHON),--llama-python $(LLAMA_PYTHON)) \
		$(if $(VLLM_PYTHON),--vllm-python $(VLLM_PYTHON))

bench-runtime: $(DEV) ## What the runtime adds, beside Dynamo (DYNAMO_PYTHON=...), and routing decisions
	$(BIN)/python benchmarks/runtime.py --json out/runtime/results.json \
		$(if $(DYNAMO_PYTHON),--dynamo-python $(DYNAMO_PYTHON))
	$(BIN)/python benchmarks/router.py

bench-fidelity: $(DEV) ## Simulated and measured attainment of the same requests (DURATION=60 s a rate)
	$(BIN)/python benchmarks/plan_fidelity.py --out out/fidelity \
		$(if $(DURATION),--duration $(DURATION))

bench-film: $(DEV) ## How long a film takes, from the teacher's way to the fastest (RUN=out/film/nano)
	$(BIN)/python benchmarks/film.py $(if $(RUN),--run $(RUN)) --json out/film/ladder.json

chaos: $(DEV) ## Minutes of deaths, stops, delays and restarts under load (REAL=1: real model, SEED=...)
	$(BIN)/python benchmarks/chaos $(if $(REAL),--model) $(if $(SEED),--seed $(SEED)) \
		--json out/chaos/result.json --keep out/chaos

clean: ## Remove the environment and everything that was made
	rm -rf $(VENV) out build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find src tests benchmarks -name __pycache__ -type d -exec rm -rf {} +
