# `make` lists the targets. Everything is installed inside this folder: .tools (uv), .venv (the taps, the loader,
# Meltano, the tests' tools) and .meltano (Meltano's own environments, state and logs). Keys are in .meltano/run while
# something runs, and rows in output: nobody else can look into either.

PYTHON ?= python3
UV := .tools/bin/uv
# Hashes of what packages are built with, from uv.lock; also for what Meltano has uv build.
BUILD := .tools/build.txt
# A program of the group `check` or `docs` of uv.lock, in an environment of its own.
ONLY_CHECK = $(UV) run $(QUIET) --frozen --isolated --only-group check
ONLY_DOCS = $(UV) run $(QUIET) --frozen --isolated --only-group docs
# The oldest DuckDB that the loader supports; the newest is in .venv.
OLDEST_DUCKDB := $(shell sed -n 's/.*"duckdb>=\([0-9.]*\),.*/\1/p' target-duckdb/pyproject.toml)
PORT ?= 8787
MINUTES ?= 10
RUN := .venv/bin
PUBLISHED := $(patsubst %/pyproject.toml,%,$(wildcard tap-*/pyproject.toml target-*/pyproject.toml))
# Progress bars on a terminal, and nothing but errors elsewhere.
QUIET := $(if $(MAKE_TERMOUT),,-q)

export UV_PYTHON_DOWNLOADS := never
# The machine's own certificates where it has any: some networks have one of their own.
ifneq ($(wildcard /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/cert.pem),)
export UV_SYSTEM_CERTS ?= true
endif
export MELTANO_SEND_ANONYMOUS_USAGE_STATS := false
export PATH := $(CURDIR)/.venv/bin:$(PATH)
unexport VIRTUAL_ENV PYTHONPATH PYTHONHOME
# Modules are compiled once, and not at each start of each program.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test check soak bench bench-quick lint setup sandbox docs site new-tap version dist audit check-tag publish lock clean clean-data

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: .meltano/.installed ## load the sandbox into DuckDB and show what arrived; again: what can have changed
	@$(RUN)/python tools/demo.py

test: .venv/.synced .meltano/.installed ## test every promise: 5 minutes on two cores
	@$(RUN)/python -m pytest -q -n auto --dist loadfile --no-loadscope-reorder

check: .meltano/.installed lint site ## everything else: the long tests, the loader with the oldest DuckDB that it supports, style, types, the site
	@$(RUN)/python -m pytest -q -n auto --dist loadfile --no-loadscope-reorder -m "long and not soak"
	@$(UV) run -q --no-sync --with duckdb==$(OLDEST_DUCKDB) python -m pytest -q -n auto -m "not soak" target-duckdb

soak: .venv/.synced .meltano/.installed ## search for lost data for 10 minutes or MINUTES=..., and what else takes long
	@MINUTES=$(MINUTES) $(RUN)/python -m pytest -q -n auto -m soak

lint: .venv/.synced ## formatting, style and types
	@$(RUN)/ruff format --check .
	@$(RUN)/ruff check .
	@$(RUN)/mypy

setup: .meltano/.installed ## install everything
	@if [ -n "$$(find .env \( -perm -040 -o -perm -004 \) 2>/dev/null)" ]; then \
		echo "Others on this machine can read .env, and the keys in it: chmod 600 .env" >&2; fi

sandbox: .venv/.synced ## serve the sandbox until Ctrl-C, on port 8787 or PORT=...
	@exec $(RUN)/sandbox serve --rate-limit 60000 --port $(PORT)

