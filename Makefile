# unsilo: `make` prints the targets. DuckDB's Arrow interface needs a build tag; it stands
# here and nowhere else.
TAGS     := duckdb_arrow
GO       ?= go
BIN      := bin
PLUGINS  := $(notdir $(wildcard plugins/unsilo-plugin-*))
TESTTIME ?= 20m

.DEFAULT_GOAL := help
.PHONY: help build demo test race real bench fuzz lint proto clean

help: ## print the targets
	@awk -F':.*## ' '/^[a-z]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## build bin/unsilo, bin/unsilo-sim and the plugins beside them
	@mkdir -p $(BIN)
	$(GO) build -tags $(TAGS) -o $(BIN)/ ./cmd/unsilo
	CGO_ENABLED=0 $(GO) build -ldflags "-s -w" -o $(BIN)/ ./cmd/unsilo-sim $(addprefix ./plugins/,$(PLUGINS))

demo: build ## the main job on a simulated company: eight silos, one warehouse, three answers
	$(BIN)/unsilo demo

test: ## run everything that runs offline
	CGO_ENABLED=0 $(GO) build ./plugins/... ./connectors/... ./transforms/...
	$(GO) vet -tags $(TAGS) ./...
	$(GO) test -tags $(TAGS) -timeout $(TESTTIME) ./...
	cd plugins/example && $(GO) test ./...

race: ## the same tests with the race detector
	$(GO) test -race -tags $(TAGS) -timeout 40m ./...

real: build ## the project in configs/real against PostgreSQL, MariaDB and nginx installed here
	UNSILO_REQUIRE_SERVERS=1 $(GO) test -tags $(TAGS) -count=1 -timeout $(TESTTIME) ./configs/... ./connectors/sql/...

bench: build ## measure speed and memory; ratios against a peer in the same run
	UNSILO_BENCH_ROWS=$${UNSILO_BENCH_ROWS:-10000000} $(GO) test -p 1 -tags $(TAGS) -run '^$$' -bench . -benchtime 1x -timeout 60m ./...

fuzz: ## run every fuzz target for FUZZTIME (default 20s)
	@for p in $$($(GO) list -tags $(TAGS) ./...); do \
	  for f in $$($(GO) test -tags $(TAGS) -list '^Fuzz' $$p | grep '^Fuzz'); do \
	    echo "$$p $$f"; $(GO) test -tags $(TAGS) -run '^$$' -fuzz "^$$f$$" -fuzztime $${FUZZTIME:-20s} $$p || exit 1; \
	  done; done

lint: ## gofmt, go vet, and golangci-lint where it is installed
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); exit 1; }
	$(GO) vet -tags $(TAGS) ./...
	@command -v golangci-lint >/dev/null && golangci-lint run --build-tags $(TAGS) ./... || echo "golangci-lint is not installed: skipped"

proto: ## generate plugins/wire from its .proto files again
	$(GO) generate ./plugins/wire/...

clean: ## remove what make made
	rm -rf $(BIN)
