# The commands people and CI use. `make setup` installs what they need and is called by those that run things.

# Tools that setup installs; the tests find uv here.
export IMAGEWRIGHT_TOOLS ?= $(CURDIR)/target/tools
export PATH := $(IMAGEWRIGHT_TOOLS)/bin:$(PATH)

# nextest runs every test in a process of its own and says at the end what failed; cargo's own runner serves too.
run_tests := $(if $(shell command -v cargo-nextest),cargo nextest run --no-fail-fast,cargo test --no-fail-fast --tests)

# Test runners hide what passing tests print: those that could not run say so here too.
skipped := $(or $(IMAGEWRIGHT_TESTKIT_CACHE),target/testkit)/skipped.log

advisories := https://github.com/rustsec/advisory-db

.PHONY: help setup build demo test bench fmt lint deny docs clean

help: ## List the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 16

setup: ## Install what is missing (Debian packages, uv, cargo-deny)
	@scripts/setup

build: ## Build the imagewright program, optimised
	cargo build --release --locked --package imagewright

demo: setup ## Build, push, pull and run a real image on this machine
	scripts/demo

test: setup ## Run every test, those that start registries and run images included
	@rm -f $(skipped)
	$(run_tests) --workspace --locked
	cargo test --workspace --locked --doc
	@if [ -s $(skipped) ]; then echo "These tests were SKIPPED, they say nothing:"; cat $(skipped); fi

bench: setup ## Compare with PrimeHub's flow, side by side
	scripts/bench

fmt: ## Format the code
	cargo fmt --all

lint: ## Check format and lints, warnings denied
	cargo fmt --all --check
	cargo clippy --workspace --locked --all-targets -- --deny warnings

deny: setup ## Check licences, sources, banned crates and, where its list can be reached, advisories
	cargo deny --locked check bans licenses sources
	@if GIT_TERMINAL_PROMPT=0 timeout 20 git ls-remote --quiet $(advisories) HEAD >/dev/null 2>&1; then \
		cargo deny --locked check advisories; \
	else \
		echo "WARNING: $(advisories) cannot be reached: known vulnerabilities were NOT checked." >&2; \
	fi

docs: ## Build the API documentation, warnings denied
	RUSTDOCFLAGS="--deny warnings" cargo doc --workspace --locked --no-deps

clean: ## Remove everything that was built, tools and cached base images included
	cargo clean