dist: $(BUILD) ## build the wheels and sdists of the taps and the loader into dist/, and check them
	@rm -rf dist
	@for package in $(PUBLISHED); do \
		$(UV) build $(QUIET) --build-constraints $(BUILD) --require-hashes --no-create-gitignore --out-dir dist $$package || exit 1; \
	done
	@$(ONLY_CHECK) twine check --strict dist/*

docs: .venv/.synced ## write what is generated of the documents, meltano.yml and hub/
	@$(RUN)/python tools/docs.py

site: $(UV) ## build the documentation's site into site/, and check every link in it
	@NO_MKDOCS_2_WARNING=1 $(ONLY_DOCS) mkdocs build --strict

new-tap: .venv/.synced ## make a tap, bare or with an API in the sandbox: NAME=tap-calcom, and if need be TITLE="Cal.com", SANDBOX=1
	@$(RUN)/python tools/new_tap.py "$$NAME" $(if $(TITLE),--title "$$TITLE") $(if $(SANDBOX),--sandbox)
	@$(UV) lock $(QUIET)
	@$(MAKE) --no-print-directory .venv/.synced
	@$(if $(SANDBOX),$(MAKE) --no-print-directory docs)

version: .venv/.synced ## say which version this is; with VERSION=0.2.0 set it everywhere
	@$(RUN)/python tools/version.py $(VERSION)
	@$(if $(VERSION),$(MAKE) --no-print-directory lock)
	@$(if $(VERSION),$(MAKE) --no-print-directory docs)

check-tag: ## whether TAG is the tag of this version
	@$(PYTHON) tools/version.py --tag "$$TAG"

publish: $(UV) ## upload dist/ to the package index: the release workflow does
	@$(UV) publish --trusted-publishing always dist/*

audit: .venv/.synced ## known vulnerabilities of everything in uv.lock, and the workflows; fails where the service cannot be reached
	@$(UV) export -q --frozen --all-packages --all-groups --no-emit-workspace --no-annotate --no-header -o .tools/audited.txt
	@$(ONLY_CHECK) pip-audit --strict --disable-pip --require-hashes --progress-spinner=off -r .tools/audited.txt
	@$(ONLY_CHECK) zizmor --offline .

bench: .venv/.synced ## measure the taps and the loader beside their peers, into benchmarks/RESULTS.md: half an hour
	@$(RUN)/python benchmarks/run.py

bench-quick: .venv/.synced ## the same on small sizes, to the terminal: whether all run and are right
	@$(RUN)/python benchmarks/run.py --quick

lock: $(UV) ## renew uv.lock, constraints.txt and tools/uv.txt
	$(UV) lock
	$(UV) export -q --frozen --no-hashes --no-emit-workspace --no-default-groups --all-packages --no-annotate --no-header -o constraints.txt
	$(UV) export -q --frozen --no-emit-workspace --no-annotate --no-header | awk '/^uv==/ { on = 1 } on { print } on && !/\\$$/ { exit }' > tools/uv.txt

clean: ## remove what was installed or built, and the demo; what was loaded, and how far runs have come, stays
	rm -rf .tools .venv .bench dist site .meltano/.installed .meltano/extractors .meltano/loaders .meltano/run output/demo.*

clean-data: ## remove what was loaded into output/, and how far runs have come: rows that the source has lost are gone for good
	rm -rf output/* .meltano/meltano.db* .meltano/run

$(UV):
	@echo "Installing uv into .tools"
	@$(PYTHON) -m pip install $(QUIET) --disable-pip-version-check --root-user-action=ignore --target .tools --require-hashes -r tools/uv.txt

$(BUILD): uv.lock | $(UV)
	@$(UV) export -q --frozen --only-group build --no-annotate --no-header -o $@

.venv/.synced: uv.lock pyproject.toml $(wildcard */pyproject.toml) | $(UV)
	@echo "Installing the taps, the loader, Meltano and the tests' tools into .venv"
	@$(UV) sync $(QUIET) --frozen --inexact --only-group build --python $(PYTHON)
	@$(UV) sync $(QUIET) --frozen --no-build-isolation --python $(PYTHON)
	@touch $@

.meltano/.installed: .venv/.synced meltano.yml constraints.txt $(BUILD)
	@echo "Installing Meltano's plugins into .meltano"
	@mkdir -p .meltano && chmod 700 .meltano output
	@UV_BUILD_CONSTRAINT=$(BUILD) $(RUN)/meltano --log-level=warning install
	@touch $@
