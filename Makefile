# Galleria's commands; `make help` lists them. They need Python 3.11 or later, and Node.js only where said.

PORT ?= 8000
DATA ?= .data
ARGS ?= --cov
IMAGE ?= localhost/galleria
SBOM ?= .sbom

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= $(firstword $(foreach name,python3 python3.14 python3.13 python3.12 python3.11 python,\
	$(if $(shell $(name) -c 'import sys; print(sys.version_info >= (3, 11) or "")' 2>/dev/null),$(name))))
INSTALL := $(BIN)/python -m pip --disable-pip-version-check --quiet --quiet install --require-hashes --only-binary :all:
FAILED := Installing failed, as said above: try again when the package index can be reached
FOLDERS := core engine models loaders resolvers schema server migrations tests
COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-annotate --custom-compile-command "make lock" $(if $(UPGRADE),--upgrade)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help serve test check format lint types imports schema migrations graphiql bench bench-quick bench-live bench-goodput image-test sbom lock clean reset node peers

help: ## List the commands.
	@echo "Galleria:"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

serve: $(VENV)/laptop.stamp ## Serve the demo shops (PORT=8000, DATA=.data) until Ctrl-C.
	@exec env GALLERIA_ENVIRONMENT=development GALLERIA_PORT='$(PORT)' GALLERIA_DATA='$(DATA)' $(BIN)/python -m server serve

test: $(VENV)/development.stamp $(VENV)/checkov.stamp node ## Run the tests (ARGS="tests/core -k embedded" for some of them).
	@echo "Running the tests."
	@$(BIN)/python -m pytest --numprocesses auto --maxprocesses 8 --dist worksteal -r fEs $(ARGS)

check: format lint types imports schema migrations graphiql ## Check everything that needs no tests to run.
	@echo "All checks passed."

format: $(VENV)/development.stamp ## Check that the code is formatted (FIX=1 formats it).
	@echo "Checking the format."
	@$(BIN)/ruff format $(if $(FIX),,--check) --quiet .

lint: $(VENV)/development.stamp ## Check the code against the rules of ruff (FIX=1 puts right what it can).
	@echo "Checking the rules of style."
	@$(BIN)/ruff check $(if $(FIX),--fix) --quiet .

types: $(VENV)/development.stamp ## Check the types.
	@echo "Checking the types."
	@$(BIN)/mypy --no-error-summary

imports: $(VENV)/development.stamp ## Check who imports whom.
	@echo "Checking the imports."
	@$(BIN)/lint-imports > $(VENV)/imports.log 2>&1 || { cat $(VENV)/imports.log; exit 1; }

schema: $(VENV)/development.stamp ## Check that schema.graphql is the schema (FIX=1 writes it).
	@echo "Checking the printed schema."
	@$(BIN)/python -m server schema > $(VENV)/schema.graphql
	@$(if $(FIX),cp $(VENV)/schema.graphql schema/schema.graphql,\
		diff -u schema/schema.graphql $(VENV)/schema.graphql || { echo "Run: make schema FIX=1"; exit 1; })

migrations: $(VENV)/development.stamp ## Check the migrations: safe, complete, reversible.
	@echo "Checking the migrations."
	@$(BIN)/python -m tests.check_migrations > $(VENV)/migrations.log 2>&1 || { cat $(VENV)/migrations.log; exit 1; }

graphiql: ## Check that the bundle of GraphiQL is what its sources build (needs Node.js).
	@if command -v npm > /dev/null; then \
		echo "Rebuilding GraphiQL to compare."; \
		cd server/graphiql && npm ci --no-audit --no-fund --loglevel=error > /dev/null && npm run --silent check; \
	elif [ -n "$$CI" ]; then echo "Install Node.js: GraphiQL cannot be rebuilt without it."; exit 1; \
	else echo "Not rebuilding GraphiQL: there is no Node.js here."; fi

bench: $(VENV)/development.stamp peers ## Measure how fast it is beside other servers, some 20 minutes (needs wrk).
	@echo "Measuring."
	@$(BIN)/python -m bench

bench-quick: $(VENV)/development.stamp peers ## Do so in under 4 minutes.
	@echo "Measuring."
	@$(BIN)/python -m bench --quick

bench-live: $(VENV)/development.stamp peers ## Measure how fast events reach thousands of subscribers, some 6 minutes.
	@echo "Measuring."
	@$(BIN)/python -m bench.live

bench-goodput: $(VENV)/development.stamp ## Measure how much is answered in time at up to three times its capacity, some 6 minutes.
	@echo "Measuring."
	@$(BIN)/python -m bench.goodput

image-test: $(VENV)/development.stamp ## Build the image and prove what it promises, some 3 minutes (needs buildah, podman).
	@echo "Building the image and running it."
	@IMAGE='$(IMAGE)' $(BIN)/python -m pytest tests/image/proof.py --quiet --no-header -r fEs

