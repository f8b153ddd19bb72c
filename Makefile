# Hilum. `make help` lists every target.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
FILES ?=
STAY ?= 1
PACS ?= 0
WORKERS ?= 2
export FILES STAY PACS

LOCAL := -e . -e services/gateway -e services/worker -e services/listener -e services/cli -e stack
OWN := hilum hilum-gateway hilum-worker hilum-listener hilum-cli hilum-engine hilum-triton-probe hilum-stack hilum-training

.PHONY: help
help: ## List every target
	@awk -F ':.*## ' '/^[a-zA-Z_-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# ------------------------------------------------------------------------------- run it
.PHONY: demo
demo: .venv/.installed ## Analyse films on the embedded stack, then serve on 127.0.0.1:8080 (FILES="a.dcm b.png", STAY=0, HILUM_PORT=8080, PACS=1)
	@.venv/bin/python -m hilum_stack demo

.PHONY: stack
stack: .venv-dev/.installed ## The same on real PostgreSQL, Redis, MinIO and Triton (FILES, STAY, WORKERS=2, PACS=1); needs `make services` once
	@.venv-dev/bin/python -m hilum_stack stack --workers $(WORKERS)

.PHONY: services
services: ## Install the real servers that the integration tests and `make stack` use
	@PYTHON=$(PYTHON) bash scripts/services.sh

# ------------------------------------------------------------------------------ check it
.PHONY: test
test: check .venv-training/.installed ## All checks and all tests, those with servers beside the others
	@bash scripts/test.sh

.PHONY: check
check: .venv-dev/.installed ## Lint, format, types, import rules, generated reference
	.venv-dev/bin/ruff check .
	.venv-dev/bin/ruff format --check .
	.venv-dev/bin/mypy
	.venv-dev/bin/lint-imports --no-logo
	.venv-dev/bin/python scripts/reference.py --check

.PHONY: reference
reference: .venv-dev/.installed ## Write docs/reference/ from the code: settings, errors, metrics, events
	.venv-dev/bin/python scripts/reference.py

.PHONY: test-units
test-units: .venv-dev/.installed ## Unit, contract, chart and model tests
	.venv-dev/bin/pytest tests $(foreach part,$(SERVED) unit/training images cluster nightly,--ignore=tests/$(part))

.PHONY: test-servers
test-servers: .venv-dev/.installed ## Tests of the whole stack: integration, browser, beside the previous release
	.venv-dev/bin/pytest $(addprefix tests/,$(SERVED))

.PHONY: test-training
test-training: .venv-training/.installed ## Tests of the training code (TensorFlow, an environment of its own)
	.venv-training/bin/pytest tests/unit/training

.PHONY: nightly
nightly: public-sets viewer fuzz ## Once a night: public sets of images beside another decoder, a viewer, then the fuzzer

.PHONY: public-sets
public-sets: .venv-dev/nightly/.installed ## Read every file of public sets of images; compare those with a window with DCMTK
	@PYTHON=$(PYTHON) bash scripts/services.sh decoders
	PYTHONPATH=.venv-dev/nightly .venv-dev/bin/pytest -s tests/nightly --ignore=tests/nightly/viewer

.PHONY: viewer
viewer: .venv-dev/.installed ## Open a result in the viewer OHIF (from npm) and look for its boxes; screenshots in .cache/viewer
	@PYTHON=$(PYTHON) bash scripts/services.sh viewer
	.venv-dev/bin/pytest -s tests/nightly/viewer

.PHONY: fuzz
fuzz: .venv-dev/nightly/.installed ## Fuzz the reader with Atheris for FUZZ_SECONDS (3600)
	PYTHONPATH=.venv-dev/nightly .venv-dev/bin/python -m tests.fuzz.fuzz_reader $(or $(FUZZ_SECONDS),3600)

.PHONY: format
format: .venv-dev/.installed ## Format the code and mend what the linter can
	.venv-dev/bin/ruff check --fix .
	.venv-dev/bin/ruff format .

