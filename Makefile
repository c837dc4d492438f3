# visner's commands. `make` lists them; each installs what it needs into .venv first, and does nothing twice.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help run test test-slurm lint bench lock clean

TARGET ?= results/ene_gate/scores.json
PYTEST ?= tests --ignore=tests/slurm
CORES ?= all
UPGRADE ?= --upgrade
# An index with builds of torch for CPUs alone: without CUDA's 3.4 GB. Empty: what the lock file says.
TORCH_INDEX ?=

export PATH := $(CURDIR)/.venv/bin:$(PATH)
PIP := .venv/bin/python -m pip --disable-pip-version-check --no-input

# The first Python of at least 3.11 that really runs (a shim of pyenv can be there for a Python that isn't).
PYTHONS := python3.11 python3.12 python3
find_python = if [ -n "$(PYTHON)" ]; then echo "$(PYTHON)"; else for one in $(PYTHONS); do \
	$$one -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$one && break; done; fi

# make_venv FOLDER: a new virtual environment, or an error that says what to install.
define make_venv
python=$$($(find_python)); \
[ -n "$$python" ] || { echo "visner needs Python 3.11 or later: apt install python3 python3-venv, or make PYTHON=/path/to/python"; exit 1; }; \
$$python -c 'import ensurepip, venv' 2>/dev/null || { echo "$$python cannot make virtual environments: apt install python3-venv"; exit 1; }; \
echo "making $(1) with $$($$python --version)"; $$python -m venv $(1)
endef

help: ## list these commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## */  make \1\t/' | expand -t 19

run: .venv/.installed ## make results/ene_gate/scores.json from the embedded sample (TARGET=... for another file)
	@mkdir -p .snakemake
# A run that was killed leaves Snakemake's lock behind, and beside it the file make-run: then, and only then, the lock
# is taken away. A second `make run` in this folder waits for the first.
	@exec 9>.snakemake/make-run.lock; \
	flock --nonblock 9 || { echo "another make run is at work here: waiting for it to end"; flock 9; }; \
	if [ -e .snakemake/make-run ]; then .venv/bin/snakemake --unlock || exit $$?; fi; \
	touch .snakemake/make-run; status=0; \
	.venv/bin/snakemake --cores $(CORES) $(TARGET) || status=$$?; \
	if [ $$status -lt 128 ]; then rm -f .snakemake/make-run; fi; exit $$status

test: .venv/.installed ## pass the tests (PYTEST=tests/nouns: some of them)
	OMP_NUM_THREADS=1 .venv/bin/python -m pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder $(PYTEST)

# Most of a test's time is waiting for the queue: three clusters side by side.
test-slurm: .venv/.installed ## pass the tests on a SLURM cluster of two nodes on this machine (installs it, if it may)
	tests/slurm/install
	OMP_NUM_THREADS=1 .venv/bin/python -m pytest -n 3 --maxschedchunk 1 tests/slurm

lint: .venv/.installed ## check style and form
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/snakefmt --check Snakefile workflow

bench: .venv/.installed ## run the benchmarks: each prints ratios against a named peer
# 77 says that something it needs isn't here, such as a GPU.
	@failed=; for one in benchmarks/*.py; do \
		echo "== $$one"; .venv/bin/python $$one; status=$$?; \
		case $$status in 0|77) ;; *) failed="$$failed $$one";; esac; \
	done; [ -z "$$failed" ] || { echo "below the claim:$$failed"; exit 1; }

# One resolution for Linux and macOS, on every Python that pyproject.toml admits; hashes are of all files of a version.
lock: ## resolve all versions anew: requirements.lock and the conda environments (UPGRADE= keeps those it can)
	rm -rf build/lock
	@$(call make_venv,build/lock)
	build/lock/bin/python -m pip --disable-pip-version-check --no-input install uv
	echo 'setuptools>=77' | build/lock/bin/uv pip compile $(UPGRADE) pyproject.toml - --all-extras --universal \
		--generate-hashes --no-emit-index-url --no-annotate --python-version 3.11 \
		--custom-compile-command 'make lock' --quiet --output-file requirements.lock
	build/lock/bin/python workflow/lock.py
	rm -rf build/lock

clean: ## remove the installation and caches; results, resources and store stay
	rm -rf .venv build .pytest_cache .ruff_cache .hypothesis lib/visner.egg-info

# What is installed is what the lock file says. The stamp goes first and comes last: an environment without it is half
# made, and made afresh.
.venv/.installed: requirements.lock pyproject.toml
	@if [ ! -e $@ ] && [ -e .venv ]; then echo "removing the half-made .venv"; rm -rf .venv; fi
	@rm -f $@
	@[ -x .venv/bin/python ] || { $(call make_venv,.venv); }
	@echo "installing $$(grep -c == requirements.lock) packages into .venv: some minutes, some 6 GB"
	@if [ -n "$(TORCH_INDEX)" ]; then set -ex; \
		$(PIP) install --index-url $(TORCH_INDEX) $$(grep -oE '^(torch|torchvision)==[0-9.]+' requirements.lock); \
		awk '/^[^ #]/ {cuda = /^(torch|torchvision|triton|nvidia-[a-z0-9-]+|cuda-[a-z]+)==/} !cuda' requirements.lock \
			> .venv/without-cuda.lock; \
		$(PIP) install --use-pep517 -r .venv/without-cuda.lock; \
	else set -x; $(PIP) install --use-pep517 -r requirements.lock; fi
	$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@
