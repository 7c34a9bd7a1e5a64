# target/mock/mock.mk: the kernel as a library for user space, on the mock target; included by Makefile.
#
#   $(B)/mock/FLAVOUR/libkernel.a, libmock.a    FLAVOUR: asan (with UBSan), tsan, fuzz, plain
#   $(B)/mock/FLAVOUR/sequences/NAME            tests/sequences/NAME.c on them
#
# A program of your own: compile with $(MOCK_CFLAGS) and the flavour's sanitizers, link as the
# sequences are.

MOCK_FLAVOURS   := asan tsan fuzz plain
MOCK_SANE_asan  := -fsanitize=address,undefined -fno-sanitize-recover=all
MOCK_SANE_tsan  := -fsanitize=thread -Wno-tsan
# The address of a member by a program's bad pointer is no access.
MOCK_SANE_fuzz  := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize=alignment,null -fno-sanitize-recover=all \
    -ftrivial-auto-var-init=pattern
MOCK_SANE_plain :=
# libFuzzer is clang's; a harness is linked with -fsanitize=fuzzer,address,undefined.
MOCK_CC_asan := gcc
MOCK_CC_tsan := gcc
MOCK_CC_fuzz := clang
MOCK_CC_plain := gcc

# The kernel's flags, less what is for the bare processor; its names of libc's functions are moved.
MOCK_HEADERS = $(if $(filter clang,$(1)),$(LINT_CLANG_HEADERS),$(GCC_HEADERS))
MOCK_KERNEL_CFLAGS = $(subst $(COMPILER_HEADERS),$(call MOCK_HEADERS,$(1)),$(filter-out \
    -mgeneral-regs-only -O2 -Wframe-larger-than=4096 -fno-asynchronous-unwind-tables,$(KERNEL_CFLAGS))) \
    -O1 -DMYST_MOCK -DMYST_MOCK_LAYOUT -DMYST_DEBUG -include tests/unit/rename.h
MOCK_CFLAGS := -std=gnu11 -O1 -g -fno-omit-frame-pointer -D_GNU_SOURCE= $(WARNINGS) \
    -DMYST_MOCK_LAYOUT -Iinclude -Itarget/mock

# Objects are target/mock/heap.c's, where sanitizers see them; page runs pass through it.
ifdef BUILDING
MOCK_KERNEL_SRCS := $(filter-out kernel/mm/slab.c kernel/mm/alloc.c,$(KERNEL_SRCS)) $(GEN_SRCS) \
    $(wildcard tests/sequences/kernel/*.c)
MOCK_SRCS        := $(wildcard target/mock/*.c)
SEQUENCE_SRCS    := $(wildcard tests/sequences/*.c)
endif
$(foreach f,$(MOCK_FLAVOURS),$(B)/mock/$(f)/kernel/mm/pages.o): \
    KERNEL_CFLAGS += -Dpages_alloc=page_runs_alloc -Dpages_free=page_runs_free

define mock_flavour
MOCK_KERNEL_OBJS_$(1) := $$(patsubst %.S,$(B)/mock/$(1)/%.S.o,$$(patsubst %.c,$(B)/mock/$(1)/%.o,$$(MOCK_KERNEL_SRCS:$(B)/%=%)))
MOCK_OBJS_$(1)        := $$(MOCK_SRCS:%.c=$(B)/mock/$(1)/%.o)
SEQUENCES_$(1)        := $$(SEQUENCE_SRCS:tests/%.c=$(B)/mock/$(1)/%)

$(B)/mock/$(1)/kernel/%.o: kernel/%.c $(B)/.flags
	$$(call say,CC)$$(MKDIR) $(MOCK_CC_$(1)) $$(call MOCK_KERNEL_CFLAGS,$(MOCK_CC_$(1))) $$(MOCK_SANE_$(1)) $$(DEPFLAGS) -c $$< -o $$@
$(B)/mock/$(1)/kernel/%.S.o: kernel/%.S $(VDSO) $(B)/.flags
	$$(call say,AS)$$(MKDIR) $(MOCK_CC_$(1)) $$(call MOCK_KERNEL_CFLAGS,$(MOCK_CC_$(1))) $$(DEPFLAGS) -I$(B) -D__ASSEMBLY__ -c $$< -o $$@
$(B)/mock/$(1)/gen/%.o: $(B)/gen/%.c $(B)/.flags
	$$(call say,CC)$$(MKDIR) $(MOCK_CC_$(1)) $$(call MOCK_KERNEL_CFLAGS,$(MOCK_CC_$(1))) $$(MOCK_SANE_$(1)) $$(DEPFLAGS) -c $$< -o $$@
$(B)/mock/$(1)/tests/%.o: tests/%.c $(B)/.flags
	$$(call say,CC)$$(MKDIR) $(MOCK_CC_$(1)) $$(call MOCK_KERNEL_CFLAGS,$(MOCK_CC_$(1))) $$(MOCK_SANE_$(1)) $$(DEPFLAGS) -c $$< -o $$@
$(B)/mock/$(1)/target/%.o: target/%.c $(B)/.flags
	$$(call say,CC)$$(MKDIR) $(MOCK_CC_$(1)) $$(MOCK_CFLAGS) $$(MOCK_SANE_$(1)) $$(DEPFLAGS) -c $$< -o $$@
$(B)/mock/$(1)/sequences/%.o: tests/sequences/%.c $(B)/.flags
	$$(call say,CC)$$(MKDIR) $(MOCK_CC_$(1)) $$(MOCK_CFLAGS) $$(MOCK_SANE_$(1)) -Itests/sequences $$(DEPFLAGS) -c $$< -o $$@

$(B)/mock/$(1)/libkernel.a: $$(MOCK_KERNEL_OBJS_$(1))
	$$(call say,AR)rm -f $$@ && ar rc $$@ $$^
$(B)/mock/$(1)/libmock.a: $$(MOCK_OBJS_$(1))
	$$(call say,AR)rm -f $$@ && ar rc $$@ $$^
$$(SEQUENCES_$(1)): %: %.o $(B)/mock/$(1)/libkernel.a $(B)/mock/$(1)/libmock.a target/mock/kernel_data.ld
	$$(call say,LD)$(MOCK_CC_$(1)) -pthread $$(MOCK_SANE_$(1):fuzzer-no-link,%=%) $$< $$(call mock_link,$(1)) -lcmocka -o $$@
-include $$(MOCK_KERNEL_OBJS_$(1):.o=.d) $$(MOCK_OBJS_$(1):.o=.d) $$(SEQUENCES_$(1):=.d)
endef
# What a program links: a flavour's two archives, and the place of the kernel's data.
mock_link = -Wl,-T,target/mock/kernel_data.ld -Wl,--start-group $(B)/mock/$(1)/libkernel.a \
    $(B)/mock/$(1)/libmock.a -Wl,--end-group
$(foreach f,$(MOCK_FLAVOURS),$(eval $(call mock_flavour,$(f))))

.PHONY: mock sequences
mock: $(foreach f,$(MOCK_FLAVOURS),$(SEQUENCES_$(f))) # all that this file makes
sequences: $(SEQUENCES_asan) $(SEQUENCES_tsan) # what tests/run sequences/ runs
.PRECIOUS: $(B)/mock/%.o

comma := ,

# Fuzzers: tests/fuzz/mock_NAME.c, with libFuzzer's own main but for mock_lies, which tells each lie in turn.
# Those that lie run tests/sequences, with a stand-in for cmocka; instance.c tells lies of its own.
FUZZ_PROGRAMS := $(B)/mock/fuzz/mock_calls $(B)/mock/fuzz/mock_replies $(B)/mock/fuzz/mock_lies
FUZZ_CFLAGS    = $(MOCK_CFLAGS) $(MOCK_SANE_fuzz) -Itests/fuzz -Ikernel -I$(B)/gen
FUZZ_LINK      = $(MOCK_CC_fuzz) -pthread $(filter %.o,$^) $(call mock_link,fuzz) -o $@
FUZZ_COMMON   := $(B)/mock/fuzz/mock_fuzz.o
FUZZ_CASES    := $(patsubst tests/sequences/%.c,$(B)/mock/fuzz/cases/%.o,$(filter-out %/instance.c,$(SEQUENCE_SRCS)))
FUZZ_LIES     := $(FUZZ_COMMON) $(B)/mock/fuzz/lies.o $(FUZZ_CASES)
FUZZ_NEEDS    := $(B)/mock/fuzz/libkernel.a $(B)/mock/fuzz/libmock.a target/mock/kernel_data.ld

.PHONY: fuzzers
fuzzers: $(FUZZ_PROGRAMS)
$(B)/mock/fuzz/%.o: tests/fuzz/%.c $(B)/.flags
	$(call say,CC)$(MKDIR) $(MOCK_CC_fuzz) $(FUZZ_CFLAGS) $(DEPFLAGS) -c $< -o $@
# A case's main() says what cases there are, before the fuzzer's begins.
$(FUZZ_CASES): $(B)/mock/fuzz/cases/%.o: tests/sequences/%.c $(B)/.flags
	$(call say,CC)$(MKDIR) $(MOCK_CC_fuzz) -isystem tests/fuzz/cases $(FUZZ_CFLAGS) -Itests/sequences \
	    -Wno-unused-variable -Dmain=cases_of_$* $(DEPFLAGS) -c $< -o $@
$(B)/mock/fuzz/mock_calls: $(B)/mock/fuzz/mock_calls.o $(B)/mock/fuzz/arguments.o $(FUZZ_COMMON) $(FUZZ_NEEDS)
	$(call say,LD)$(FUZZ_LINK) $(subst fuzzer-no-link,fuzzer,$(MOCK_SANE_fuzz))
$(B)/mock/fuzz/mock_replies: $(B)/mock/fuzz/mock_replies.o $(FUZZ_LIES) $(FUZZ_NEEDS)
	$(call say,LD)$(FUZZ_LINK) $(subst fuzzer-no-link,fuzzer,$(MOCK_SANE_fuzz))
$(B)/mock/fuzz/mock_lies: $(B)/mock/fuzz/mock_lies.o $(FUZZ_LIES) $(FUZZ_NEEDS)
	$(call say,LD)$(FUZZ_LINK) $(subst fuzzer-no-link$(comma),,$(MOCK_SANE_fuzz))
-include $(FUZZ_PROGRAMS:=.d) $(FUZZ_LIES:.o=.d) $(B)/mock/fuzz/arguments.d
