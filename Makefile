# Everything that people and CI do with this repository. "make help" lists it.

SHELL       := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

# The modules of go.work. bench and examples are not released.
MODULES  := . bench examples server
RELEASED := . server

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
BIN     := dist/trysail
FUZZTIME ?= 30s
COUNT    ?= 6
SEEDS    ?= 10000

# Tools are pinned here and kept outside the checkout, one folder per version.
TOOLS         := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/trysail/tools
GOLANGCI_LINT := $(TOOLS)/golangci-lint-v2.15.0/golangci-lint
GOTESTSUM     := $(TOOLS)/gotestsum-v1.13.0/gotestsum
GOVULNCHECK   := $(TOOLS)/govulncheck-v1.9.0/govulncheck
GREMLINS      := $(TOOLS)/gremlins-v0.6.0/gremlins

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: ## Start the server with its simulated provider (no key, no network needed)
	cd server && go run ./cmd/trysail serve $(ARGS)

.PHONY: demo
demo: ## Watch a breaker open and close again under traffic, for a minute
	cd server && go run ./cmd/trysail demo $(ARGS)

.PHONY: test
test: $(GOTESTSUM) ## Install what the tests need and run them all with the race detector
	./scripts/test-needs.sh
	./scripts/lint-openapi.sh
	./scripts/vendor-swagger.sh check
	$(GOTESTSUM) --format pkgname -- -race $(MODULES:%=./%/...)

.PHONY: check
check: lint test cover ## What CI runs: lint, tests, coverage, builds, known vulnerabilities
	./scripts/standalone.sh $(MODULES)
	$(MAKE) --no-print-directory vuln build

.PHONY: lint
lint: $(GOLANGCI_LINT) ## Formatting, go vet and the linters of .golangci.yml
	for module in $(MODULES); do (cd $$module && $(GOLANGCI_LINT) run ./...); done

.PHONY: bench
bench: ## Measure beside other libraries, print ratios and write them into docs/reference
	cd bench && ./run.sh $(COUNT)

.PHONY: bench-gateway
bench-gateway: ## Measure the gateway beside a bare reverse proxy and write it into docs/reference
	cd bench && ./run-gateway.sh $(COUNT)

.PHONY: fuzz
fuzz: ## Run every fuzz target for FUZZTIME (default 30s)
	./scripts/fuzz.sh $(FUZZTIME) $(MODULES)

.PHONY: simulate
simulate: ## Let fleets of callers loose on a failing provider, SEEDS of them (default 10000)
	go test -count=1 -timeout 0 -run 'TestFleet$$' . -fleet.seeds=$(SEEDS)

.PHONY: cover
cover: ## Statement coverage of the core; fails under its floor
	./scripts/cover.sh

.PHONY: mutation
mutation: $(GREMLINS) ## Mutants of the core, or of FILES="a.go b.go", that no test kills; takes long
	./scripts/mutation.sh $(GREMLINS) $(strip $(FILES))

.PHONY: build
build: ## Build the program into dist/
	cd server && CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=$(VERSION)" -o ../$(BIN) ./cmd/trysail
	@echo "built $(BIN)"

.PHONY: release
release: ## Build the program for every platform into dist/, with checksums
	./scripts/release.sh $(VERSION)

.PHONY: vuln
vuln: $(GOVULNCHECK)
	./scripts/vuln.sh $(GOVULNCHECK) $(RELEASED)

$(GOLANGCI_LINT):
	GOWORK=off GOBIN=$(@D) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
$(GOTESTSUM):
	GOWORK=off GOBIN=$(@D) go install gotest.tools/gotestsum@v1.13.0
$(GOVULNCHECK):
	GOWORK=off GOBIN=$(@D) go install golang.org/x/vuln/cmd/govulncheck@v1.9.0
$(GREMLINS):
	GOWORK=off GOBIN=$(@D) go install github.com/go-gremlins/gremlins/cmd/gremlins@v0.6.0
