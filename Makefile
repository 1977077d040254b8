# Two commands do everything: `make run` and `make test`. Each installs the system packages that it
# misses, and says which and why.

.PHONY: run test build-packages test-packages checks unit web lab

# Passed on to the server: make run ARGS="--http 0.0.0.0:8080"
ARGS ?=

run: build-packages
	cargo run --release -- serve $(ARGS)

test: build-packages test-packages checks unit web lab
	@echo "Everything passed."

build-packages:
	@scripts/need.sh "to compile cryptographic code written in C" cc=gcc make=make
	@command -v cargo >/dev/null || { echo "twocan needs Rust: see rustup.rs, then try again." >&2; exit 1; }

test-packages:
	@OPTIONAL=1 scripts/need.sh "to check the web app and to drive browsers" node=nodejs npm=npm
	@OPTIONAL=1 scripts/need.sh "to call from real browsers" chromium=chromium firefox-esr=firefox-esr
	@OPTIONAL=1 scripts/need.sh "to build NATs in network namespaces" ip=iproute2 nft=nftables tc=iproute2 sysctl=procps
	@OPTIONAL=1 scripts/need.sh "to compare our relay with another one" turnserver=coturn

checks:
	cargo fmt --all --check
	cargo clippy --quiet --workspace --all-targets -- --deny warnings
	cargo xtask tidy

# Everything but the browsers; what it cannot do on this machine it prints.
unit:
	cargo test --quiet --workspace --exclude twocan-natlab --exclude twocan-interop
	RUSTDOCFLAGS="--deny warnings" cargo doc --quiet --no-deps --workspace --lib

web:
	@if command -v npm >/dev/null; then cd web && npm ci --no-audit --no-fund --silent && npm test --silent; \
	else echo "skipped: the web app's checks, because npm is not installed"; fi

# Real NATs and real browsers: as root; elsewhere each skipped part is printed.
lab:
	cargo build --quiet --package twocan-server
	cargo test --quiet --package twocan-natlab
	TWOCAN_BIN="$${CARGO_TARGET_DIR:-$(CURDIR)/target}/debug/twocan" \
		cargo test --package twocan-interop -- --nocapture
