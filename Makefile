# Two commands do all the set-up: `make synth` and `make test`. Everything else is listed by `make help`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.DEFAULT_GOAL := help

.PHONY: help
help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: synth
synth: $(VENV)/run.stamp ## Render dist/ and argocd/ from environments/
	@$(BIN)/python main.py synth

# What takes minutes even with everything built, or needs user namespaces: environments run, charts installed. `make judge` runs these too.
MINUTES := tests/cluster/box tests/cluster/test_box_agent.py tests/cluster/charts/test_life.py tests/cluster/charts/test_argocd_source.py
# And single tests: what needs a KServe of its own built, for a release that no committed environment names
# (`kserve-istio-gpu-on-<release>`), how Argo CD takes things away, and charts with Helm 3, which is no longer mended.
QUICK := not gpu-on- and not leaves_nothing_behind and not taken_off and not helm3

.PHONY: test
test: $(VENV)/dev.stamp ## Lint, check types, run every test but what takes minutes
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@# Types beside the tests, which leave a processor free every now and then. Its words come last.
	@$(BIN)/basedpyright > $(VENV)/types.log & types=$$!; \
	$(BIN)/python -m pytest -n auto --dist loadgroup $(MINUTES:%=--ignore=%) -k "$(QUICK)"; tests=$$?; \
	wait $$types; types=$$?; cat $(VENV)/types.log; exit $$((tests + types))

.PHONY: judge
judge: $(VENV)/dev.stamp ## All tests by the real programs: API server, scheduler, KServe, picker, Argo CD, Helm, cluster in a box
	@$(BIN)/python -m pytest -m cluster -n 2 --dist loadgroup tests/cluster

.PHONY: demo
demo: $(VENV)/dev.stamp ## Show an environment at work on this machine, up to the answer to a chat (ENVIRONMENT=<name>)
	@PYTHONPATH=constructs:tools $(BIN)/python -m llmd_tools box demo $(ENVIRONMENT)

.PHONY: accept
accept: $(VENV)/dev.stamp ## Accept the present output: dist/, argocd/ and the snapshots of the matrix
	@$(BIN)/python main.py synth
	@LLMD_ACCEPT=1 $(BIN)/python -m pytest -q tests/laws/test_matrix.py

.PHONY: docs
docs: $(VENV)/run.stamp ## Bring the generated pages of docs/ up to date
	@$(BIN)/python main.py docs

.PHONY: charts
charts: $(VENV)/run.stamp ## Fold the Helm charts from the constructs (minutes), and write the values of every environment
	@$(BIN)/python main.py charts

.PHONY: bench
bench: $(VENV)/dev.stamp ## Measure the synthesis against other generators, side by side
	@PYTHONPATH=constructs:tools $(BIN)/python -m llmd_bench

.PHONY: lock
lock: ## Resolve the dependencies anew (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate pyproject.toml --group build -o requirements.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate pyproject.toml --group build --group dev -o requirements-dev.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate --no-deps --group schemas -o tools/kubernetes-validate.txt

# A stamp is as new as the requirements that it stands for, so that a fresh clone installs once and a changed pin again.
$(VENV)/bin/python:
	@command -v $(PYTHON) >/dev/null || { echo "make: $(PYTHON) is not installed; install Python 3.11 or later" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "make: $(PYTHON) is older than 3.11; run make PYTHON=python3.11, or install it" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "make: $(PYTHON) has no venv module; install it (Debian: python3-venv)" >&2; exit 1; }

# Without compiling: Python compiles what it imports, which is a small part.
$(VENV)/run.stamp: requirements.txt | $(VENV)/bin/python
	@echo "installing the packages of requirements.txt"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/dev.stamp: requirements-dev.txt $(VENV)/run.stamp
	@echo "installing the packages of requirements-dev.txt"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r requirements-dev.txt
	@touch $@
