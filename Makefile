# Everything a person or CI runs; `make help` lists it.
# Needs python3 (3.11 or newer), pip and make. All else goes into .venv; nothing outside changes.

PYTHON  ?= python3
# Minutes of training for train-free and rows, and where the pictures of train-free go.
MINUTES ?= 60
FREE    ?= runs/free-pictures
# Folder with BSDS500 as benchmarks/prepare_bsds.py writes it, or any folder with images/ and
# regions/; without one `make bench` takes the four photographs of scikit-image.
BSDS    ?=
# More photographs for `make rows`, without regions; may stay empty.
PHOTOS  ?=
# Inputs that make fuzz makes for every reader, and which readers; all of them where it is empty.
INPUTS  ?= 100000
READERS ?=
# More arguments for pytest: make test ARGS="-k swap -x"; -n 0 runs in one process
ARGS    ?=

VENV  := .venv
BIN   := $(VENV)/bin
# Versions known to work together. The library's own ranges (pyproject.toml) stay open.
PIP   := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt

.PHONY: help demo test test-oldest coverage nightly fuzz lint check format wheel release docs notebooks gallery bench card rows train-free clean
.DEFAULT_GOAL := help

help:  ## this list
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## */ — /'

demo: $(VENV)/.core  ## compare the example pair: table, out/graph.json, overlay.png, report.html
	@mkdir -p out
	$(BIN)/distortion-graph compare examples/anchor.png examples/target.png \
	  --regions examples/regions.json --out out/graph.json --overlay out/overlay.png \
	  --report out/report.html

test: $(VENV)/.dev  ## set up what the tests need and pass every test
	$(BIN)/python -m pytest -n auto --dist loadscope --no-loadscope-reorder $(ARGS)

nightly: $(VENV)/.nightly  ## the tests that need large packages: Ray, a stand-in for S3, Polars; and fuzz
	$(BIN)/python -m pytest -rs $(NIGHTLY) $(ARGS)
	$(MAKE) fuzz

fuzz: $(VENV)/.dev  ## INPUTS changed files for every reader, an hour of one core: make fuzz READERS="svg cvat"
	$(BIN)/python tests/fuzz/fuzz_campaign.py --inputs $(INPUTS) $(READERS)

test-oldest:  ## the tests with the oldest versions that pyproject.toml allows, in a fresh environment
	$(PYTHON) tools/oldest.py $(ARGS)

coverage: $(VENV)/.dev  ## pass every test and say what they ran: out/coverage/index.html
	$(BIN)/python -m pytest -n auto --dist loadscope --no-loadscope-reorder \
	  --cov --cov-report=term:skip-covered --cov-report=html:out/coverage $(ARGS)

lint: $(VENV)/.dev  ## format, lint rules, types and who imports whom, changing nothing
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

check: lint test  ## lint and test: what must pass before a change goes in

format: $(VENV)/.dev  ## format the code and repair what ruff can repair
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

wheel: $(VENV)/.dev  ## build dist/*.whl
	rm -rf dist
	$(BIN)/python -m build --wheel

release: $(VENV)/.dev  ## commit and tag what was built and tried: make release VERSION=1.0.0 ARGS=--dry-run
	@test -n "$(VERSION)" || { echo "make release needs VERSION=1.2.3" >&2; exit 1; }
	$(BIN)/python tools/release.py $(VERSION) $(ARGS)

docs: $(VENV)/.docs  ## the documentation site in build/site; a link that leads nowhere is an error
	$(BIN)/python tools/docs_site/stage.py
	$(BIN)/zensical build --clean --strict

notebooks: $(VENV)/.dev  ## run the notebooks of docs/ and save them with what they print and plot
	$(BIN)/python tools/docs_site/run_notebooks.py

gallery: $(VENV)/.dev  ## make docs/gallery.md anew, with the shipped model
	$(BIN)/python tools/docs_site/gallery.py

bench: $(VENV)/.core  ## benchmark the shipped model: make bench BSDS=bsds500
	@mkdir -p $(dir $(BENCH_ROOT))
	$(if $(BSDS),,$(PIP) scikit-image)
	$(if $(BSDS),,$(BIN)/python benchmarks/free_pictures.py --no-packages $(BENCH_ROOT)-pictures)
	$(BIN)/distortion-graph dataset build $(BENCH_SOURCE) --split test --out $(BENCH_ROOT)
	$(BIN)/distortion-graph bench $(BENCH_ROOT) \
	  --json $(BENCH_ROOT).json --markdown $(BENCH_ROOT).md

