# Makefile: the menu of Mystikos. `make help` prints it.
#
# Sources are found by wildcard: a new file needs no line here. Everything that is made lands in
# build/ in a tree that mirrors the sources.

MAKEFLAGS += --no-builtin-rules --no-builtin-variables -j$(shell nproc)
.SUFFIXES:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all

ifeq ($(filter-out default undefined,$(origin CC)),)
CC := gcc
endif
PYTHON := /usr/bin/python3
B      := build

# Goals that must work on a machine where nothing is installed yet.
BARE_GOALS := help deps clean
ifneq ($(filter-out $(BARE_GOALS),$(or $(MAKECMDGOALS),all)),)
BUILDING := yes
endif

# ---------------------------------------------------------------------------------------------
# Flags

WARNINGS := -Wall -Wextra -Wshadow -Wvla -Werror -Wno-unused-parameter

# The kernel's code runs inside the program's process, on the program's vector registers and FS
# base: no vector instructions, no red zone, no stack protector. Frame pointers and full call
# frames keep the backtraces of a hang report honest. Kernel stacks are small and have no guard
# page: a large frame is an error.
FREESTANDING := -std=gnu11 -O2 -g -ffreestanding -nostdinc \
    -fPIE -fvisibility=hidden -mgeneral-regs-only -mno-red-zone -fno-stack-protector \
    -fno-omit-frame-pointer -fno-optimize-sibling-calls -fcf-protection=none \
    -fno-strict-aliasing -fno-delete-null-pointer-checks -fno-asynchronous-unwind-tables \
    -Wframe-larger-than=4096 $(WARNINGS)

# The C compiler's own headers and the kernel's ABI headers are all that freestanding code can
# reach; there is no way to a libc header.
ifdef BUILDING
COMPILER_HEADERS := $(shell $(CC) -print-file-name=include 2>/dev/null)
endif
GCC_HEADERS := $(if $(BUILDING),$(shell gcc -print-file-name=include 2>/dev/null))
SYSTEM_HEADERS = -isystem $(COMPILER_HEADERS) -isystem $(B)/uapi

KERNEL_CFLAGS = $(FREESTANDING) $(SYSTEM_HEADERS) -Iinclude -Ikernel -I$(B)/gen \
    $(if $(MYST_DEBUG),-DMYST_DEBUG)
TARGET_CFLAGS = $(FREESTANDING) $(SYSTEM_HEADERS) -Iinclude -Itarget/linux

# The supplier of memcpy must not be compiled into a call of itself.
SELF_CONTAINED := -fno-builtin $(if $(findstring clang,$(CC)),,-fno-tree-loop-distribute-patterns)
$(B)/kernel/base/string.o: KERNEL_CFLAGS += $(SELF_CONTAINED)
$(B)/target/linux/string.o: TARGET_CFLAGS += $(SELF_CONTAINED)

MYST_CFLAGS := -std=gnu11 -O2 -g -D_GNU_SOURCE= $(WARNINGS) \
    -Iinclude -Itools/myst -Itarget/linux -I$(B)/gen

VDSO_CFLAGS = -std=gnu11 -O2 -g -ffreestanding -nostdinc -fPIC -fvisibility=default \
    -mno-sse -mno-mmx -fno-stack-protector -fcf-protection=none -fasynchronous-unwind-tables \
    $(WARNINGS) $(SYSTEM_HEADERS) -Iinclude -Ikernel

# ---------------------------------------------------------------------------------------------
# Sources

