# Two commands do everything: `make run` and `make test`. Each installs the system packages that it
# misses, and says which and why.

.PHONY: run test build-packages test-packages checks web tests

# Passed on to the server: make run ARGS="--http 0.0.0.0:8080"
ARGS ?=

# Codecs, where their libraries are; looked for when a recipe begins, which is after they were installed. `make MEDIA=` does
# without them.
MEDIA = $(shell pkg-config --exists 'vpx >= 1.8' 'opus >= 1.3' 2>/dev/null && echo --features twocan-server/media)

run: build-packages
	cargo run --release $(MEDIA) -- serve $(ARGS)

test: build-packages test-packages checks web tests
	@echo "Everything passed."

build-packages:
	@scripts/need.sh "to compile cryptographic code written in C" cc=gcc make=make
	@OPTIONAL=1 scripts/need.sh "to encode pictures and sound (all else does without)" \
		pkg-config=pkg-config vpx.pc=libvpx-dev opus.pc=libopus-dev
	@command -v cargo >/dev/null || { echo "twocan needs Rust: see rustup.rs, then try again." >&2; exit 1; }

test-packages:
	@OPTIONAL=1 scripts/need.sh "to check the web app and to drive browsers" node=nodejs npm=npm
	@OPTIONAL=1 scripts/need.sh "to call from real browsers" chromium=chromium firefox-esr=firefox-esr certutil=libnss3-tools
	@OPTIONAL=1 scripts/need.sh "to build NATs in network namespaces" ip=iproute2 nft=nftables tc=iproute2 sysctl=procps
	@OPTIONAL=1 scripts/need.sh "to call other people's stacks" python3=python3-venv go=golang-go
	@OPTIONAL=1 scripts/need.sh "to have GStreamer stream" $(addprefix gst-inspect-1.0=,gstreamer1.0-tools \
		python3-gst-1.0 gir1.2-gst-plugins-bad-1.0 gstreamer1.0-nice gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad)
	@OPTIONAL=1 scripts/need.sh "to compare our relay with another one" turnserver=coturn

# Without codecs, too, which takes little: only what knows of them is looked at again.
checks:
	cargo fmt --all --check
	cargo clippy --quiet --workspace --all-targets $(MEDIA) -- --deny warnings
	$(if $(strip $(MEDIA)),cargo clippy --quiet --workspace --all-targets -- --deny warnings)
	cargo xtask tidy

# Everything in Rust: units, properties, the running server, real NATs and real browsers (as root; elsewhere
# each skipped part is printed, which is why nothing is captured). One selection of packages and features for all,
# because cargo builds what they depend on anew for another one.
tests:
	cargo build --quiet --workspace --bins $(MEDIA)
	TWOCAN_BIN="$${CARGO_TARGET_DIR:-$(CURDIR)/target}/debug/twocan" RUST_TEST_NOCAPTURE=1 \
		cargo test --quiet --workspace $(MEDIA)
	RUSTDOCFLAGS="--deny warnings" cargo doc --quiet --no-deps --workspace --lib $(MEDIA)

web:
	@if command -v npm >/dev/null; then cd web && npm ci --no-audit --no-fund --silent && npm test --silent; \
	else echo "skipped: the web app's checks, because npm is not installed"; fi