card: $(VENV)/.dev  ## every figure of the model card: make card BSDS=bsds500
	@test -d "$(BSDS)/train" -a -d "$(BSDS)/val" || { \
	  echo "make card needs BSDS=FOLDER with train/ and val/ in it" >&2; exit 1; }
	$(MAKE) bench
	$(BIN)/python benchmarks/free_pictures.py $(FREE)
	cp $(BENCH_ROOT).md $(CARD)
	for part in $(CARD_PARTS); do { printf '\n```\n%s\n' "$$part" && \
	  $(BIN)/python benchmarks/$$part && echo '```'; } >> $(CARD) || exit 1; done
	@echo $(CARD)

rows: $(VENV)/.dev  ## ours and panda's head, MINUTES of training each, beside the shipped: make rows BSDS=bsds500
	@test -d "$(BSDS)/train" -a -d "$(BSDS)/val" || { \
	  echo "make rows needs BSDS=FOLDER with train/ and val/ in it" >&2; exit 1; }
	$(ROW_TRAIN) --out runs/row-ours
	$(BIN)/distortion-graph export runs/row-ours --out runs/row-ours/model --name ours-$(MINUTES)
	$(ROW_TRAIN) --out runs/row-panda --model panda --set network.backbone=lite0 \
	  --set optimiser.learning_rate=0.0001 --set optimiser.weight_decay=0.01
	$(BIN)/distortion-graph dataset build $(BENCH_SOURCE) --split test --out $(BENCH_ROOT)
	$(BIN)/distortion-graph bench $(BENCH_ROOT) --model shipped \
	  --model ours-$(MINUTES)=runs/row-ours/model --model panda-lite0-$(MINUTES)=runs/row-panda/best

train-free: $(VENV)/.dev  ## train on freely licensed pictures only: make train-free MINUTES=60
	$(BIN)/python benchmarks/free_pictures.py $(FREE)
	$(BIN)/distortion-graph train --pictures $(FREE) --held-out $(FREE)/held_out.json \
	  --out runs/free --minutes $(MINUTES)
	$(BIN)/distortion-graph export runs/free --out runs/free/model --name free

clean:  ## remove what can be made again; .venv and runs/ stay
	rm -rf build dist out .venv-oldest .coverage* .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find src tests examples benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

# --- what the targets above stand on ---

NIGHTLY      := tests/work tests/batch
BENCH_ROOT   := runs/bench-$(if $(BSDS),$(notdir $(abspath $(BSDS))),free)
CARD         := $(BENCH_ROOT)-card.md
CARD_PARTS   := "robustness.py $(BSDS)/val --pictures $(FREE)" \
  "severity_bound.py $(BSDS)/train $(BSDS)/val" "large_accuracy.py $(FREE)" \
  "large_pictures.py" "panda_speed.py" "batch_throughput.py"
ROW_TRAIN    := $(BIN)/distortion-graph train --labelled $(BSDS)/train --held-out benchmarks/dev.json \
  $(if $(PHOTOS),--pictures $(PHOTOS)) --minutes $(MINUTES)
BENCH_SOURCE := $(if $(BSDS),$(or $(wildcard $(BSDS)/val),$(BSDS)),pictures:$(BENCH_ROOT)-pictures)

# bin/pip is the last thing a new environment gets, so it tells a whole one from a half-made one.
# A python3 that comes without ensurepip (Debian's, unless python3-venv is there) cannot make an
# environment with pip in it; virtualenv brings its own pip along.
$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "$(PYTHON) is $$($(PYTHON) --version 2>/dev/null || echo missing), expected Python 3.11+;" \
	    "name another one: make PYTHON=python3.12 ..." >&2; exit 1; }
	@if $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null; then $(PYTHON) -m venv $(VENV); else \
	  tools=$$(mktemp -d) && trap 'rm -rf "$$tools"' EXIT && \
	  $(PYTHON) -m pip install --quiet --target "$$tools" virtualenv && \
	  PYTHONPATH="$$tools" $(PYTHON) -m virtualenv --quiet $(VENV); fi

# Stamps: an environment is brought up to date only when what it is made from has changed.
$(VENV)/.core: pyproject.toml constraints.txt | $(BIN)/pip
	$(PIP) --editable .
	@touch $@

# torch comes first and by itself: whatever later asks for torch then finds it there and cannot
# bring another build of it.
$(VENV)/.dev: pyproject.toml constraints.txt | $(BIN)/pip
	$(PIP) torch
	$(PIP) --editable '.[train,segment,figures,tables,mllm,mcp,serve,formats,dev]'
	@touch $(VENV)/.core $@

$(VENV)/.docs: pyproject.toml constraints.txt | $(BIN)/pip
	$(PIP) --editable '.[docs]'
	@touch $(VENV)/.core $@

# Without constraints.txt: what speaks S3 asks for an older python-dateutil. The editable package is
# there; Ray alone has 240 MB.
$(VENV)/.nightly: $(VENV)/.dev
	$(BIN)/python -m pip --disable-pip-version-check install --quiet --editable '.[nightly]'
	@touch $@