sbom: $(VENV)/development.stamp ## Write what Galleria and, where it was built, its image are made of (SBOM=.sbom).
	@mkdir -p '$(SBOM)'
	@$(BIN)/python -W ignore -m cyclonedx_py requirements --output-reproducible --pyproject pyproject.toml \
		--output-file '$(SBOM)/requirements.json' requirements/runtime.txt
	@echo "$(SBOM)/requirements.json says what Galleria is made of."
	@if podman image exists '$(IMAGE)' 2> /dev/null; then \
		$(BIN)/python -m tests.image.sbom '$(IMAGE)' '$(SBOM)/image.json' \
		&& echo "$(SBOM)/image.json says what the image $(IMAGE) is made of."; \
	else echo "There is no image $(IMAGE) here: make image-test builds it."; fi

lock: $(VENV)/development.stamp ## Choose and pin the versions of all dependencies (UPGRADE=1 for newer ones; needs uv).
	@command -v uv > /dev/null || { echo "Install uv first: pipx install uv"; exit 1; }
	@echo "Locking the dependencies."
	@$(COMPILE) pyproject.toml --output-file requirements/runtime.txt
	@$(COMPILE) pyproject.toml --extra laptop --output-file requirements/laptop.txt
	@$(COMPILE) pyproject.toml --extra development --output-file requirements/development.txt
	@$(COMPILE) requirements/checkov.in --only-binary :all: --output-file requirements/checkov.txt

clean: ## Remove everything that was installed or computed; the data stays.
	@echo "Removing the virtual environment and all caches."
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage .coverage.* .sbom
	@rm -rf tests/node/node_modules server/graphiql/node_modules bench/peers/node_modules
	@find $(FOLDERS) -name __pycache__ -type d -prune -exec rm -rf {} +

reset: ## Remove the demo shops and all other data of the data folder (DATA=.data).
	@echo "Removing the data in $(DATA)."
	@kept=$$(readlink '$(DATA)/postgresql/cluster' || true); \
		case "$$kept" in /var/lib/galleria/*/cluster) rm -rf "$${kept%/cluster}";; esac
	@rm -rf '$(DATA)/postgresql' '$(DATA)/token-keys.json'

node: tests/node/package-lock.json
	@if command -v npm > /dev/null; then \
		if [ ! -e tests/node/node_modules/.package-lock.json ] || \
			[ tests/node/package-lock.json -nt tests/node/node_modules/.package-lock.json ]; then \
			echo "Installing the tools that run on Node.js."; \
			cd tests/node && npm ci --no-audit --no-fund --loglevel=error > /dev/null; fi; \
	elif [ -n "$$CI" ]; then echo "Install Node.js: some tests need it."; exit 1; \
	else echo "There is no Node.js here: the tests that need it are skipped."; fi

peers: bench/peers/package-lock.json
	@if ! command -v npm > /dev/null; then echo "There is no Node.js here: the servers that need it are not measured."; \
	elif [ ! -e bench/peers/node_modules/.package-lock.json ] || \
		[ bench/peers/package-lock.json -nt bench/peers/node_modules/.package-lock.json ]; then \
		echo "Installing the servers that run on Node.js, once."; \
		cd bench/peers && npm ci --no-audit --no-fund --ignore-scripts --loglevel=error > /dev/null; fi

$(VENV)/laptop.stamp: requirements/laptop.txt | $(BIN)/pip
	@echo "Installing what Galleria needs, once; this takes about a minute."
	@$(INSTALL) --requirement $< || { echo "$(FAILED) or install requirements/runtime.txt and set DATABASE_URL."; exit 1; }
	@touch $@

$(VENV)/development.stamp: requirements/development.txt | $(BIN)/pip
	@echo "Installing what developing Galleria needs, once; this takes a minute or two."
	@$(INSTALL) --requirement $< || { echo "$(FAILED)."; exit 1; }
	@touch $@ $(VENV)/laptop.stamp

# Checkov pins a hundred packages of its own, so it lives in a virtual environment of its own.
$(VENV)/checkov.stamp: requirements/checkov.txt $(VENV)/development.stamp
	@echo "Installing the checker of Kubernetes manifests, once; this takes half a minute."
	@$(BIN)/python -m venv --clear $(VENV)/checkov
	@$(VENV)/checkov/bin/python -m pip --disable-pip-version-check --quiet --quiet install --require-hashes \
		--only-binary :all: --requirement $< || { echo "$(FAILED)."; exit 1; }
	@touch $@

$(BIN)/pip:
	@[ -n "$(PYTHON)" ] || { echo "Install Python 3.11 or later, or name one: make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2> /dev/null || { \
		echo "$(PYTHON) cannot make virtual environments: install its venv package (on Debian: apt install python3-venv)."; \
		exit 1; }
	@echo "Making a virtual environment in $(VENV)."
	@$(PYTHON) -m venv --clear $(VENV)
