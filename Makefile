# Strake: `make run` starts a member, `make test` checks everything.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := build

# The compiler leaves an empty folder for each target where temporary files go, with every build, and nobody removes them.
TEMPORARY := $(CURDIR)/.build/temporary
SWIFT := rm -rf $(TEMPORARY) && mkdir -p $(TEMPORARY) && TMPDIR=$(TEMPORARY) swift

# Each function in a section of its own, or the linker could not lay those side by side that its list names.
LAYOUT := -Xswiftc -Xfrontend -Xswiftc -function-sections -Xcc -ffunction-sections

# A clean build also proves that no target imports what its manifest entry does not name.
BUILD := $(SWIFT) build -c release --static-swift-stdlib --explicit-target-dependency-import-check error $(LAYOUT)
BINARY := .build/release/strake

.PHONY: build run test lint unit docs e2e bench hot-functions soak deps clean

deps:
	@Tests/EndToEnd/install-build-deps.sh

build: deps
	$(BUILD) --product strake

run: build
	$(BINARY) server --name m1 --data-dir ./strake.data \
	  --listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379

# Style, then layers: the core reads no clock, file or environment, so it has no use for these modules. Only the
# wrapper of LMDB asks the system how large its file is.
lint:
	swift format lint --strict --recursive Package.swift Sources Tests docs/samples/*/Sources
	@! grep -rnE '^\s*(public |package |internal )?import (Foundation|Dispatch|Glibc|NIO|Logging)' --exclude-dir=LMDB Sources/Core \
	  || { echo 'Sources/Core imports what only the server may'; exit 1; }

# Tests have a build folder of their own: the test bundle cannot be linked with a static standard library. What
# talks over a connection lives by the clock, so its tests run by themselves: beside those that keep all cores busy
# leaders would seem dead and deadlines pass before anything was sent.
UNIT := $(SWIFT) test -c release --disable-xctest --scratch-path .build-tests
DEBUG := $(SWIFT) test --disable-xctest --scratch-path .build-debug
TIMED_TESTS := '^Strake(Client|Embedding|Logging|Peers)Tests\.|^StrakeTLSTests\.HandshakeTests/|^StrakeStoreTests\.(Cluster|Corruption|ForcedCluster|Membership|Snapshot|Stall)Tests/'
unit: deps
	$(UNIT) --skip $(TIMED_TESTS)
	$(UNIT) --skip-build --filter $(TIMED_TESTS)

# The libraries' documentation, into .build/documentation: a link that leads nowhere, or a parameter that nobody describes,
# is an error. Modules of C are found by the maps that the build wrote or the packages have.
DOCUMENTED := Client Store
docs: build
	maps=$$(find .build/release/ .build/checkouts Sources -name module.modulemap -not -path '*/Tests/*' \
	  | sed 's/^/-Xcc -fmodule-map-file=/'); \
	for layer in $(DOCUMENTED); do \
	  graphs=.build/symbols/$$layer; rm -rf $$graphs && mkdir -p $$graphs .build/documentation; \
	  swift symbolgraph-extract -module-name Strake$$layer -I .build/release/Modules $$maps -Xcc -w \
	    -target "$$(swiftc -print-target-info | sed -n 's/.*"unversionedTriple": "\(.*\)",/\1/p')" \
	    -minimum-access-level public -output-dir $$graphs; \
	  docc convert Sources/Server/$$layer/Strake$$layer.docc --additional-symbol-graph-dir $$graphs --warnings-as-errors \
	    --fallback-display-name Strake$$layer --fallback-bundle-identifier strake.$$layer \
	    --output-path .build/documentation/$$layer; \
	done

e2e: build
	$(BUILD) --product counter
	Tests/EndToEnd/install-peers.sh
	Tests/EndToEnd/run.sh $(BINARY)

test: lint unit docs e2e

# Strake and etcd in turns on this machine; writes docs/benchmarks.md.
bench: build
	Tests/EndToEnd/install-peers.sh
	.peers/python/bin/python Benchmarks/compare.py

# Looks with perf (Debian: linux-perf) at what a member runs under load, for the linker.
hot-functions: build
	python3 Benchmarks/hot_functions.py

# What takes longer than a test may: debug tests, more power cuts, more fuzzing, more kills, etcdctl's own checks, an hour
# of faults, more seeds.
soak: build
	Tests/EndToEnd/install-peers.sh
	$(DEBUG) --skip $(TIMED_TESTS)
	$(DEBUG) --skip-build --filter $(TIMED_TESTS)
	export STRAKE_POWER_CUTS=5000 STRAKE_FUZZ_CASES=2000000; $(UNIT) --skip $(TIMED_TESTS)
	export STRAKE_FUZZ_CASES=2000000; $(UNIT) --skip-build --filter $(TIMED_TESTS)
	.peers/python/bin/python Tests/EndToEnd/crash.py --server $(BINARY) --rounds 500 --budget 3600
	.peers/python/bin/python Tests/EndToEnd/etcdctl_tools.py --server $(BINARY) --checks 1 --budget 600
	.peers/python/bin/python Tests/EndToEnd/faults.py --server $(BINARY) --leader-kills 50 --budget 330
	.peers/python/bin/python Tests/EndToEnd/faults.py --server $(BINARY) --budget 1800
	.peers/python/bin/python Tests/EndToEnd/faults.py --server $(BINARY) --members 5 --budget 1800
	STRAKE_FUZZ_CASES=2000000 .peers/python/bin/python Tests/EndToEnd/security.py --server $(BINARY) --budget 900
	$(BINARY) simulate --seeds 1..100000 --jobs 2 > .build/simulation.txt

clean:
	rm -rf .build .build-tests .build-debug
