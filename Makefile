# `make` shows the targets; `make run` and `make test` are the two that matter.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Nothing that pnr needs is fetched for it: it has been installed before, pinned and with hashes.
OURS := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation
TOOLS := .cache/tools
PREFIX ?= /opt/pnr

.DEFAULT_GOAL := help
.PHONY: help run down test unit cover check audit format fuzz bench docs lock sbom install uninstall clean engine images

help: ## show the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/.made:
	@PYTHON="$(PYTHON)" scripts/venv.sh $(VENV)
	@touch $@

$(VENV)/.installed: pyproject.toml requirements/build.txt requirements/run.txt $(VENV)/.made
	@scripts/packages.sh $(BIN)/python build run
	$(OURS) --config-settings editable_mode=compat --editable .
	@touch $@

# Where PYTHONDONTWRITEBYTECODE is set, as in many images of containers, each start of the program would compile all of it.
$(VENV)/.compiled: $(VENV)/.installed $(shell find reconciler -name '*.py')
	@$(BIN)/python -m compileall -q reconciler
	@touch $@

$(VENV)/.developer: requirements/developer.txt $(VENV)/.installed
	@scripts/packages.sh $(BIN)/python developer
	@touch $@

# What locks, audits and lists the rest: apart, so that none of it is needed to run or to test.
$(TOOLS)/.made: requirements/tools.txt
	@PYTHON="$(PYTHON)" scripts/venv.sh $(TOOLS)
	@scripts/packages.sh $(TOOLS)/bin/python tools
	@touch $@

engine: ## see to a Docker engine (installs and starts the distribution's where it may)
	@scripts/engine.sh

images: engine ## make or fetch the images of the demo stack
	@scripts/images.sh

run: $(VENV)/.compiled images ## start the daemon on domains/ (the demo stack); Ctrl-C leaves the containers running
	@exec $(BIN)/pnr run --domains domains --state state

down: $(VENV)/.installed ## remove what the demo made: containers, network, volume; `make run` makes it again
	@$(BIN)/pnr down --all --volumes --yes --domains domains --state state
	@rm -f state/*.toml state/intents/*.intent

test: $(VENV)/.developer $(VENV)/.compiled ## all tests, on a bare Debian machine too; ARGS go to pytest, ENGINE=newest takes the newest engine
	@BIN=$(BIN) scripts/test.sh $(ARGS)

unit: $(VENV)/.developer $(VENV)/.compiled ## the tests that need nothing
	$(BIN)/python -m pytest -q tests/unit tests/simulation

cover: $(VENV)/.developer $(VENV)/.compiled ## what `make unit` reaches: a table, and .cache/coverage/html
	@$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -q tests/unit tests/simulation
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage html --quiet
	$(BIN)/coverage report

fuzz: $(VENV)/.developer $(VENV)/.compiled ## throw random input at all that takes some, for MINUTES (10)
	@scripts/fuzz.sh $(BIN)/python $(or $(MINUTES),10)

# In the order of what they take, so that what is quickly found wrong is quickly said. The hooks of .pre-commit-config.yaml
# are the same commands.
check: $(VENV)/.developer ## format, lint, import rules, types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/mypy

audit: $(VENV)/.developer $(if $(OFFLINE),,$(TOOLS)/.made) ## static analysis and known vulnerabilities; OFFLINE=1 what needs no network
	@scripts/audit.sh $(BIN) $(if $(OFFLINE),,$(TOOLS)/bin)

lock: $(TOOLS)/.made ## pin what pnr is made from, with hashes, after a change of pyproject.toml; UPGRADE=1 takes newer ones
	@scripts/lock.sh $(TOOLS)/bin/python $(if $(UPGRADE),--upgrade)

sbom: $(TOOLS)/.made ## write dist/pnr.cdx.json: what pnr is made from (CycloneDX)
	@mkdir -p dist
	@PYTHONWARNINGS=ignore $(TOOLS)/bin/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible --validate \
		--output-file dist/pnr.cdx.json requirements/run.txt

format: $(VENV)/.developer ## put the code into its format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.developer engine ## measure against the raw Engine API and Compose
	$(BIN)/python -m bench

docs: $(VENV)/.installed ## write the reference pages from the code
	$(BIN)/python -m reconciler.policy.reference docs/policy.md
	$(BIN)/python -m reconciler.cli.reference docs
	$(BIN)/python -m tests.integration.faults.page > docs/troubleshooting.md
	$(BIN)/python -m tests.unit.policy.corpus.page

install: ## install as a systemd service (root): /opt/pnr, /etc/pnr/domains, /var/lib/pnr
	@PYTHON="$(PYTHON)" PREFIX="$(PREFIX)" scripts/install.sh

uninstall: ## remove the service; PURGE=1 its domains and state as well, SECRETS=1 with it /etc/pnr/secrets (YES=1: do not ask)
	@PREFIX="$(PREFIX)" PURGE="$(PURGE)" SECRETS="$(SECRETS)" YES="$(YES)" scripts/uninstall.sh

clean: ## remove what was built here, and the demo's images
	@scripts/images.sh remove
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .cache/coverage
