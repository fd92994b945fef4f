# The usual tasks. Each one works in any folder; what they do is in scripts/.

.DEFAULT_GOAL := help
SOAK ?= 3m
.PHONY: help check build demo test oracle race lint bench bench-e2e fuzz rss soak startup sizes reproducible clean crash faults

help: ## show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

build: ## build the functions and their archives into dist/ (ARCHES="arm64 amd64")
	@scripts/build

check: ## say everything that is wrong with a settings file, without AWS (CONFIG=settings.yaml; ARGS=-transform)
	@go run ./scripts/check $(ARGS) "$(CONFIG)"

demo: ## the whole loop on this machine: events, an outage, a ledger that balances
	cd e2e && go run ./demo

test: ## format check, go vet and every test
	@scripts/test

oracle: ## our Datadog bodies read by the official client's types (compiles for minutes, wants 8 GB)
	cd oracle && go vet ./... && go test ./...

race: ## the tests of the functions and the end-to-end tests under the race detector (needs a C compiler)
	go test -race ./...
	cd e2e && go test -race ./...

lint: ## golangci-lint, go vet, module and template checks
	@scripts/lint

bench: ## both paths, CloudWatch and S3, on one core, beside the limit and a naive pipeline (BENCH=, COUNT=6)
	@scripts/bench

bench-e2e: ## the real S3 function and objects up to 1 GiB: time, memory, nothing lost (ARGS="-sizes 64 -strict")
	cd e2e && go run ./bench $(ARGS)

fuzz: ## every fuzz target for a while (FUZZTIME=10000x)
	@scripts/fuzz

crash: ## every function ended at every fail point, and what became of every line (ARGS="-short -run kinesis -seed 7 -v")
	cd e2e && go run ./crash $(ARGS)

faults: ## every fault of the delivery contract on every path it concerns: lines lost, unaccounted, repeated (ARGS="-short -run 'F7 ' -v")
	cd e2e && go run ./faults $(ARGS)

rss: ## peak memory of the real binary under load
	cd e2e && go run ./rss

soak: ## every function for a while among faults and kills: lines lost, left behind, memory that grows (SOAK=3m)
	cd e2e && go run ./soak -for $(SOAK)

startup: build ## processor time from start to ready
	go run ./scripts/startup dist/$$(go env GOARCH)/cloudwatch/bootstrap

sizes: ## size of each binary and archive in dist/
	@scripts/sizes

reproducible: ## build once more elsewhere and compare with dist/
	@scripts/reproducible

clean: ## remove what the other tasks made
	rm -rf dist
