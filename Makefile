# Everything a person or CI runs; `make help` lists it.
# Needs python3 (3.11 or newer), pip and make. All else goes into .venv; nothing outside changes.

PYTHON  ?= python3
# Folder with BSDS500 as benchmarks/prepare_bsds.py writes it, or any folder with images/ and
# regions/; without one `make bench` takes the four photographs of scikit-image.
BSDS    ?=
# Where the photographs of other origin for `make card` go.
FREE    ?= runs/free-pictures
# Real pictures (benchmarks/real_pairs.py) and people's opinions (benchmarks/opinion.py) for `make
# card`, which leaves out what is not named; opinions for `make ship` too.
REAL    ?=
OPINION ?=
# Minutes of training of each network of `make rows`, and folders of photographs to train on.
MINUTES ?= 60
PHOTOS  ?=
# Inputs that make fuzz makes for every reader, and which readers; all of them where it is empty.
INPUTS  ?= 100000
READERS ?=
# What `make ship` makes the shipped model of: a network's folder, its version, and the folder whose
# pictures of chain/held_out.json, with those of BSDS/train, calibrate it.
NETWORK ?= chain
MODEL_VERSION ?= 10.2
DEV     ?=
# More arguments for pytest: make test ARGS="-k swap -x"; -n 0 runs in one process
ARGS    ?=

VENV  := .venv
BIN   := $(VENV)/bin
# Versions known to work together. The library's own ranges (pyproject.toml) stay open.
PIP   := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt

.PHONY: help demo test test-oldest coverage nightly fuzz lint check format wheel release docs notebooks gallery bench card rows ship look clean
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
	$(BIN)/distortion-graph bench $(BENCH_ROOT) $(BENCH_OPTIONS) \
	  --json $(BENCH_ROOT).json --markdown $(BENCH_ROOT).md

card: $(VENV)/.dev  ## measure what is not measured yet and write it into the card: make card BSDS=… REAL=… OPINION=…
	@test -d "$(BSDS)/train" -a -d "$(BSDS)/val" || { \
	  echo "make card needs BSDS=FOLDER with train/ and val/ in it" >&2; exit 1; }
	$(MAKE) $(addprefix $(CARD)/,$(CARD_PARTS))
	$(BIN)/python benchmarks/card.py $(CARD)

rows: $(VENV)/.dev  ## ours and panda's head, MINUTES of training each, beside the shipped: make rows BSDS=… PHOTOS=…
	@test -d "$(BSDS)/val" -a -n "$(PHOTOS)" || { echo "make rows needs PHOTOS='FOLDER …' to train" \
	  "on, and BSDS=FOLDER with val/ in it to measure on" >&2; exit 1; }
	$(ROW_TRAIN) --out runs/row-ours
	$(BIN)/distortion-graph export runs/row-ours --out runs/row-ours/model --name ours-$(MINUTES)
	$(ROW_TRAIN) --out runs/row-panda --model panda --set network.backbone=lite0 \
	  --set optimiser.learning_rate=0.0001 --set optimiser.weight_decay=0.01
	$(BIN)/distortion-graph dataset build $(BENCH_SOURCE) --split test --out $(BENCH_ROOT)
	$(BIN)/distortion-graph bench $(BENCH_ROOT) --model shipped \
	  --model ours-$(MINUTES)=runs/row-ours/model --model panda-lite0-$(MINUTES)=runs/row-panda/best

ship: $(VENV)/.dev  ## calibrate a network into chain/ and export it as the shipped model (chain/README.md)
	@test -d "$(BSDS)/train" -a -d "$(DEV)" -a -d "$(OPINION)" || { echo "make ship needs" \
	  "BSDS=FOLDER with train/ in it, DEV=FOLDER and OPINION=FOLDER (chain/README.md)" >&2; exit 1; }
	$(BIN)/distortion-graph calibrate $(NETWORK) --labelled $(BSDS)/train --pictures $(DEV) \
	  --held-out chain/held_out.json --out chain
	$(BIN)/distortion-graph calibrate chain --human $(OPINION) --layout csv --out chain
	$(BIN)/distortion-graph export chain --out $(WEIGHTS) --name lite0-regions --version $(MODEL_VERSION) \
	  --card benchmarks/shipped_card.json

look: $(VENV)/.dev  ## after `make ship`: what the pages print and show of the example pair; needs Chromium
	PYTHONPATH=tools/docs_site:$$PYTHONPATH $(BIN)/python benchmarks/pages.py

clean:  ## remove what can be made again; .venv and runs/ stay
	rm -rf build dist out .venv-oldest .coverage* .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find src tests examples benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

# --- what the targets above stand on ---

NIGHTLY      := tests/work tests/batch
BENCH_ROOT   := runs/bench-$(if $(BSDS),$(notdir $(abspath $(BSDS))),free)
WEIGHTS      := src/distortion_graph/weights
# A part is a file, made again once the model is another one: `make runs/card/wild.json BSDS=…`.
CARD         := runs/card
CARD_PARTS   := protocol.json wild.json $(if $(REAL),real.json) $(if $(OPINION),opinion.json) \
  robustness.json bound.json large.json large_pictures.txt panda_speed.txt batch_throughput.txt
ROW_TRAIN    := $(BIN)/distortion-graph train $(addprefix --pictures ,$(PHOTOS)) \
  --held-out chain/held_out.json --minutes $(MINUTES)
BENCH_SOURCE := $(if $(BSDS),$(or $(wildcard $(BSDS)/val),$(BSDS)),pictures:$(BENCH_ROOT)-pictures)

$(CARD)/%: $(WEIGHTS)/model.json
	@mkdir -p $(CARD)
	$(PART_$*)

PART_protocol.json = $(MAKE) bench BENCH_OPTIONS=--reference && cp $(BENCH_ROOT).json $@
PART_wild.json = $(BIN)/distortion-graph dataset build $(BSDS)/val --recipe wild --split test \
  --out $(BENCH_ROOT)-wild && $(BIN)/distortion-graph bench $(BENCH_ROOT)-wild --json $@
PART_real.json = $(BIN)/python benchmarks/real_pairs.py $(REAL) --json $@
PART_opinion.json = $(BIN)/python benchmarks/opinion.py $(OPINION) --json $@
PART_robustness.json = $(OTHER_ORIGINS) && \
  $(BIN)/python benchmarks/robustness.py $(BSDS)/val --pictures $(FREE) --json $@
PART_bound.json = $(BIN)/python benchmarks/severity_bound.py $(BSDS)/train $(BSDS)/val --json $@
PART_large.json = $(OTHER_ORIGINS) && $(BIN)/python benchmarks/large_accuracy.py $(FREE) --json $@
OTHER_ORIGINS = $(BIN)/python benchmarks/free_pictures.py $(FREE)
PART_large_pictures.txt = $(BIN)/python benchmarks/large_pictures.py > $@.part && mv $@.part $@
PART_panda_speed.txt = $(BIN)/python benchmarks/panda_speed.py > $@.part && mv $@.part $@
PART_batch_throughput.txt = $(BIN)/python benchmarks/batch_throughput.py > $@.part && mv $@.part $@

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