ifdef BUILDING
find = $(sort $(shell find $(wildcard $(1)) -type f \( $(2) \) 2>/dev/null))
VDSO_SRCS   := $(wildcard kernel/time/vdso/*.c kernel/time/vdso/*.S)
KERNEL_SRCS := $(filter-out kernel/time/vdso/%,$(call find,kernel,-name '*.c' -o -name '*.S'))
TARGET_SRCS := $(wildcard target/linux/*.c target/linux/*.S)
MYST_SRCS   := $(wildcard tools/myst/*.c target/linux/launch/*.c target/linux/launch/*.S)
TABLES      := $(call find,kernel,-name '*.tbl' -o -name '*.tsv')
GENERATOR_SRCS := $(if $(wildcard tools/gen/gen.py),$(wildcard tools/gen/*.py))

# Defines GEN_SRCS. Making it generates the code and checks for missing packages, so both happen
# before anything else, and a list of files that the generator chose is known to this Makefile.
include $(B)/gen/sources.mk
endif

objects = $(patsubst %.c,$(B)/%.o,$(filter %.c,$(1))) $(patsubst %.S,$(B)/%.S.o,$(filter %.S,$(1)))
KERNEL_OBJS := $(call objects,$(KERNEL_SRCS) $(TARGET_SRCS)) $(GEN_SRCS:.c=.o)
MYST_OBJS   := $(call objects,$(MYST_SRCS))
VDSO        := $(if $(VDSO_SRCS),$(B)/vdso.so)
KERNEL      := $(if $(wildcard target/linux/kernel.ld),$(B)/kernel.elf)
MYST        := $(if $(and $(KERNEL),$(MYST_SRCS)),$(B)/myst)

# `make V=1` prints every command, `make -s` none.
ifndef V
say = @printf '  %-4s %s\n' $(1) $@;
ifneq ($(findstring s,$(filter-out --%,$(MAKEFLAGS))),)
say = @
endif
endif

# ---------------------------------------------------------------------------------------------
# The menu

.PHONY: all help deps clean
all: $(KERNEL_OBJS) $(KERNEL) $(MYST_OBJS) $(MYST) ## build everything (the default)

help: ## print this menu
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

deps: ## install the Debian packages named in packages.txt
	@tools/deps

clean: ## remove everything that was built
	rm -rf $(B)

# ---------------------------------------------------------------------------------------------
# Before anything is compiled: packages, ABI headers, generated code, a change of flags

$(B)/.deps: packages.txt
	@tools/deps
	@mkdir -p $(B) && touch $@

$(B)/uapi/.made: $(B)/.deps
	@mkdir -p $(B)/uapi
	@ln -sfn /usr/include/linux $(B)/uapi/linux
	@ln -sfn /usr/include/asm-generic $(B)/uapi/asm-generic
	@ln -sfn /usr/include/x86_64-linux-gnu/asm $(B)/uapi/asm
	@touch $@

# The generator leaves files alone whose text would not change, so that a new row in a table
# recompiles what follows from it and no more.
$(B)/gen/sources.mk: $(TABLES) $(wildcard kernel/syscall/status.tsv) \
    $(wildcard tests/conformance/table/*.tbl) $(GENERATOR_SRCS) $(B)/.deps $(B)/uapi/.made
	@mkdir -p $(B)/gen
ifneq ($(GENERATOR_SRCS),)
	$(call say,GEN)$(PYTHON) -B tools/gen/gen.py --out $(B)/gen kernel
endif
	@echo "GEN_SRCS := $$(ls $(B)/gen/*.c 2>/dev/null | tr '\n' ' ')" > $@

ALL_FLAGS = $(CC) $(KERNEL_CFLAGS) $(TARGET_CFLAGS) $(MYST_CFLAGS) $(VDSO_CFLAGS)
# A file that says what it was built with, or of, is newer than what must be built again.
note = $(if $(findstring <$(strip $(2))>,<$(strip $(file <$(1)))>),,$(file >$(1),$(strip $(2))))
ifdef BUILDING
$(shell mkdir -p $(B))
$(call note,$(B)/.flags,$(ALL_FLAGS))
$(call note,$(B)/.objects,$(KERNEL_OBJS) $(MYST_OBJS))
endif
$(B)/.flags $(B)/.objects: ;

# ---------------------------------------------------------------------------------------------
# Compiling

MKDIR = mkdir -p $(@D) &&
DEPFLAGS = -MMD -MP

$(B)/kernel/%.o: kernel/%.c $(B)/.flags
	$(call say,CC)$(MKDIR) $(CC) $(KERNEL_CFLAGS) $(DEPFLAGS) -c $< -o $@
$(B)/kernel/%.S.o: kernel/%.S $(B)/.flags
	$(call say,AS)$(MKDIR) $(CC) $(KERNEL_CFLAGS) $(DEPFLAGS) -I$(B) -D__ASSEMBLY__ -c $< -o $@
$(B)/gen/%.o: $(B)/gen/%.c $(B)/.flags
	$(call say,CC)$(MKDIR) $(CC) $(KERNEL_CFLAGS) $(DEPFLAGS) -c $< -o $@
$(B)/tools/myst/%.o: tools/myst/%.c $(B)/.flags
	$(call say,CC)$(MKDIR) $(CC) $(MYST_CFLAGS) $(DEPFLAGS) -c $< -o $@
$(B)/target/linux/launch/%.o: target/linux/launch/%.c $(B)/.flags
	$(call say,CC)$(MKDIR) $(CC) $(MYST_CFLAGS) $(DEPFLAGS) -c $< -o $@
$(B)/target/linux/launch/%.S.o: target/linux/launch/%.S $(B)/.flags
	$(call say,AS)$(MKDIR) $(CC) $(MYST_CFLAGS) $(DEPFLAGS) -D__ASSEMBLY__ -c $< -o $@
$(B)/target/linux/%.o: target/linux/%.c $(B)/.flags
	$(call say,CC)$(MKDIR) $(CC) $(TARGET_CFLAGS) $(DEPFLAGS) -c $< -o $@
$(B)/target/linux/%.S.o: target/linux/%.S $(B)/.flags
	$(call say,AS)$(MKDIR) $(CC) $(TARGET_CFLAGS) $(DEPFLAGS) -I$(B) -D__ASSEMBLY__ -c $< -o $@

# ---------------------------------------------------------------------------------------------
# Linking

LIBGCC = $(shell gcc -print-libgcc-file-name)

# .incbin leaves no trace in the dependency files: whatever embeds the vDSO is assembled after it.
$(filter $(B)/kernel/time/%,$(KERNEL_OBJS)): $(VDSO)

$(B)/vdso.so: $(VDSO_SRCS) $(wildcard kernel/time/vdso/*.ld kernel/time/vdso/*.h kernel/time/*.h) \
    $(B)/.flags
	$(call say,LD)$(CC) $(VDSO_CFLAGS) -shared -nostdlib -Wl,-T,kernel/time/vdso/vdso.ld \
	    -Wl,-soname,linux-vdso.so.1 -Wl,--hash-style=both -Wl,-Bsymbolic -Wl,--build-id=none \
	    -Wl,-z,noexecstack -Wl,-z,max-page-size=4096 $(VDSO_SRCS) -o $@

$(B)/kernel.elf: $(KERNEL_OBJS) target/linux/kernel.ld $(B)/.objects
	$(call say,LD)$(CC) -nostdlib -static -Wl,-T,target/linux/kernel.ld \
	    -Wl,--no-dynamic-linker -Wl,--no-relax -Wl,-z,noexecstack -Wl,-z,max-page-size=4096 -Wl,--build-id=none \
	    -Wl,--no-warn-rwx-segments -Wl,-Map,$(B)/kernel.map $(KERNEL_OBJS) $(LIBGCC) -o $@

# myst carries the kernel's file, page-aligned, so that its text can be mapped from there.
$(B)/kernel_image.o: $(B)/kernel.elf
	$(call say,AS)printf '%s\n' '.section .kernel_image, "a", @progbits' '.balign 4096' \
	    '.globl kernel_image_start, kernel_image_end' 'kernel_image_start:' \
	    '.incbin "$(B)/kernel.elf"' 'kernel_image_end:' '.balign 4096' \
	    '.section .note.GNU-stack, "", @progbits' > $(@:.o=.s) && gcc -c $(@:.o=.s) -o $@

$(B)/myst: $(MYST_OBJS) $(B)/kernel_image.o $(B)/.objects
	$(call say,LD)$(CC) -static $(MYST_OBJS) $(B)/kernel_image.o -ljansson -o $@

-include $(patsubst %.o,%.d,$(KERNEL_OBJS) $(MYST_OBJS))

# ---------------------------------------------------------------------------------------------
# Documents, lint and format

# The status of a call is what the last run of its tests showed, so run them (make check) first.
.PHONY: docs
docs: $(B)/.deps ## write the generated pages of docs/ from the tables and the last test results
	$(PYTHON) -B tools/gen/status.py --out kernel/syscall/status.tsv $(B)/tests/results.json
	$(PYTHON) -B tools/gen/gen.py --docs docs kernel

ifdef BUILDING
LINT_CLANG_HEADERS = $(shell clang -print-file-name=include)
FORMATTED := $(call find,kernel include target tools tests,-name '*.[ch]')
LINTED    := $(patsubst %.c,$(B)/lint/%.ok,$(filter %.c,$(KERNEL_SRCS) $(GEN_SRCS)))
endif

.PHONY: lint format lint-rooms lint-format
lint: lint-rooms lint-format $(LINTED) ## check rooms, habits, format, and pointers into the program

lint-rooms:
	@tools/lint/check.py
	@[ ! -e kernel/syscall/syscalls.tbl ] || $(PYTHON) -B tools/gen/status.py --check
	@[ ! -e kernel/host/border.tbl ] || $(PYTHON) -B tools/gen/border.py --check

lint-format: $(B)/.deps
	@bad=$$(printf '%s\n' $(FORMATTED) | xargs -n64 clang-format --dry-run 2>&1 | \
	    sed -n 's/:[0-9]*:[0-9]*: warning: .*//p' | sort -u); \
	[ -z "$$bad" ] || { echo "not formatted (make format):" $$bad; exit 1; }

format: $(B)/.deps ## format the C sources
	@printf '%s\n' $(FORMATTED) | xargs -P4 -n16 clang-format -i

# What __user marks, clang refuses to dereference or to mix with plain pointers.
$(B)/lint/%.ok: %.c $(B)/.flags
	$(call say,LINT)$(MKDIR) clang -fsyntax-only -D__CHECK_USER__ \
	    $(subst $(COMPILER_HEADERS),$(LINT_CLANG_HEADERS),$(KERNEL_CFLAGS)) \
	    -MMD -MP -MT $@ -MF $(@:.ok=.d) $< && touch $@
-include $(LINTED:.ok=.d)

# ---------------------------------------------------------------------------------------------
# Tests

TEST_CFLAGS := -std=gnu11 -O1 -g -D_GNU_SOURCE= -Wall -Wextra -Werror -Wno-unused-parameter \
    -Wno-nonnull -Itests/conformance -Itests/conformance/lib -I$(B)/gen

# Unit tests link the kernel's own sources, built for user space with sanitizers: base/, and the
# rooms that the tests' names begin with. The archive gives a test only the files that it uses.
SANITIZE     := -fsanitize=address,undefined -fno-sanitize-recover=all
UNIT_CFLAGS  := $(TEST_CFLAGS) $(SANITIZE) -DMYST_MOCK -DMYST_DEBUG \
    -Iinclude -Ikernel -Itests/unit
UNIT_KERNEL_CFLAGS = $(filter-out -mgeneral-regs-only -O2,$(KERNEL_CFLAGS)) -O1 $(SANITIZE) \
    -DMYST_MOCK -DMYST_DEBUG -include tests/unit/rename.h

ifdef BUILDING
UNIT_SRCS        := $(wildcard tests/unit/*.c)
UNIT_ROOMS       := $(sort base abi $(foreach s,$(notdir $(UNIT_SRCS)),$(firstword $(subst _, ,$(s)))))
UNIT_KERNEL_SRCS := $(wildcard $(UNIT_ROOMS:%=kernel/%/*.c) kernel/cred/*.c kernel/fs/tmpfs/*.c kernel/fs/cpio/*.c kernel/arch/x86_64/insn.c) $(filter %.c,$(GEN_SRCS))
CONFORMANCE_SRCS := $(filter-out tests/conformance/lib/%,$(wildcard tests/conformance/*/*.c))
CONFORMANCE_LIB  := $(wildcard tests/conformance/lib/*.c)
endif
CONFORMANCE := $(CONFORMANCE_SRCS:%.c=$(B)/%)
UNIT        := $(UNIT_SRCS:%.c=$(B)/%)
UNIT_KERNEL_OBJS := $(UNIT_KERNEL_SRCS:%.c=$(B)/tests/unit/%.o)
TEST_TOOLS  := $(B)/tests/isolate $(B)/tests/fuzz/calls $(B)/tests/table/arguments $(B)/tests/cli/myst \
    $(B)/tests/programs/work

.PHONY: tests check
tests: $(UNIT) $(CONFORMANCE) $(TEST_TOOLS) sequences fuzzers ## build the tests without running them

# A test that does not build is one that failed: the others run nevertheless.
check: all ## build and run every test (tests/run --help selects)
	@$(MAKE) --no-print-directory -k tests || true
	@tests/run

$(UNIT:=.o): $(B)/%.o: %.c $(B)/.flags
	$(call say,CC)$(MKDIR) gcc $(UNIT_CFLAGS) $(DEPFLAGS) -c $< -o $@
$(UNIT_KERNEL_OBJS): $(B)/tests/unit/%.o: %.c $(B)/.flags
	$(call say,CC)$(MKDIR) gcc $(subst $(COMPILER_HEADERS),$(GCC_HEADERS),$(UNIT_KERNEL_CFLAGS)) \
	    $(DEPFLAGS) -c $< -o $@
$(B)/tests/unit/kernel.a: $(UNIT_KERNEL_OBJS)
	$(call say,AR)rm -f $@ && ar rc $@ $^
$(UNIT): $(B)/%: $(B)/%.o $(B)/tests/unit/kernel.a
	$(call say,LD)gcc -pthread $(SANITIZE) $< $(B)/tests/unit/kernel.a -lcmocka -o $@

# Programs that tests/programs/ runs inside and that are too slow to build there each time.
$(B)/tests/programs/%: tests/programs/go/%.go $(B)/.deps
	$(call say,GO)$(MKDIR) GO111MODULE=off GOCACHE=$(abspath $(B))/go go build -trimpath -o $@ $<

include target/mock/mock.mk

BENCH := $(addprefix $(B)/tests/bench/,micro timed nothing)
$(B)/tests/bench/micro: $(addprefix tests/bench/micro/,main.c calls.c files.c talks.c waits.c tasks.c memory.c)
$(B)/tests/bench/timed: tests/bench/micro/timed.c
$(B)/tests/bench/nothing: tests/bench/micro/nothing.c
$(B)/tests/bench/nothing: BENCH_CFLAGS := -static
$(BENCH): tests/bench/micro/micro.h $(B)/.deps
	$(call say,CC)$(MKDIR) gcc $(TEST_CFLAGS) -O2 -pthread $(BENCH_CFLAGS) $(filter %.c,$^) -o $@

.PHONY: mutation
mutation: $(filter $(B)/tests/unit/host_%,$(UNIT)) ## break every rule of the border: a test must notice
	@$(PYTHON) -B tests/gates/border

.PHONY: oom
oom: $(SEQUENCES_asan) ## let each request for memory of tests/sequences fail: a minute or more
	@$(PYTHON) -B tests/gates/memory --all --list

.PHONY: bench
bench: all $(BENCH) ## measure native Linux and Mystikos side by side
	@tests/bench/run

# Two programs know the calls by the tables that the generator wrote for the decoder.
TABLE_CFLAGS := $(TEST_CFLAGS) -Iinclude -Ikernel -I$(B)/gen
BY_TABLE     := $(B)/tests/fuzz/calls $(B)/tests/table/arguments
$(B)/tests/table/table.o: tests/table/table.c $(B)/.flags
	$(call say,CC)$(MKDIR) $(CC) $(KERNEL_CFLAGS) $(DEPFLAGS) -c $< -o $@
$(BY_TABLE): $(B)/%: %.c $(B)/tests/table/table.o $(B)/gen/syscall_decode.o
	$(call say,CC)$(MKDIR) gcc $(TABLE_CFLAGS) $^ -o $@

.PHONY: fuzz
fuzz: all $(B)/tests/fuzz/calls fuzzers ## each fuzzer for ten minutes (TIME=SECONDS)
	@tests/fuzz/run --seconds $(or $(TIME),600)

.PHONY: coverage coverage-programs
coverage: ## print how much of each room unit tests and sequences execute
	@+$(MAKE) --no-print-directory B=build/coverage SANITIZE=--coverage MOCK_SANE_plain=--coverage \
	    coverage-programs
	@tools/coverage build/coverage
coverage-programs: $(UNIT) $(SEQUENCES_plain)

.PHONY: host-faults
host-faults: all ## run programs while the host fails (SEEDS=1-200)
	@tests/host_faults/run --seeds $(or $(SEEDS),1-200)

.PHONY: debug soak demo gdb
debug: ## build build/debug/myst, whose kernel checks the order of its locks
	@+$(MAKE) --no-print-directory B=build/debug MYST_DEBUG=1 all

soak: all tests ## keep instances busy for an hour (MINUTES=N)
	@tests/soak/run --minutes $(or $(MINUTES),60)

demo: all ## a walk through what works
	@tools/demo

gdb: all ## start an instance under gdb (ARGS="/ /bin/bash -c ..."; none: attach to one)
	@tools/gdb/start $(ARGS)

GATES := $(sort $(notdir $(wildcard tests/gates/g[1-9])))
.PHONY: $(GATES)
$(GATES): all # one of the steps that everything else stands on
	@tests/gates/$@ && echo "$@ passed"

# Tests are always built by gcc, whatever builds the kernel: the same binary runs everywhere.
$(B)/tests/%.o: tests/%.c $(B)/.deps
	$(call say,CC)$(MKDIR) gcc $(TEST_CFLAGS) $(DEPFLAGS) -c $< -o $@

$(B)/tests/conformance/lib.a: $(CONFORMANCE_LIB:%.c=$(B)/%.o)
	$(call say,AR)rm -f $@ && ar rc $@ $^

$(CONFORMANCE): $(B)/%: $(B)/%.o $(B)/tests/conformance/lib.a
	$(call say,LD)gcc -pthread $< $(B)/tests/conformance/lib.a -lcmocka -o $@

$(B)/tests/isolate: tests/runner/isolate.c $(B)/.deps
	$(call say,CC)$(MKDIR) gcc $(TEST_CFLAGS) $< -o $@

# The command line with a launcher that prints what it was given.
COMMAND_LINE := $(call objects,$(wildcard tools/myst/*.c))
$(B)/tests/cli/launch_print.o: tests/cli/launch_print.c $(B)/.flags
	$(call say,CC)$(MKDIR) $(CC) $(MYST_CFLAGS) $(DEPFLAGS) -c $< -o $@
$(B)/tests/cli/myst: $(COMMAND_LINE) $(B)/tests/cli/launch_print.o
	$(call say,LD)$(CC) -static $^ -ljansson -o $@
-include $(B)/tests/cli/launch_print.d

.PRECIOUS: $(B)/tests/%.o
-include $(UNIT:=.d) $(UNIT_KERNEL_OBJS:.o=.d)
-include $(CONFORMANCE:=.d) $(CONFORMANCE_LIB:%.c=$(B)/%.d)