.PHONY: bench
bench: .venv-dev/.installed ## Measure throughput, latency, CPU and memory on the real stack
	.venv-dev/bin/python -m benchmarks.throughput

.PHONY: bench-restore
bench-restore: .venv-dev/.installed ## Measure a backup under load and a restore after everything was lost
	.venv-dev/bin/python -m benchmarks.restore

.PHONY: bench-dicom
bench-dicom: .venv-dev/.installed ## Measure how fast Hilum, Orthanc and storescp take DICOM objects, and their CPU
	.venv-dev/bin/python -m benchmarks.dicom_ingest

# ------------------------------------------------------------------------------- models
.PHONY: train
train: .venv-training/.installed ## Train the network of a panel (PANEL=gate|pneumonia|tuberculosis|lungs..., EPOCHS=, LIMIT=)
	.venv-training/bin/python -m hilum_training train $(PANEL) $(if $(EPOCHS),--epochs $(EPOCHS)) $(if $(LIMIT),--limit $(LIMIT))

.PHONY: evaluate
evaluate: .venv-training/.installed ## Measure a trained network on the test split (PANEL=; without it: all)
	@for panel in $(PANELS); do .venv-training/bin/python -m hilum_training evaluate $$panel || exit; done

.PHONY: points
points: .venv-training/.installed ## Choose a network's operating points and print what they give, without a report (PANEL=)
	.venv-training/bin/python -m hilum_training points $(PANEL)

.PHONY: export
export: .venv-training/.installed ## Export a trained network to model_repository/ in place of the same or an older version (PANEL=; without it: all)
	@for panel in $(PANELS); do .venv-training/bin/python -m hilum_training export $$panel --replace || exit; done

.PHONY: baselines
baselines: .venv-training/.installed ## Rebuild the original apps' methods on the same split
	.venv-training/bin/python -m hilum_training baselines
	.venv-training/bin/python -m hilum_training.evaluation.shortcuts.thumbnail_ridge

.PHONY: tune
tune: .venv-training/.installed ## Search learning rate and the like on short runs (PANEL=, TRIALS=8, EPOCHS=2, LIMIT=600, SIZE=)
	.venv-training/bin/python -m hilum_training tune $(PANEL) $(if $(TRIALS),--trials $(TRIALS)) $(if $(EPOCHS),--epochs $(EPOCHS)) $(if $(LIMIT),--limit $(LIMIT)) $(if $(SIZE),--size $(SIZE))

.PHONY: shifts
shifts: .venv-training/.installed ## Train with a source or a part of the films held back, and ask there (SHIFT="names in training/recipes/shifts"; without it: all)
	@for shift in $(SHIFTS); do .venv-training/bin/python -m hilum_training.evaluation.shifts $$shift || exit; done

.PHONY: rivals
rivals: .venv-training/.installed ## Train another network as long as the shipped one, ask it beside it (RIVAL="names in training/recipes/rivals"; without it: all)
	@for rival in $(RIVALS); do .venv-training/bin/python -m hilum_training.evaluation.rivals $$rival || exit; done

.PHONY: mask-shares
mask-shares: .venv-training/.installed ## Learn the lungs from a part of their films (SHARES="0.25 0.5")
	.venv-training/bin/python -m hilum_training.evaluation.mask_shares $(SHARES)

.PHONY: thumbnail-ridge
thumbnail-ridge: .venv-training/.installed ## Tell bacterial from viral pneumonia by a ridge regression on thumbnails, on both splits
	.venv-training/bin/python -m hilum_training.evaluation.shortcuts.thumbnail_ridge

.PHONY: previous
previous: .venv-training/.installed ## Keep what a release measured, to compare the next one with it (RELEASE=revision of git)
	.venv-training/bin/python -m hilum_training.evaluation.previous_release $(RELEASE)

