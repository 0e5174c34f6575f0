# Every command sets up what it needs.  `make help` lists them.
VENV := .venv
BIN := $(VENV)/bin
# Each extra has its own stamp, so that `make demo` does not wait for the documentation's tools.
stamp = $(VENV)/.installed-$(1)

.DEFAULT_GOAL := help
.PHONY: help demo test wine test-wine windows conformance-csi lint bench bench-wine fuzz attack soak docs protos lock wheel sbom system-packages clean

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

demo: $(call stamp,run) ## play a pod's storage life on an emulated Windows node
	@$(BIN)/csi-proxy demo

# Tests write and flush a great deal that nobody needs afterwards: in memory, where there is enough of it.
TEMPORARY := $(shell [ "$$(df -k --output=avail /dev/shm 2>/dev/null | tail -1)" -gt 2000000 ] 2>/dev/null && echo /dev/shm)

test: $(call stamp,test) system-packages ## run all tests that need no privileges
	$(if $(TEMPORARY),PYTEST_DEBUG_TEMPROOT=$(TEMPORARY)) $(BIN)/pytest -n auto --dist worksteal -m 'not wine'

wine: $(call stamp,test) system-packages ## fetch Wine and a Windows Python into the user's cache, once
	@$(BIN)/python -m tools.wine

windows: wine ## build csi-proxy.exe, a folder in dist/windows, with PyInstaller under Wine
	@$(if $(TEMPORARY),TMPDIR=$(TEMPORARY)) $(BIN)/python -m tools.wine.build_exe

test-wine: windows ## run the Windows side for real, under Wine
	$(if $(TEMPORARY),PYTEST_DEBUG_TEMPROOT=$(TEMPORARY)) $(BIN)/pytest -n auto --dist worksteal -m wine
	$(if $(TEMPORARY),TMPDIR=$(TEMPORARY)) $(BIN)/python -m tools.wine python -m pytest -p no:cacheprovider -m windows tests

conformance-csi: $(call stamp,test) ## hold the CSI driver to the specification, rule by rule
	$(if $(TEMPORARY),PYTEST_DEBUG_TEMPROOT=$(TEMPORARY)) $(BIN)/pytest -n auto --dist worksteal tests/csi_conformance

lint: $(call stamp,lint) ## ruff, mypy for linux and win32, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --platform linux
	$(BIN)/mypy --platform win32
	$(BIN)/lint-imports

bench: $(call stamp,bench) ## compare with peers, side by side; prints ratios
	$(BIN)/python -m benchmarks

bench-wine: windows ## compare with a grpc-go server on named pipes, under Wine
	@$(if $(TEMPORARY),TMPDIR=$(TEMPORARY)) $(BIN)/python -m benchmarks.wine

fuzz: $(call stamp,fuzz) ## look for inputs that break a parser; SECONDS per target, or TOTAL for all
	$(BIN)/python -m fuzz $(if $(TOTAL),--total $(TOTAL),--seconds $(or $(SECONDS),60))

attack: $(call stamp,test) ## attack a proxy in every way; TRIES; a running one's ENDPOINTS [PID, AUDIT]
	$(BIN)/python -m tests.attack --tries $(or $(TRIES),100000) $(if $(ENDPOINTS),--endpoints $(ENDPOINTS) $(if $(PID),--pid $(PID)) $(if $(AUDIT),--audit-log $(AUDIT)))

soak: $(call stamp,test) system-packages ## live pods' lives with kills and faults; STORE, LIVES, SEED choose
	$(BIN)/python -m tests.soak $(if $(STORE),--store $(STORE)) $(if $(LIVES),--lives $(LIVES)) $(if $(SEED),--seed $(SEED))

docs: $(call stamp,docs) ## build the documentation into docs/_build/html
	$(BIN)/sphinx-build -q -W --keep-going -b html docs docs/_build/html

protos: $(call stamp,test) ## regenerate the message classes from the .proto files
	$(BIN)/python tools/generate_protos.py

lock: $(call stamp,release) ## lock the dependencies of pyproject.toml by their hashes; UPGRADE=1 takes the newest
	$(BIN)/python -m tools.lock $(if $(UPGRADE),--upgrade)

wheel: $(call stamp,release) ## build the wheel in dist, twice, and see that both are the same to the byte
	$(BIN)/python -m tools.wheel

sbom: $(call stamp,release) ## write what the program is made of to dist/csi-proxy.cdx.json (CycloneDX)
	$(BIN)/python -m tools.sbom

system-packages: ## install the foreign tools that the tests use, where that needs no question
	@tools/system-packages

clean: ## remove everything that was built or installed here
	rm -rf $(VENV) docs/_build .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(VENV)/bin/python:
	python3 -m venv $(VENV)

# What is installed is what the lock names, file by file; `make lock` writes it.
$(call stamp,%): requirements/%.txt pyproject.toml | $(VENV)/bin/python
	$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements/backend.txt -r requirements/$*.txt
	$(BIN)/pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@
