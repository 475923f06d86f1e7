# SPDX-License-Identifier: GPL-2.0-or-later
# The usual ways to build and test. meson does the work; each build has a directory under build/.
# What a goal needs is installed by tools/setup.sh (as root on Debian or Ubuntu; else it says how).

PREFIX ?= /usr/local
FUZZ_SECONDS ?= 60
LARGE_GB ?= 100
FUZZ_JOBS ?= $(shell nproc)
HOURS ?= 1
SECONDS ?= 60
SEED ?= 1
# More incidents to judge, beside those of tests/cases; see tests/cases/run.py.
NFSLEUTH_EVIDENCE ?= $(abspath $(wildcard ../shared/evidence))
DEMO ?= samples/session-loop
NFSLEUTH = build/gcc/src/cmd/nfsleuth
RELEASE = build/release/src/cmd/nfsleuth

.PHONY: help demo check check-fast scenes soak bench bench-large fuzz fuzz-hours fuzz-merge install uninstall deb format clean

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' Makefile | expand -t 18

demo: ## build, and diagnose an incident of a real NFS mount
	@tools/setup.sh build
	@tools/build.sh gcc nfsleuth
	@echo; echo '$$ nfsleuth diagnose $(DEMO)'; echo
	@$(NFSLEUTH) diagnose $(DEMO) || test $$? = 1 # 1: something was found
	@echo; echo 'Try next:'
	@echo '  $(NFSLEUTH) show clients $(DEMO)'
	@echo '  $(NFSLEUTH) show calls $(DEMO) | less -S'
	@echo '  $(NFSLEUTH) explain'
	@echo '  $(NFSLEUTH) diagnose samples/link-down         (two more incidents:'
	@echo '  $(NFSLEUTH) diagnose samples/synack-dropped     a complaint of lockd, two causes)'
	@echo '  $(NFSLEUTH) diagnose YOUR-CAPTURE.pcap    (README.md tells how to make one)'

check: ## all builds, all tests, all gates
	@tools/setup.sh check
	@NFSLEUTH_EVIDENCE=$(NFSLEUTH_EVIDENCE) python3 tools/check.py

check-fast: ## the unit tests alone, with gcc
	@tools/setup.sh build
	@python3 tools/check.py --fast

scenes: ## every scene of 'nfsleuth reproduce' and its twin; takes some minutes
	@tools/setup.sh check
	@tools/build.sh gcc nfsleuth
	@python3 tests/scenes/run.py $(NFSLEUTH)

soak: ## serve and proxy under load and faults for SECONDS (60), by SEED (1), with a sanitizer
	@tools/setup.sh check
	@tools/build.sh asan nfsleuth
	@python3 tests/soak/soak.py build/asan/src/cmd/nfsleuth --seconds $(SECONDS) --seed $(SEED)

bench: ## speed and memory, compared with tshark, nfs-ganesha and others
	@tools/setup.sh bench
	@tools/build.sh release
	@tests/bench/run.sh $(RELEASE)

bench-large: ## memory on up to LARGE_GB (100) from a generator, through a pipe; an hour or so
	@tools/setup.sh build
	@tools/build.sh gcc
	@python3 tests/bench/large.py $(NFSLEUTH) build/gcc/tests/bench/stream $(LARGE_GB)

fuzz: ## every fuzz target for FUZZ_SECONDS (60); crashes go to build/fuzz/found
	@tools/setup.sh fuzz
	@tools/build.sh fuzz
	@tools/fuzz.sh --jobs $(FUZZ_JOBS) $(FUZZ_SECONDS)

fuzz-hours: ## slices of fuzzing in turn until each target has had HOURS (1) of processor time
	@tools/setup.sh fuzz
	@tools/build.sh fuzz
	@tools/fuzz.py hours --jobs $(FUZZ_JOBS) $(HOURS)

fuzz-merge: ## keep what was learnt and adds coverage, the small of it in tests/corpus
	@tools/setup.sh fuzz
	@tools/build.sh fuzz
	@tools/fuzz.py merge

install: ## install below PREFIX (/usr/local); DESTDIR is honoured
	@tools/setup.sh build
	@tools/build.sh release
	@meson configure build/release --prefix=$(PREFIX)
	@meson install -C build/release

uninstall: ## remove what 'make install' installed
	@ninja -C build/release uninstall

deb: ## build the Debian package into build/deb, twice, compare, and let lintian look at it
	@tools/setup.sh deb
	@tests/package/check.sh

format: ## let clang-format write all C files as the gate wants them
	@python3 tests/lint/run.py format --fix

clean: ## remove all builds
	@rm -rf build
