# Every target installs what it needs into .venv by itself, and again only when the lock or pyproject.toml changed.
# Needs python3.11 or newer with venv and pip; nothing else, no root.

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
  $$p -c 'import sys, venv, pip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
UV := .venv/installer/bin/uv
export UV_PYTHON_DOWNLOADS := never
# Compiled bytecode is worth a tenth of the start-up time.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run demo test check bench bench-peers faults fuzz soak mutation screenshots audit lock clean

run: .venv/.stamp ## open the program
	@$(BIN)/ollm-tui $(ARGS)

demo: .venv/.stamp ## open it on a made-up server with made-up models
	@$(BIN)/ollm-tui --demo $(ARGS)

test: .venv/.stamp ## all tests
	@$(BIN)/pytest -n 3 --dist worksteal $(ARGS)

check: .venv/.stamp ## format, lint, types, layers
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: .venv/.stamp ## performance, as ratios measured in one run, and tests/bench/RESULTS.md; ARGS=all with downloads
	@$(BIN)/python -m tests.bench $(ARGS)

bench-peers: .venv/.stamp ## what `make bench ARGS=all` compares with, no part of the program: 110 MB; ARGS=parllama 780 MB more
	@$(PYTHON) -m pip install -q --disable-pip-version-check --upgrade --target .venv/peers 'huggingface_hub==2.4.0' 'gguf==0.19.0'
	@test -z "$(filter parllama,$(ARGS))" || $(PYTHON) -m pip install -q --disable-pip-version-check --upgrade \
	  --target .venv/peers-parllama 'parllama==0.10.1'

faults: .venv/.stamp ## every fault in full, and tests/faults/RESULTS.md; ARGS=13 tries one row of it
	@$(BIN)/python -m tests.faults $(ARGS)

fuzz: .venv/.stamp ## inputs bred by what they reach in the parsers, 5 s for each; ARGS=60 seconds, ARGS="gguf 300" one target
	@test -d .venv/fuzz/atheris-3.0.0.dist-info \
	  || $(PYTHON) -m pip install -q --disable-pip-version-check --upgrade --target .venv/fuzz 'atheris==3.0.0' \
	  || { echo "fuzz: skipped: atheris cannot be installed here, for the reason above" >&2; exit 0; }; \
	  PYTHONPATH=.venv/fuzz $(BIN)/python -m tests.fuzz $(ARGS)

soak: .venv/.stamp ## half an hour of everything with the screen up, and what it then has of the machine; ARGS=10 minutes
	@$(BIN)/python -m tests.soak $(ARGS)

mutation: .venv/.stamp ## which mistakes the tests would not notice; ARGS=named or ARGS=a module, with or without tests
	@$(BIN)/python -m tests.mutation $(ARGS)

screenshots: .venv/.stamp ## regenerate screenshots/ and the generated parts of README.md from the sandbox
	@$(BIN)/python -m tests.screenshots
	@$(BIN)/python -m tests.readme

audit: .venv/.stamp ## known holes in the pinned dependencies, where pip has pip-audit and its list can be reached
	@$(PYTHON) -m pip install -q --disable-pip-version-check --upgrade --target .venv/audit pip-audit \
	  && PYTHONPATH=.venv/audit $(PYTHON) -m pip_audit --strict --require-hashes --disable-pip -r .ci/requirements.txt \
	  || { echo "audit: holes above, or skipped: needs pip-audit from the index, and the public list of holes, which an offline machine does not reach" >&2; exit 1; }

lock: .venv/.stamp ## pin every dependency again, by version and hash, naming no index
	@$(UV) pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  --no-annotate --upgrade --extra dev pyproject.toml -o .ci/requirements.txt

.venv/.stamp: pyproject.toml .ci/requirements.txt .ci/installer.txt
	@test -n "$(PYTHON)" || { echo "ollm-tui needs python3.11 or newer with venv and pip on the PATH" >&2; exit 1; }
	@echo "Installing into .venv (once, a few seconds) ..."
	@$(PYTHON) -m venv --clear --without-pip .venv
	@$(PYTHON) -m pip install -q --disable-pip-version-check --require-hashes --target .venv/installer -r .ci/installer.txt
	@VIRTUAL_ENV=.venv $(UV) pip sync -q --require-hashes .ci/requirements.txt
	@VIRTUAL_ENV=.venv $(UV) pip install -q --no-deps --no-build-isolation -e .
	@touch $@

clean:
	rm -rf .venv .mypy_cache .ruff_cache .hypothesis .import_linter_cache