.PHONY: summary
summary: .venv-training/.installed ## Write the two pages, details, checklist and panel pages of training/reports from every report
	.venv-training/bin/python -m hilum_training.evaluation.summary

.PHONY: negatives
negatives: ## Fetch pictures that are no chest films, for training the gate (Debian packages, unpacked only)
	@bash scripts/negatives.sh

SERVED := integration e2e previous
PANEL ?= $(if $(filter train tune points,$(MAKECMDGOALS)),$(error say which: make $(MAKECMDGOALS) PANEL=pneumonia, tuberculosis, ...))
PANELS = $(or $(PANEL),gate lungs chest)
SHIFTS = $(or $(SHIFT),$(basename $(notdir $(wildcard training/recipes/shifts/*.toml))))
RIVALS = $(or $(RIVAL),$(basename $(notdir $(wildcard training/recipes/rivals/*.toml))))
SHARES ?=
EPOCHS ?=
LIMIT ?=

# -------------------------------------------------------------------------------- chart
CHART := helm/hilum
CHART_TOOLS := $(CURDIR)/.cache/cluster/bin
HELM_DOCS_VERSION := v1.14.2
# Newest Kubernetes that the chart is held against; Helm built from source believes in one of 2020.
CHART_KUBERNETES := 1.36
PROFILES = $(wildcard $(CHART)/ci/*-values.yaml)

$(CHART_TOOLS)/helm-docs:
	GOBIN=$(CHART_TOOLS) go install github.com/norwoodj/helm-docs/cmd/helm-docs@$(HELM_DOCS_VERSION)

.PHONY: chart-docs
chart-docs: .venv-dev/.installed $(CHART_TOOLS)/helm-docs ## Write the chart's schema, README and copies of observability/ from their sources
	@.venv-dev/bin/python scripts/chart_schema.py $(CHART)/values.yaml > .cache/values.schema.json
	@mv .cache/values.schema.json $(CHART)/values.schema.json
	@$(CHART_TOOLS)/helm-docs --chart-search-root $(CHART) --sort-values-order file --log-level warning
	@mkdir -p $(CHART)/files
	@cp observability/dashboard.json observability/alerts.yaml $(CHART)/files/

.PHONY: chart-check
chart-check: chart-docs ## Lint the chart with every profile; hold what is generated against its source
	@for values in $(PROFILES); do $(CHART_TOOLS)/helm3 lint --strict --quiet --kube-version $(CHART_KUBERNETES) $(CHART) --values $$values || exit; done
	@git diff --exit-code -- $(CHART)/values.schema.json $(CHART)/README.md $(CHART)/files || \
	  { echo "what is generated differs from its source: commit what make chart-docs wrote"; exit 1; }

# ------------------------------------------------------------------------------- images
# BASE=registry takes PYTHON_IMAGE or the Dockerfiles' default; BASE=debian makes a base of this
# machine's Debian packages. See docs/images.md.
BASE ?= registry
export BASE

.PHONY: images
images: ## Build the container images with podman or docker (IMAGE="gateway worker", BASE=registry|debian, PYTHON_IMAGE=, STAND_INS=1)
	@$(PYTHON) -m images build $(IMAGE) $(if $(STAND_INS),--stand-ins)

.PHONY: image-tools
image-tools: ## Install what builds images: podman, runc, debootstrap
	@bash scripts/services.sh images

.PHONY: images-check
images-check: .venv-dev/.installed ## Lint the Dockerfiles; read compose.yaml as Docker would
	.venv-dev/bin/pytest tests/unit/images

.PHONY: images-test
images-test: .venv-dev/.installed ## Build every image and run each as a stranger on a read-only root
	.venv-dev/bin/pytest tests/images

# ------------------------------------------------------------------------------ cluster
# A real Kubernetes on this machine, in a network without an uplink; needs root. See tests/cluster/.
CLUSTER := .venv-dev/bin/python -m tests.cluster

.PHONY: cluster-packages
cluster-packages: ## Install what the cluster runs on: etcd, runc, network plugins, podman, debootstrap
	@PYTHON=$(PYTHON) bash scripts/services.sh cluster

.PHONY: cluster-tools
cluster-tools: .venv-dev/.installed ## Build Kubernetes, containerd, Helm and the like into .cache/cluster (once; 15 minutes on 2 cores)
	@$(CLUSTER) tools

.PHONY: chart-tools
chart-tools: .venv-dev/.installed ## Build only what checks the chart: Helm 3 and 4, helm-docs, kubeconform, kube-score
	@$(CLUSTER) chart-tools

.PHONY: cluster
cluster: cluster-tools ## Start a real Kubernetes; `make cluster-down` leaves nothing behind
	@$(CLUSTER) up

.PHONY: cluster-down
cluster-down: .venv-dev/.installed ## Stop it
	@$(CLUSTER) down

.PHONY: cluster-test
cluster-test: cluster-tools ## Install every profile on simulated nodes, with Helm 3 and 4: schedule, upgrade, roll back, remove
	@$(CLUSTER) run .venv-dev/bin/pytest tests/cluster --ignore=tests/cluster/e2e --ignore=tests/cluster/keda

.PHONY: cluster-e2e
cluster-e2e: cluster-tools ## Install the images of `make images` on the real node and send films through it
	@$(CLUSTER) run .venv-dev/bin/pytest tests/cluster/e2e

.PHONY: cluster-gate
cluster-gate: .venv-dev/.installed ## Say whether the chart, the images or what they hold changed since the cluster's tests were green
	@.venv-dev/bin/python -m tests.cluster.gate check

.PHONY: cluster-keda
cluster-keda: cluster-tools ## Nightly: KEDA scales the workers of the chart by the jobs in a real PostgreSQL (builds KEDA once; 15 minutes more)
	@$(CLUSTER) keda-tools
	@$(CLUSTER) run .venv-dev/bin/pytest tests/cluster/keda

# ------------------------------------------------------------------------- environments
.PHONY: lock
lock: .venv-dev/.installed ## Pin the dependencies of every image again
	@for name in gateway worker listener cli engine triton_probe demo dev nightly training triton images; do \
	  echo "requirements/$$name.lock"; \
	  .venv-dev/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	    $(OWN:%=--no-emit-package %) --no-header --no-annotate \
	    requirements/$$name.in -o requirements/$$name.lock; \
	done

# $(call environment,LOCK,EDITABLE INSTALLS): a virtual environment with hashed pins, then ours. A changed lock is
# installed over what is there, so that nobody who runs from it loses the interpreter; `make clean` begins anew.
define environment
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Hilum needs Python 3.11 or later; set PYTHON=")'
	@echo "Installing $(@D) (once) ..."
	@$(PYTHON) -m venv $(@D)
	@$(@D)/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/$(1).lock
	@$(@D)/bin/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation $(2)
	@touch $@
endef

PROJECTS := pyproject.toml $(wildcard services/*/pyproject.toml) stack/pyproject.toml training/pyproject.toml

.venv/.installed: requirements/demo.lock $(PROJECTS)
	$(call environment,demo,$(LOCAL))

.venv-dev/.installed: requirements/dev.lock $(PROJECTS)
	$(call environment,dev,$(LOCAL) -e services/engine -e services/triton_probe -e training)

# Beside the environment, which stays what its lock says.
.venv-dev/nightly/.installed: requirements/nightly.lock .venv-dev/.installed
	@rm -rf $(@D)
	@.venv-dev/bin/pip install --quiet --disable-pip-version-check --target $(@D) --require-hashes -r $<
	@touch $@

.venv-training/.installed: requirements/training.lock $(PROJECTS)
	$(call environment,training,-e . -e stack -e training)

.PHONY: clean
clean: ## Remove environments, caches and run data (asks nothing, keeps .cache/ with the built servers)
	rm -rf .venv .venv-dev .venv-training .hilum .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
