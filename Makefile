# What a person does with a checkout of weir. `make` alone says what there is.
#
# Demo and tests share one profile (Cargo.toml, [profile.dev]; docs/decisions/0001-build-profile.md), so nothing is built twice.
# A step prints one line with the time it took; everything else goes to out/logs/ and is shown only when the step fails.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.NOTPARALLEL:

STEP := scripts/step
# The binary exactly as the tests build it: `--workspace` and `--examples` (there are none) make cargo choose the features of dependencies as it
# does for tests; with `--package weir` it would build some of them, and all that stands on them, a second time.
BUILD := $(STEP) build -- cargo build --locked --workspace --bin weir --examples
CARGO_TARGET_DIR ?= target
SEEDS ?= 100..120
WEIR := $(CARGO_TARGET_DIR)/debug/weir

.PHONY: help setup setup-tests demo measure test fuzz chaos bench clean format check-format check-tidy check-dependencies check-lints check-tests check-docs check-rules check-benches

help: ## What there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-20s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Tools this machine lacks: installed when allowed, else named with the command to install them
	@scripts/setup

demo: setup ## Build, generate a bank of 5,000 customers, run the detector over it, judge its alerts, print the gravest
	@$(BUILD)
	@WEIR='$(WEIR)' scripts/demo

measure: setup ## How well schemes are found: tables of generated banks and pictures of what breaks detection (hours; scripts/measure has parts)
	@$(BUILD)
	@WEIR='$(WEIR)' scripts/measure

setup-tests:
	@scripts/setup tests

test: setup-tests check-format check-tidy check-dependencies check-lints check-tests check-docs check-rules check-benches ## All that CI runs, in this order

fuzz: setup ## Engine against oracle on other random logs: make fuzz SEEDS=100..200
	@WEIR_FUZZ_SEEDS='$(SEEDS)' $(STEP) --show '^(test |test result:)' fuzz -- cargo test --locked --workspace --test oracle_agrees agree

chaos: setup-tests ## The service on a broker under faults by chance (6 minutes; WEIR_CHAOS=1: far more)
	cargo test --locked --workspace --test chaos -- --nocapture --test-threads 1

bench: setup-tests ## Benchmarks, in the release profile (an hour; docs/performance.md says how to read them)
	cargo bench --locked --workspace --bench stages
	@$(STEP) build-release -- cargo build --release --locked --workspace --bins
	@WEIR='$(CARGO_TARGET_DIR)/release/weir' TRAFFIC='$(CARGO_TARGET_DIR)/release/traffic' benches/instructions/run
	@WEIR='$(CARGO_TARGET_DIR)/release/weir' TRAFFIC='$(CARGO_TARGET_DIR)/release/traffic' benches/whole/run
	@WEIR='$(CARGO_TARGET_DIR)/release/weir' TRAFFIC='$(CARGO_TARGET_DIR)/release/traffic' benches/peers/run
	$(CARGO_TARGET_DIR)/release/state
	$(CARGO_TARGET_DIR)/release/kafka --weir $(CARGO_TARGET_DIR)/release/weir

format: ## Lay out the code with rustfmt
	cargo fmt --all

check-format: ## Is the code laid out by rustfmt
	@$(STEP) format -- cargo fmt --all --check

check-tidy: ## Module headers, links between documents, things that must not be in a repository
	@$(STEP) tidy -- scripts/tidy

check-dependencies: ## Licences, sources, arrows between crates, banned and doubled crates
	@$(STEP) dependencies -- scripts/dependencies

check-lints: ## Clippy without a warning
	@$(STEP) lints -- cargo clippy --locked --workspace --all-targets -- --deny warnings
	@$(STEP) lints-chaos -- cargo clippy --locked --workspace --test chaos -- --deny warnings  # `test = false` keeps it out of --all-targets

check-tests: ## Tests of every crate
	@$(STEP) --show '^( +Running| +Doc-tests|test result:)' tests -- cargo test --locked --workspace --no-fail-fast

check-docs: ## API documentation without a warning (broken links are warnings)
	@RUSTDOCFLAGS='--deny warnings --allow rustdoc::private_intra_doc_links' $(STEP) docs -- cargo doc --locked --workspace --no-deps --document-private-items

check-rules: ## The shipped rules and what the READMEs show: readable, and each test inside as expected
	@$(BUILD)
	@$(STEP) rule-check -- $(WEIR) rule check rules
	@$(STEP) rule-tests -- $(WEIR) rule test rules
	@WEIR='$(WEIR)' $(STEP) readme -- scripts/readme

clean: ## Forget everything built
	rm -rf out
	cargo clean

check-benches: ## Every benchmark once, small: that it runs, and that weir and DuckDB say the same of every window (no time is judged)
	@$(STEP) build-benches -- cargo build --locked --workspace --bin weir --bin traffic --bin state --bin kafka --examples
	@$(STEP) bench-stages -- cargo test --locked --workspace --bench stages -- --test
	@WEIR='$(WEIR)' TRAFFIC='$(CARGO_TARGET_DIR)/debug/traffic' $(STEP) bench-instructions -- benches/instructions/run --transfers 500 --out out/instructions-once
	@WEIR='$(WEIR)' TRAFFIC='$(CARGO_TARGET_DIR)/debug/traffic' $(STEP) bench-whole -- benches/whole/run --transfers 2000 --parties 1000 10000 --out out/whole-once
	@WEIR='$(WEIR)' TRAFFIC='$(CARGO_TARGET_DIR)/debug/traffic' $(STEP) bench-peers -- benches/peers/run --only weir duckdb --transfers 2000 --parties 500 --days 20 --out out/peers-once
	@$(STEP) bench-state -- $(CARGO_TARGET_DIR)/debug/state --parties 2000
	@$(STEP) bench-kafka -- $(CARGO_TARGET_DIR)/debug/kafka --weir '$(WEIR)' --transfers 4000
