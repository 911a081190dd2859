# gradsim: `make` builds ./gradsim; `make help` lists the rest.
#
# CC, CPPFLAGS, CFLAGS, LDFLAGS, PREFIX and DESTDIR are the user's. What the results depend on stands
# after them on the command line, so no choice of theirs can change a number. V=1 shows the commands.

CFLAGS ?= -O2
PREFIX ?= /usr/local
VARIANT := release
# FOLDERS and ONLY narrow a build down while the rest is in flux: make unit FOLDERS=base ONLY=text
FOLDERS := base kernels net flow theory train report
ONLY :=

WARNINGS := -Wall -Wextra -Wshadow -Wpedantic -Wstrict-prototypes -Wvla
REQUIRED := -std=c11 -D_POSIX_C_SOURCE=200809L -Iinclude -Isrc -pthread -fPIC -fvisibility=hidden \
            -fno-fast-math -ffp-contract=off -fno-math-errno

VARIANT_asan := -g -fno-omit-frame-pointer -fsanitize=address
VARIANT_ubsan := -g -fsanitize=undefined -fno-sanitize-recover=undefined
VARIANT_tsan := -g -fsanitize=thread
VARIANT_fuzz := -g -fno-omit-frame-pointer -fsanitize=address,undefined,fuzzer-no-link \
                -fno-sanitize-recover=undefined

# One table.c becomes one object per instruction set and element type.
ISA_portable := -DGS_ISA_PORTABLE
ISA_avx2 := -DGS_ISA_AVX2 -mavx2 -mfma
ISA_avx512 := -DGS_ISA_AVX512 -mavx2 -mfma -mavx512f -mavx512dq -mavx512vl -mavx512bw
ISA_neon := -DGS_ISA_NEON
DTYPE_f64 := -DGS_DTYPE_F64
DTYPE_f32 := -DGS_DTYPE_F32
TARGET := $(shell $(CC) -dumpmachine)
ifneq ($(filter x86_64-%,$(TARGET)),)
ISAS := portable avx2 avx512
MACHINE := -DGS_HAVE_X86
else ifneq ($(filter aarch64-% arm64-%,$(TARGET)),)
ISAS := portable neon
MACHINE := -DGS_HAVE_NEON
else
ISAS := portable
endif

# Objects of another compiler, variant or set of flags live in another folder.
BUILD := build/$(notdir $(firstword $(CC)))-$(VARIANT)
FLAGS := $(CC)|$(CPPFLAGS)|$(CFLAGS)|$(LDFLAGS)
ifneq ($(FLAGS),$(firstword $(CC))||-O2|)
BUILD := $(BUILD)-$(shell printf '%s' '$(subst ','\'',$(FLAGS))' | cksum | cut -d' ' -f1)
endif

