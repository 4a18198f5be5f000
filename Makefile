# Every target first does the set-up that is missing. `make` alone lists them. The tools' own commands are the scripts of
# package.json.
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.PHONY: help setup demo test test-unit test-chaos test-chart test-compiled test-images test-k8s test-monitoring check lint types dead-code layers contracts format docs
.PHONY: audit bench bench-plan bench-postgres soak model compile images images-bases clean

# What set-up fetched comes first. Debian keeps nats-server in /usr/sbin, which is not on everybody's PATH.
export PATH := $(CURDIR)/.tools/bin:$(PATH):/usr/local/sbin:/usr/sbin

RUN := @.tools/bin/pnpm --silent run

help: ## show this screen
	@echo 'stream-infer: video in, algorithms over windows of its frames, time-keyed results out'
	@echo
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
	@echo
	@echo 'Start with: make demo'

setup: ## install what is missing: ffmpeg, nats-server, Node.js, pnpm, dependencies
	@sh scripts/setup.sh

demo: setup ## run the bundled detector over the bundled clip and show what comes out
	@sh scripts/demo.sh

test: setup ## pass every test; some of them with: make test ARGS=path/or/name
	$(RUN) test $(ARGS)

test-unit: setup ## pass the tests that need no server, in seconds
	$(RUN) test-unit $(ARGS)

test-chaos: setup ## pass the tests that measure or disturb: overload, order; one after the other, on a quiet machine
	@sh scripts/prometheus.sh || [ $$? -eq 3 ]
	$(RUN) test-chaos $(ARGS)

test-compiled: compile ## pass the tests of the services as what is shipped: compiled, without development's packages
	$(RUN) test-compiled $(ARGS)

test-images: setup ## pass the tests of the images that are built: what they hold, and the pipeline in their containers
	$(RUN) test-images $(ARGS)

test-chart: setup ## render the Helm chart with Helm 3 and 4 and look at each object; needs Go, to build them
	@sh scripts/chart-tools.sh; case $$? in 0) pnpm --silent run test-chart $(ARGS) ;; 3) ;; *) exit 1 ;; esac

test-k8s: setup ## install the Helm chart before a real API server; needs Go, which compiles Kubernetes once, in up to half an hour
	@sh scripts/k8s-tools.sh; case $$? in 0) pnpm --silent run test-k8s $(ARGS) ;; 3) ;; *) exit 1 ;; esac

test-monitoring: setup ## break a running system in every way that an alert is for, before a real Prometheus; takes minutes
	@sh scripts/prometheus.sh; case $$? in 0) pnpm --silent run test-monitoring $(ARGS) ;; 3) ;; *) exit 1 ;; esac

check: lint types dead-code layers contracts ## lint, types, dead code, layer rules and contracts, in seconds

lint: setup ## style and correctness of the sources and documents (Biome, oxlint, shellcheck)
	$(RUN) lint

types: setup ## TypeScript over the whole repository
	$(RUN) types

dead-code: setup ## files, exports and dependencies that nothing uses (knip)
	$(RUN) dead-code

layers: setup ## what may import what
	$(RUN) layers

contracts: setup ## the messages of proto/ go on to be understood by services of the version before (buf)
	$(RUN) contracts

audit: setup ## ask npm's registry which packages that are shipped have known vulnerabilities
	$(RUN) audit

format: setup ## format the sources in place
	$(RUN) format

docs: setup ## write the documents that are generated from the code
	$(RUN) docs

bench: setup ## measure cost and rate, and write bench/RESULTS.md
	@node bench/main.ts

bench-plan: setup ## measure what plan reckons with, on a quiet machine, and try it; another file with: make bench-plan CURVE=ours.json
	@node bench/plan.ts $(CURVE)

bench-postgres: setup ## measure the PostgreSQL store with ten million results, and write bench/POSTGRES.md; takes minutes and 10 GB
	@node bench/postgres.ts

soak: setup ## play eight streams for half an hour, see that nothing grows, and write bench/SOAK.md
	@node bench/soak.ts

model: setup ## train the demo's model, say how good it is, and draw its clip anew; takes minutes
	@node examples/demo/train.ts
	@node examples/demo/evaluate.ts
	@node examples/demo/make-clip.ts

compile: setup ## compile what is shipped into dist/
	@node scripts/compile.ts

images: ## build the images with docker, podman or buildah; one of them with: make images TARGET=ingest
	@sh deploy/docker/build-images.sh $(TARGET)

images-bases: ## make the images' base images from packages, where no registry of images can be reached
	@sh deploy/docker/bases.sh

clean: ## remove all that was made here, set-up included
	rm -rf .tools node_modules proto/gen proto/node_modules packages/*/node_modules services/*/node_modules
	rm -rf algorithms/node_modules coverage demo-out dist
