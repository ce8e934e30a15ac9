# The front door. `make run` and `make test` need nothing but git, make, and root or sudo for apt.
# build/ holds the optimised programs (build/bin), build/test and build/sanitize the two builds that the tests run in;
# build/threads is for test-long.
JOBS ?= $(shell nproc)
PREFIX ?= /usr/local
SEED ?= 1
SEEDS ?= 200
# What has threads, for the thread sanitizer.
THREADED = engine_test store_test server_test load_test alerts_test

CMAKE = cmake -G Ninja -Wno-dev --log-level=WARNING -DCMAKE_UNITY_BUILD=ON
NINJA = ninja -j $(JOBS)
CTEST = ctest -j $(JOBS) --output-on-failure --no-tests=error --test-dir

.PHONY: help run build bench test test-long sim lint fmt install clean
.PHONY: programs bench-program test-build sanitize-build setup-run setup-bench setup-test setup-watch setup-lint

help:
	@echo 'make run        set up, build the programs, run the demo'
	@echo 'make test       set up, build, run every test that CI runs'
	@echo 'make build      set up, build the programs and the benchmark into build/bin'
	@echo 'make bench      measure (docs/performance.md has the figures)'
	@echo 'make sim        simulate with faults: SEED=first SEEDS=how many'
	@echo 'make test-long  the tests that take longer than CI has time for'
	@echo 'make lint       layers, purity, format, and core built by clang'
	@echo 'make fmt        format the sources'
	@echo 'make install    install into $$DESTDIR$$PREFIX, by default /usr/local'
	@echo 'make clean      remove what was built'

run: programs
	@build/bin/town demo

build: programs bench-program

test: test-build sanitize-build
	@first=0; $(CTEST) build/test -LE long || first=$$?; $(CTEST) build/sanitize -LE long && exit $$first

test-long: test-build setup-watch
	@$(CMAKE) -S . -B build/sanitize -DCMAKE_BUILD_TYPE=Debug -DTOWND_SANITIZE=ON -DTOWND_SERVER=ON
	$(NINJA) -C build/sanitize
	$(CTEST) build/test
	$(CTEST) build/sanitize
	@$(CMAKE) -S . -B build/threads -DCMAKE_BUILD_TYPE=Debug -DTOWND_TSAN=ON
	$(NINJA) -C build/threads townd-shim $(THREADED)
	for program in $(THREADED); do build/threads/bin/$$program || exit 1; done

bench: build
	build/bin/townd-bench

sim: test-build
	build/test/bin/townd-sim --seed $(SEED) --seeds $(SEEDS)

fmt: setup-lint
	git ls-files '*.cpp' '*.hpp' | xargs clang-format -i

lint: setup-lint
	scripts/lint

install: programs
	cmake --install build --prefix '$(PREFIX)'

clean:
	rm -rf build

# ---- the parts ----

programs: setup-run
	@$(CMAKE) -S . -B build -DCMAKE_BUILD_TYPE=Release -DTOWND_TESTS=OFF
	@$(NINJA) -C build programs

bench-program: programs setup-bench
	@$(CMAKE) -S . -B build -DCMAKE_BUILD_TYPE=Release -DTOWND_TESTS=OFF
	@$(NINJA) -C build townd-bench

test-build: setup-test
	@$(CMAKE) -S . -B build/test -DCMAKE_BUILD_TYPE=Debug
	@$(NINJA) -C build/test

# End to end under the sanitizers is for test-long: the server and the command line are half of all compiling.
sanitize-build: setup-test
	@$(CMAKE) -S . -B build/sanitize -DCMAKE_BUILD_TYPE=Debug -DTOWND_SANITIZE=ON -DTOWND_SERVER=OFF
	@$(NINJA) -C build/sanitize

setup-run setup-bench setup-test setup-watch setup-lint: setup-%:
	@scripts/setup $*