SOURCES := $(sort $(foreach folder,$(FOLDERS),$(wildcard src/$(folder)/*.c)))
TABLES := $(if $(filter src/kernels/table.c,$(SOURCES)),$(foreach isa,$(ISAS), \
              $(BUILD)/kernels/table_$(isa)_f64.o $(BUILD)/kernels/table_$(isa)_f32.o))
OBJECTS := $(patsubst src/%.c,$(BUILD)/%.o,$(filter-out src/kernels/table.c,$(SOURCES))) $(TABLES)
# The style and the script of reports become strings in C.
ASSETS := $(if $(filter src/report/page.c,$(SOURCES)),$(BUILD)/report/page_css.o \
              $(BUILD)/report/page_js.o)
OBJECTS += $(ASSETS)
CLI_OBJECTS := $(patsubst src/%.c,$(BUILD)/%.o,$(sort $(wildcard src/cli/*.c)))
UNIT_TESTS := $(patsubst tests/unit/%.c,$(BUILD)/tests/%, \
                $(sort $(wildcard tests/unit/test_*$(ONLY)*.c)))
FUZZ_TESTS := $(patsubst tests/fuzz/%.c,$(BUILD)/tests/fuzz/%,$(wildcard tests/fuzz/fuzz_*$(ONLY)*.c))
THEORY_TEST := $(BUILD)/tests/theory/theory
# Networks by the hundred take minutes under a sanitizer.
QUICK_TESTS := $(if $(filter release,$(VARIANT)),$(THEORY_TEST) tests/claims.sh)
# The longest comes first, while others have the other processors.
SCRIPT_TESTS := $(wildcard tests/cli/run.sh tests/layers.sh tests/format.sh tests/install.sh)
LIBRARY := $(BUILD)/libgradsim.a
PROGRAM := $(if $(CLI_OBJECTS),$(BUILD)/gradsim)
VERSION := $(shell sed -n 's/^\#define GS_VERSION "\(.*\)"$$/\1/p' include/gradsim.h)
SONAME := libgradsim.so.$(firstword $(subst ., ,$(VERSION)))

QUIET := $(if $(V),,@)
COMPILE = $(CC) -MMD -MP -MF $@.d $(WARNINGS) $(CPPFLAGS) $(CFLAGS) $(VARIANT_$(VARIANT)) $(REQUIRED)
LINK = $(CC) $(CFLAGS) $(VARIANT_$(VARIANT)) -pthread -fno-fast-math $(LDFLAGS)
WITH_BUILD = GRADSIM='$(abspath $(PROGRAM))' BUILD='$(abspath $(BUILD))' VARIANT='$(VARIANT)'

.PHONY: all lib unit test test-theory test-peer test-browser test-same asan ubsan tsan fuzz \
        fuzz-all bench install uninstall clean help FORCE
.DELETE_ON_ERROR:
.SUFFIXES:

## all: build ./gradsim (the default)
all: gradsim

gradsim: $(PROGRAM) FORCE
	$(QUIET)cmp -s $(PROGRAM) $@ || cp -f $(PROGRAM) $@

## lib: build the static and the shared library
lib: $(LIBRARY) $(BUILD)/libgradsim.so

## unit: build and run the unit tests alone
unit: $(UNIT_TESTS)
	$(QUIET)$(WITH_BUILD) tests/run.sh $(UNIT_TESTS)

## test: run every test that needs nothing but this repository
test: $(UNIT_TESTS) $(FUZZ_TESTS) $(QUICK_TESTS) $(PROGRAM) lib
	$(QUIET)$(WITH_BUILD) tests/run.sh $(SCRIPT_TESTS) $(UNIT_TESTS) $(FUZZ_TESTS) $(QUICK_TESTS)

## test-theory: compare with every number that is known from papers (minutes)
test-theory: $(THEORY_TEST)
	$(QUIET)THEORY=all tests/run.sh $(THEORY_TEST)

## test-peer: compare with other programs (PyTorch and the like, if they are there)
test-peer: $(PROGRAM)
	$(QUIET)$(WITH_BUILD) tests/peers/run.sh

## test-browser: look at reports in a headless Chromium, if it is there
test-browser: $(PROGRAM)
	$(QUIET)$(WITH_BUILD) tests/browser/run.sh

## test-same: compare bytes across threads, instruction sets, compilers and libcs
test-same:
	$(QUIET)tests/run.sh tests/same_bytes.sh

## asan: run the tests under the address sanitizer
## ubsan: run the tests under the undefined-behaviour sanitizer
## tsan: run the tests under the thread sanitizer
asan ubsan tsan:
	$(QUIET)$(MAKE) VARIANT=$@ test

## fuzz: search for files that break a reader, with clang (ONLY=csv, SECONDS=60 for each)
fuzz:
	$(QUIET)$(MAKE) CC=clang VARIANT=fuzz fuzz-all

# What is found on the way stays in the build folder, and is where the next search begins.
SECONDS := 60
fuzz-all: $(FUZZ_TESTS)
	$(QUIET)for target in $(FUZZ_TESTS); do \
	    name=$${target##*/fuzz_}; found=$(BUILD)/corpus/$$name; mkdir -p "$$found" && \
	    $$target -max_total_time=$(SECONDS) -max_len=4096 -print_final_stats=1 \
	        -artifact_prefix="$$found-" $$(ls tests/fuzz/$$name.dict 2> /dev/null | sed s/^/-dict=/) \
	        "$$found" tests/fuzz/corpus/$$name || exit 1; \
	done

## bench: measure speed beside this machine's peak and other libraries (ONLY=group, FULL=1)
bench: $(PROGRAM) $(BUILD)/tests/bench/bench
	$(QUIET)$(WITH_BUILD) tests/bench/run.sh $(ONLY)

## install: copy the program, the libraries and the header to PREFIX (/usr/local)
install: $(PROGRAM) lib $(BUILD)/gradsim.pc
	mkdir -p '$(DESTDIR)$(PREFIX)/bin' '$(DESTDIR)$(PREFIX)/include' '$(DESTDIR)$(PREFIX)/lib/pkgconfig'
	install -m 755 $(PROGRAM) '$(DESTDIR)$(PREFIX)/bin/gradsim'
	install -m 644 include/gradsim.h '$(DESTDIR)$(PREFIX)/include/gradsim.h'
	install -m 644 $(LIBRARY) '$(DESTDIR)$(PREFIX)/lib/libgradsim.a'
	install -m 755 $(BUILD)/libgradsim.so '$(DESTDIR)$(PREFIX)/lib/libgradsim.so.$(VERSION)'
	ln -sf libgradsim.so.$(VERSION) '$(DESTDIR)$(PREFIX)/lib/$(SONAME)'
	ln -sf $(SONAME) '$(DESTDIR)$(PREFIX)/lib/libgradsim.so'
	install -m 644 $(BUILD)/gradsim.pc '$(DESTDIR)$(PREFIX)/lib/pkgconfig/gradsim.pc'

## uninstall: remove what install copied
uninstall:
	rm -f '$(DESTDIR)$(PREFIX)/bin/gradsim' '$(DESTDIR)$(PREFIX)/include/gradsim.h' \
	    '$(DESTDIR)$(PREFIX)/lib/libgradsim.a' '$(DESTDIR)$(PREFIX)/lib/libgradsim.so' \
	    '$(DESTDIR)$(PREFIX)/lib/$(SONAME)' '$(DESTDIR)$(PREFIX)/lib/libgradsim.so.$(VERSION)' \
	    '$(DESTDIR)$(PREFIX)/lib/pkgconfig/gradsim.pc'

## clean: remove everything that make has made
clean:
	rm -rf build gradsim

## help: show this list
help:
	@sed -n 's/^## \([a-z-]*\): \(.*\)/\1|\2/p' Makefile | \
	    while IFS='|' read -r target text; do printf '  make %-11s %s\n' "$$target" "$$text"; done

$(BUILD)/%.o: src/%.c Makefile
	@mkdir -p $(@D)
	$(if $(V),,@echo '  CC    $<')
	$(QUIET)$(COMPILE) $(MACHINE_$(firstword $(subst /, ,$*))) -c -o $@ $<

MACHINE_kernels := $(MACHINE)

# Without comments, which stand on lines of their own, and indentation.
$(ASSETS:.o=.c): $(BUILD)/report/page_%.c: src/report/page.% Makefile
	@mkdir -p $(@D)
	$(QUIET){ echo '#include "report/page.h"' && echo 'const char *const gs_page_$*[] = {' && \
	    sed -e 's/^ *//' -e '/^\/[/*]/d' -e '/^$$/d' -e 's/[\\"]/\\&/g' -e 's/.*/    "&",/' $< && \
	    echo '    NULL};'; } > $@

$(ASSETS): %.o: %.c Makefile
	$(if $(V),,@echo '  CC    $<')
	$(QUIET)$(COMPILE) -c -o $@ $<

# A user who asks for -O2 gets -O3 here, where it pays; one who asks for -O0 gets what they asked for.
$(TABLES): $(BUILD)/kernels/table_%.o: src/kernels/table.c Makefile
	@mkdir -p $(@D)
	$(if $(V),,@echo '  CC    $< ($*)')
	$(QUIET)$(COMPILE) $(MACHINE) $(if $(filter -O2,$(CFLAGS)),-O3) \
	    $(ISA_$(word 1,$(subst _, ,$*))) $(DTYPE_$(word 2,$(subst _, ,$*))) \
	    -DGS_KERNEL_TABLE=gs_kernels_$* -c -o $@ $<

# The list changes when a source comes or goes, and then the libraries must be made again.
$(BUILD)/objects.txt: FORCE
	@mkdir -p $(@D)
	@echo '$(OBJECTS)' | cmp -s - $@ || echo '$(OBJECTS)' > $@

$(LIBRARY): $(OBJECTS) $(BUILD)/objects.txt
	$(if $(V),,@echo '  AR    $@')
	$(QUIET)rm -f $@ && $(AR) rcs $@ $(OBJECTS)

$(BUILD)/libgradsim.so: $(OBJECTS) $(BUILD)/objects.txt
	$(if $(V),,@echo '  LINK  $@')
	$(QUIET)$(LINK) -shared -Wl,-soname,$(SONAME) -o $@ $(OBJECTS) -lm

$(BUILD)/gradsim: $(CLI_OBJECTS) $(LIBRARY)
	$(if $(V),,@echo '  LINK  $@')
	$(QUIET)$(LINK) -o $@ $(CLI_OBJECTS) $(LIBRARY) -lm

# The wrapped functions are how a test makes an allocation or a thread fail; see tests/unit/test.h.
$(BUILD)/tests/%: tests/unit/%.c $(LIBRARY) Makefile
	@mkdir -p $(@D)
	$(if $(V),,@echo '  LINK  $@')
	$(QUIET)$(COMPILE) -fno-fast-math -o $@ $< $(LIBRARY) $(LDFLAGS) \
	    -Wl,--wrap=posix_memalign,--wrap=mmap,--wrap=pthread_create -lm

# libFuzzer brings its own main.
FUZZ_MAIN := $(if $(filter fuzz,$(VARIANT)),-fsanitize=fuzzer,tests/fuzz/replay.c)

$(FUZZ_TESTS): $(BUILD)/tests/fuzz/%: tests/fuzz/%.c tests/fuzz/replay.c tests/fuzz/fuzz.h \
        $(LIBRARY) Makefile
	@mkdir -p $(@D)
	$(if $(V),,@echo '  LINK  $@')
	$(QUIET)$(COMPILE) -o $@ $< $(FUZZ_MAIN) $(LIBRARY) $(LDFLAGS) -lm

$(THEORY_TEST): $(wildcard tests/theory/*.c) tests/theory/theory.h $(LIBRARY) Makefile
	@mkdir -p $(@D)
	$(if $(V),,@echo '  LINK  $@')
	$(QUIET)$(COMPILE) -o $@ $(filter %.c,$^) $(LIBRARY) $(LDFLAGS) -lm

BENCH_PEAKS := $(foreach isa,$(ISAS),$(BUILD)/tests/bench/peak_$(isa)_f64.o \
                   $(BUILD)/tests/bench/peak_$(isa)_f32.o)
BENCH_SOURCES := $(filter-out tests/bench/peak.c,$(wildcard tests/bench/*.c))

$(BENCH_PEAKS): $(BUILD)/tests/bench/peak_%.o: tests/bench/peak.c src/kernels/vector.h Makefile
	@mkdir -p $(@D)
	$(QUIET)$(COMPILE) -O3 $(ISA_$(word 1,$(subst _, ,$*))) $(DTYPE_$(word 2,$(subst _, ,$*))) \
	    -DBENCH_PEAK=bench_peak_$* -c -o $@ $<

$(BUILD)/tests/bench/bench: $(BENCH_SOURCES) tests/bench/bench.h $(BENCH_PEAKS) $(LIBRARY)
	$(if $(V),,@echo '  LINK  $@')
	$(QUIET)$(COMPILE) -o $@ $(BENCH_SOURCES) $(BENCH_PEAKS) $(LIBRARY) $(LDFLAGS) -ldl -lm

$(BUILD)/gradsim.pc: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' 'prefix=$(PREFIX)' 'Name: gradsim' 'Description: Gradient-flow simulator' \
	    'Version: $(VERSION)' 'Cflags: -I$${prefix}/include' 'Libs: -L$${prefix}/lib -lgradsim' \
	    'Libs.private: -pthread -lm' > $@

-include $(OBJECTS:=.d) $(CLI_OBJECTS:=.d) $(UNIT_TESTS:=.d)
