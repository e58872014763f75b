# Everything that a developer or an operator does with a clone.  `make` alone lists it.
# Rule of the file: a line here calls a script or a tool; what needs an `if` lives in scripts/.

SHELL := /bin/bash
VENV  := .venv
PY    := $(VENV)/bin/python
PYTEST ?=
BENCH ?=
PLAIN ?=
FUZZ ?=
MUTATION ?=
SOAK_MINUTES ?=
BOTSIEVE_REAL_DATA ?= ../shared/data
BOTSIEVE_CROWDSEC_DIR ?= ../crowdsec

.DEFAULT_GOAL := help
.PHONY: help setup setup-test run attack compiled test test-real test-crowdsec lint proto bench bench-peers faults soak check fuzz mutation sbom lock wheel clean

help:  ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup:  ## install only: nginx with its Lua module, and .venv from requirements.lock (YES=1: do not ask)
	@YES=$(YES) bash scripts/setup.sh

setup-test:
	@YES=$(YES) bash scripts/setup.sh test

run: setup  ## a shop, nginx and Botsieve on this machine, until Ctrl-C
	@exec $(PY) -m botsieve.demo.run

attack: setup-test  ## in a second terminal: clients from a person to a scraper, and what became of each
	@exec $(PY) -m botsieve.demo.attack

compiled: setup-test  ## the core as machine code in build/compiled: twice as fast, the same decisions (docs/decisions/0013)
	@YES=$(YES) bash scripts/compile.sh --guided

test: setup-test  ## every test (PYTEST="tests/unit -k ranges": a part of them)
	@exec $(PY) -m pytest -m "not real and not crowdsec" $(PYTEST)

test-real: setup-test  ## the tests that read real logs, headers and hellos in BOTSIEVE_REAL_DATA
	@BOTSIEVE_REAL_DATA=$(BOTSIEVE_REAL_DATA) exec $(PY) -m pytest -m real $(PYTEST)

test-crowdsec: setup-test  ## our includes beside CrowdSec's real bouncer, from clones in BOTSIEVE_CROWDSEC_DIR (CONTRIBUTING.md)
	@BOTSIEVE_CROWDSEC_DIR=$(BOTSIEVE_CROWDSEC_DIR) exec $(PY) -m pytest -m crowdsec $(PYTEST)

lint: setup-test  ## style, types, imports, Lua, proto, and `nginx -t` of every shipped file
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports --no-cache
	@YES=$(YES) bash scripts/need.sh luacheck=lua-check
	luacheck --quiet lua
	bash scripts/proto.sh lint
	$(PY) scripts/lint_nginx.py

check: lint test  ## lint and test: what must pass before a commit

proto: setup-test  ## generate service/botsieve/v1 from proto/
	bash scripts/proto.sh

bench: compiled  ## measure the compiled core: decisions, socket, nginx, memory (PLAIN=1: as it is; BENCH=--quick: only see that it works)
	@YES=$(YES) bash scripts/need.sh wrk=wrk taskset=util-linux
	@PYTHONPATH=$(if $(PLAIN),,$(CURDIR)/build/compiled) exec $(PY) -m tests.bench.run $(BENCH)

faults: setup-test  ## break the service, its files, the clock and nginx under load, and print what visitors saw (three minutes)
	@exec $(PY) -m tests.faults.run

bench-peers: compiled  ## the same nginx beside CrowdSec's bouncer (BOTSIEVE_CROWDSEC_DIR) and ModSecurity's rule set
	@YES=$(YES) bash scripts/need.sh wrk=wrk taskset=util-linux
	@YES=$(YES) bash scripts/peers.sh
	@PYTHONPATH=$(CURDIR)/build/compiled BOTSIEVE_CROWDSEC_DIR=$(wildcard $(BOTSIEVE_CROWDSEC_DIR)) exec $(PY) -m tests.bench.peers

soak: setup-test  ## half an hour at 300 requests/s: does anything grow? (SOAK_MINUTES=12: for so long)
	@SOAK_MINUTES=$(SOAK_MINUTES) exec $(PY) -m tests.soak.run

fuzz: setup-test  ## parsers with coverage guidance, then 100,000 hostile requests on each transport (FUZZ="--seconds 5 --requests 0")
	@exec $(PY) -m tests.fuzz.run $(FUZZ)

mutation: setup-test  ## break score, policy, verdict and tokens one thing at a time: at least 85 % must be noticed
	@exec $(PY) scripts/mutation.py $(MUTATION)

sbom: setup-test  ## dist/botsieve-VERSION.cdx.json: what requirements.lock pins and the package carries, as CycloneDX
	@exec $(PY) scripts/sbom.py

lock:  ## resolve the dependencies of pyproject.toml anew into requirements*.lock
	@bash scripts/lock.sh

wheel: setup  ## dist/botsieve-*.whl, with its nginx and Lua files inside
	$(PY) -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .
	@ls dist/*.whl

clean:  ## remove what was built here (not nginx)
	rm -rf .venv .run .cache build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find service tests scripts -name __pycache__ -type d -prune -exec rm -rf {} +
