# Every target first does the set-up that is missing. `make` alone lists them.
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.PHONY: help setup demo test test-unit check lint types dead-code layers format bench model clean

# nats-server is in /usr/sbin on Debian, which is not on everybody's PATH.
export PATH := $(CURDIR)/.tools/bin:$(CURDIR)/node_modules/.bin:$(PATH):/usr/local/sbin:/usr/sbin

BIN := node_modules/.bin

help: ## show this screen
	@echo 'stream-infer: video in, algorithms over windows of its frames, time-keyed results out'
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
	@echo
	@echo 'Start with: make demo'

setup: ## install what is missing (ffmpeg, nats-server, Node.js, pnpm, dependencies)
	@sh scripts/setup.sh

demo: setup ## run a detector over the bundled clip and show what comes out
	@sh scripts/demo.sh

test: setup ## pass every test; only some with: make test ARGS=path/or/name
	@$(BIN)/vitest run $(ARGS)

test-unit: setup ## pass the tests that need no server, in seconds
	@$(BIN)/vitest run --project unit $(ARGS)

check: lint types dead-code layers ## lint, types, dead code and layer rules, in seconds

lint: setup ## style and correctness of the sources (Biome, oxlint, shellcheck)
	@$(BIN)/biome check --error-on-warnings .
	@$(BIN)/oxlint --type-aware --deny-warnings
	@sh scripts/lint-shell.sh

types: setup ## TypeScript, whole repository
	@$(BIN)/tsc --noEmit

dead-code: setup ## exports, files and dependencies that nothing uses (knip)
	@$(BIN)/knip

layers: setup ## what may import what, and what documents may say
	@node scripts/check-layers.ts
	@node scripts/check-docs.ts

format: setup ## format the sources in place
	@$(BIN)/biome check --write .

bench: setup ## measure cost and rate, and write bench/RESULTS.md
	@node bench/main.ts

model: setup ## build the demo's model and clip anew from their script
	@node scripts/model.ts

clean: ## remove everything that was made here, set-up included
	rm -rf .tools node_modules proto/gen proto/node_modules packages/*/node_modules services/*/node_modules \
	  algorithms/node_modules demo-out coverage
