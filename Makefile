# Everything a person does here. `make help` lists it; CI and the README call these same targets.

SHELL := /bin/bash
VENV  := .venv
BIN   := $(VENV)/bin
UV    := scripts/uv
export UV_PROJECT_ENVIRONMENT := $(VENV)
# Some shells forbid it; but without bytecode each start compiles its libraries anew, TensorFlow's for a minute.
unexport PYTHONDONTWRITEBYTECODE

# HOST counts only where it is typed: some shells export it as the machine's name.
LISTEN = $(strip $(if $(filter command line,$(origin HOST)),--host $(HOST)) $(if $(PORT),--port $(PORT)))
URL   ?= http://127.0.0.1:$(if $(PORT),$(PORT),8000)

# --inexact: `make serve` after `make test` removes nothing, and the other way round.
SERVE_EXTRAS := --extra serve --extra adapt
ALL_EXTRAS   := $(SERVE_EXTRAS) --extra train --extra study --extra aws --extra lambda --extra fetch --group dev --group infra

.DEFAULT_GOAL := help
.PHONY: help serve dev test test-all lint format train evaluate demo smoke bench load figures tables edge cards graft subject synth seed cloud deploy \
	diff destroy bootstrap cost ui ui-dev ui-types ui-check screenshots clean

help: ## List what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

$(VENV)/.serve: pyproject.toml uv.lock scripts/uv
	$(UV) sync --frozen --inexact --no-default-groups $(SERVE_EXTRAS)
	@touch $@

$(VENV)/.all: pyproject.toml uv.lock scripts/uv
	$(UV) sync --frozen --inexact $(ALL_EXTRAS)
	@touch $@ $(VENV)/.serve

serve: $(VENV)/.serve ## Serve the page and the API on http://127.0.0.1:8000 (HOST=..., PORT=...)
	@scripts/page --if-possible
	@$(BIN)/malaria serve $(LISTEN)

dev: $(VENV)/.all ## The same, reloading on every change of the code
	@$(BIN)/malaria serve --reload $(LISTEN)

# A process for each core, also of the trainings (ARGS="-m train"), which hold one each. The other longer tiers use all
# cores by themselves.
DEALT = $(if $(filter -m,$(ARGS)),$(if $(filter train,$(ARGS)),-n auto --dist loadfile),-n auto --dist worksteal)
test: $(VENV)/.all ## Run the tests (under ten minutes); ARGS=... goes to pytest
	$(BIN)/pytest $(DEALT) $(ARGS)

test-all: $(VENV)/.all ## Run the longer tiers too: flow, envs, train, slow, infra, cloud, images, ui
	$(BIN)/pytest -m "flow or envs or train or slow or infra or cloud or images or ui" $(ARGS)

lint: $(VENV)/.all ## Check style, types and who imports what
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.all ## Format the code and mend what can be mended alone
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

train: $(VENV)/.all ## Train a network from scratch: ARGS="--data part1.zip ..."; `malaria train --help` says how
	$(BIN)/malaria train $(ARGS)

evaluate: $(VENV)/.serve ## Score a model on labelled cells: DATA=cells.zip
	@test -n "$(DATA)" || { echo "Name the cells: make evaluate DATA=cells.zip" >&2; exit 2; }
	@$(BIN)/malaria evaluate --data "$(DATA)" $(ARGS)

demo: $(VENV)/.serve ## A tour against a running server: predict, refuse, retrain, roll back (URL=...)
	@$(BIN)/python -m malaria.tours.demo $(URL)

smoke: $(VENV)/.serve ## Check any deployment: MALARIA_KEY=... make smoke URL=https://...
	@$(BIN)/python -m malaria.tours.smoke $(URL)

figures: $(VENV)/.all ## Measure what ships as docs/results tells it: DATA=folder with the sets, SUSPECTS=list
	@for network in mobilenet_v2 compact_cnn ensemble; do set -e; \
		measure() { $(BIN)/malaria evaluate --model $$network --report docs/results/$$network/$$1 --data $(DATA)/"$${@:2}"; }; \
		measure gate nih-cells-part4.zip --role gate --suspects $(SUSPECTS) --corruptions; \
		measure chula chula_rbc12.zip --kinds chula --role validation; \
		measure bccd bccd.zip --kinds bccd --role validation; \
		measure bbbc041 smears_bbbc041 --kinds bbbc041; \
		measure explanations nih-cells-part1.zip --data $(DATA)/nih-cells-part2.zip \
			--data $(DATA)/nih-cells-part3.zip --role validation --explanations; \
		$(BIN)/malaria evaluate --model $$network --report docs/results/$$network/stains \
			$$(printf -- '--data $(DATA)/nih-cells-part%s.zip ' 1 2 3) --role validation --suspects $(SUSPECTS) --stains; \
	done
	@$(BIN)/python -m malaria.tours.latency $$($(BIN)/python -m scripts.tables --files) --out docs/results/latency
	@$(MAKE) cards tables

# Of what the networks were trained on; with part 4 too the exports would get their own feature memory.
EDGE_SETS = $(foreach n,1 2 3,--data $(DATA)/nih-cells-part$(n).zip) \
	--laboratory chula=$(DATA)/chula_rbc12.zip --laboratory bccd=$(DATA)/bccd.zip
edge: $(VENV)/.all ## Export what ships in float16 and int8, and measure it: DATA=folder with the sets, NETWORKS="..."
	@for network in $(or $(NETWORKS),mobilenet_v2 compact_cnn ensemble); do \
		$(BIN)/malaria export $$network --out runs/edge/$$network --report docs/results/edge/$$network $(EDGE_SETS) \
			|| exit; \
	done

tables: $(VENV)/.serve ## Write the tables of figures in README and docs from the reports in docs/results
	@$(BIN)/python -m scripts.tables

cards: $(VENV)/.serve ## Write the model cards of what ships, with the reports in docs/results
	@for network in mobilenet_v2 compact_cnn ensemble; do \
		$(BIN)/malaria card $$network --attach $$(printf -- '--report %s ' docs/results/$$network/*/) || exit; \
	done

graft: $(VENV)/.serve ## Put the subject network of models/subject into every model that ships, and renew the cards
	@$(BIN)/malaria subject graft --models models
	@$(MAKE) cards

subject: $(VENV)/.all ## Measure what is taken for one good cell: DATA=folder, PHOTOS=folder, DRAWINGS=folder
	@$(BIN)/malaria subject evaluate --model mobilenet_v2 --report docs/results/subject \
		$$(printf -- '--data $(DATA)/nih-cells-part%s.zip ' 1 2 3 4) \
		--laboratory chula=$(DATA)/chula_rbc12.zip --laboratory bccd=$(DATA)/bccd.zip \
		--laboratory bbbc041=$(DATA)/smears_bbbc041 \
		--pictures photographs=$(PHOTOS) --pictures drawings=$(DRAWINGS)

bench: $(VENV)/.serve ## How much the API adds to the bare interpreter, with 1, 8 and 32 clients (URL=...)
	@$(BIN)/python -m malaria.tours.bench $(URL)

# Against URL only where that was named; its default is for the targets above.
load: $(VENV)/.all ## Load on a server that is started for it, or on URL=...; ARGS="--shape ramp -u 100 -t 300s" (docs/load.md)
	@$(BIN)/python -m load $(if $(filter-out file,$(origin URL)),--url $(URL)) $(ARGS)

# The deployment's settings stand in cdk.json, or are typed: make deploy ARGS="-c trainer=sagemaker -c alarm_email=..."
CDK := npx --yes aws-cdk@2.1148.1
synth: $(VENV)/.all ## Write the CloudFormation templates to cdk.out/ (needs Node.js); ARGS="-c name=value ..."
	$(BIN)/python -m infra.app $(ARGS)

deploy: $(VENV)/.all ## Deploy to AWS, or update what is there (docs/deployment.md); ARGS="-c name=value ..."
	@scripts/page --if-possible
	@$(BIN)/python -m infra.preflight $(ARGS)
	$(CDK) deploy --all $(ARGS)

diff: $(VENV)/.all ## Show what a deployment would change; ARGS as for deploy
	@scripts/page --if-possible
	$(CDK) diff $(ARGS)

# What goes needs no built page.
destroy: $(VENV)/.all ## Remove the stack; data stays unless it was deployed with keep_data=false
	$(CDK) destroy --all $(ARGS) -c web=off

bootstrap: $(VENV)/.all ## Once for each account and region: set up what the CDK needs there
	$(CDK) bootstrap $(ARGS)

seed: $(VENV)/.all ## Put base images into a deployment, for trainings of the whole network: DATA="part1.zip ..." FIELDS="chula=fields.zip ..." (TARGET=malaria)
	@test -n "$(DATA)" || { echo "Name the images: make seed DATA=\"part1.zip part2.zip\"" >&2; exit 2; }
	@$(BIN)/malaria --target $(or $(TARGET),malaria) data import $(DATA) $(addprefix --laboratory ,$(FIELDS))

cloud: $(VENV)/.all ## Run the whole stack on a local AWS, without an account (needs Node.js); ARGS="--port 4566 -c name=value ..."
	@$(BIN)/python -m infra.local $(ARGS)

cost: $(VENV)/.all ## What a deployment costs; ARGS="--predictions 1000000 -c trainer=sagemaker"
	@$(BIN)/python -m infra.cost $(ARGS)

ui: ## Build the web page into ui/dist (needs Node.js 20.19 or newer)
	@scripts/page

ui-dev: ui ## The page of a running server (URL=...), reloading on every change of its sources
	@cd ui && MALARIA_URL=$(URL) npm run --silent dev

ui-types: ui/node_modules $(VENV)/.serve ## Write the page's types anew, from what the API tells of itself
	@$(BIN)/python -m malaria.api > ui/src/api/openapi.json
	@cd ui && npm run --silent types

ui-check: ui/node_modules ## Check the page's style and types, and run its own tests
	@cd ui && npm run --silent check && npm run --silent test

ui/node_modules: ui/package-lock.json
	@cd ui && npm ci --loglevel=error
	@touch $@

screenshots: ui $(VENV)/.all ## Write pictures of each screen in both themes to docs/images (needs Chromium)
	@$(BIN)/python -m tests.ui.screenshots docs/images

clean: ## Remove what was built; environments and malaria-home/ stay
	rm -rf dist build cdk.out ui/dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage
	find src tests infra load training_job -name __pycache__ -type d -exec rm -rf {} +
