# `make run` and `make test` need nothing but Python 3.11 or newer (and, for the API-server tests, Go or binaries).
#   make run FLEET=cluster.yaml          the pages for operators for a snapshot (migratable snapshot --drain)
#   make run PORTS='--api-port 9000'   other ports: --admission-port (9443), --api-port (8443), --health-port (8080)
#   make run PYTHON=python3.12         the Python of a new .venv; run `make clean` first if there is one
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PORTS  ?=
FLEET  ?= examples/fleet docs/examples/policies.yaml
ANOTHER := Install Python 3.11 or newer, or name one: make run PYTHON=/path/to/python3.12
NEW_PYTHON = { command -v $(PYTHON) > /dev/null || { echo "error: $(PYTHON) is not installed. $(ANOTHER)" >&2; false; }; } && \
	$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit("error: $(PYTHON) is Python %d.%d. $(ANOTHER)" % v[:2] if v < (3, 11) else 0)'

# The tests of the core; `make test-fast` and `make coverage` run these.
CORE   := yaml objects manifests cni kubevirt judging policy rules defaults fixes report check
CLI    := check config exemptions explain_settings fix

.PHONY: run test test-fast test-pythons coverage compare check format docs rule site site-serve release mutants lock clean

run: $(VENV)/runtime
	$(BIN)/python -m certs dev
	$(BIN)/migratable serve --facts examples $(FLEET:%=--fleet %) $(PORTS)

test: $(VENV)/development $(VENV)/site
	$(BIN)/python -m tests.apiserver build
	$(BIN)/python -m pytest -n 2 --dist loadfile

# The unit tests of the core, with at most five examples of each property: under a minute on two idle cores.
test-fast: $(VENV)/development
	MIGRATABLE_MAX_EXAMPLES=5 $(BIN)/python -m pytest -n 2 --dist loadfile $(CORE:%=tests/%)

# Branch coverage of the core. Fails below the floor in pyproject.toml. A few minutes. Tests that start the command line as a process
# are left out, because the measurement changes their imports and times.
coverage: $(VENV)/development
	rm -f .coverage .coverage.*
	MIGRATABLE_MAX_EXAMPLES=100 $(BIN)/coverage run -m pytest -n 2 --dist loadfile $(CORE:%=tests/%) tests/surfaces/admission tests/cluster \
	  $(CLI:%=tests/surfaces/cli/test_%.py)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

# The share of mutants of the core that tests kill. The first run takes about an hour. `make mutants ONLY=webhook/kubevirt/expansion/claims.py`
mutants: $(VENV)/development
	$(BIN)/python -m tools.mutants $(ONLY:%=--only %)

# The core tests on Python 3.11 to 3.14, as far as they are installed.
test-pythons:
	ci/test-pythons.sh

# Fails if a part is more than 15 % slower than in the commit that benchmarks/README.md names, or in BASE. Under two minutes.
#   make compare BASE=v1.2.3
BASE ?= auto
compare: $(VENV)/development
	$(BIN)/python -m benchmarks.compare --base $(BASE) --short --fail-above 15

check: $(VENV)/development
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/typos --format brief .
	$(BIN)/python -m tools.style
	$(BIN)/mypy
	$(BIN)/pyrefly check --min-severity error --summary=none
	$(BIN)/lint-imports
	$(BIN)/python -m pytest tests/docs tests/surfaces/api/page/test_design.py
	$(BIN)/python docs/generate.py --check
	$(BIN)/python deploy/generate.py --check

format: $(VENV)/development
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(VENV)/development
	$(BIN)/python docs/generate.py
	$(BIN)/python deploy/generate.py
	$(BIN)/python -m tools.owner

# A new rule with examples: `make rule NAME=disk-too-slow FAMILY=storage`
rule: $(VENV)/development
	$(BIN)/python -m tools.new_rule $(NAME) $(FAMILY)

# The documentation site, in build/site. Fails for a broken link or an orphan page. `make site ADDRESS=https://docs.example/`
ADDRESS ?= /
site: $(VENV)/site
	$(BIN)/python -m tools.site build --address $(ADDRESS)

# Serves the site at http://127.0.0.1:8000/
site-serve: site
	$(BIN)/python -m tools.site serve

# All files of a release, in dist. The downloads come first, and are kept in build; the rest needs no network.
#   make release RELEASE='--without images'                     without buildah
#   make release RELEASE='--base docker.io/library/python:3.13-slim-bookworm@sha256:…'
release: $(VENV)/development
	$(BIN)/python -m tools.release download $(RELEASE)
	$(BIN)/python -m tools.release build $(RELEASE)

lock:
	requirements/lock.sh

clean:
	rm -rf $(VENV) dev .coverage .mypy_cache .ruff_cache .pytest_cache .hypothesis

# Made again if it is incomplete, or if the folder was moved. tools/environment.py needs no package.
$(VENV)/pyvenv.cfg: FORCE
	@$(BIN)/python -c '' 2> /dev/null && $(BIN)/python tools/environment.py usable $(VENV) || { $(NEW_PYTHON) && $(PYTHON) tools/environment.py make $(VENV); }

$(VENV)/runtime: $(VENV)/pyvenv.cfg requirements/server.txt requirements/build.txt
	@$(BIN)/python tools/environment.py install $(VENV) server build
	@touch $@

$(VENV)/development: $(VENV)/runtime requirements/dev.txt
	@$(BIN)/python tools/environment.py install $(VENV) dev
	@touch $@

$(VENV)/site: $(VENV)/development requirements/site.txt
	@$(BIN)/python tools/environment.py install $(VENV) site
	@touch $@

FORCE:
