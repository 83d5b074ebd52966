# SPDX-License-Identifier: MIT
# Building and running the tests, and the demo; included by the top Makefile.
# tests/README.md says what belongs where.

# A unit test links the parts whose own headers it includes, without the files that
# define malloc (lib), attach at load time (tracer) or hold main() (hakstat).
UNIT_SRC := $(sort $(wildcard tests/unit/*.c))
UNIT_BIN := $(UNIT_SRC:%.c=$(BUILD)/%)
includes_from = $(shell for f in $(UNIT_SRC); do for h in $$(sed -n 's/^.include "\([^/"]*\)"$$/\1/p' $$f); do \
	if [ -f $(1)/$$h ]; then echo $$f; break; fi; done; done)
UNIT_HAKSTAT_BIN := $(patsubst %.c,$(BUILD)/%,$(call includes_from,tools/hakstat))
UNIT_TRACER_BIN := $(patsubst %.c,$(BUILD)/%,$(call includes_from,tracer))
# The sampler and the estimator in one test.
UNIT_BOTH_BIN := $(filter $(UNIT_HAKSTAT_BIN),$(patsubst %.c,$(BUILD)/%,$(call includes_from,lib)))
UNIT_LIB_BIN := $(filter-out $(UNIT_HAKSTAT_BIN) $(UNIT_TRACER_BIN),$(UNIT_BIN))
HAKSTAT_CORE_OBJ := $(filter-out $(BUILD)/tools/hakstat/main.o,$(HAKSTAT_OBJ))

INTEGRATION_C_SRC := $(sort $(wildcard tests/integration/*.c))
INTEGRATION_CXX_SRC := $(sort $(wildcard tests/integration/*.cc))
INTEGRATION_BIN := $(INTEGRATION_C_SRC:%.c=$(BUILD)/%) $(INTEGRATION_CXX_SRC:%.cc=$(BUILD)/%)

# Programs that shell tests and the demo run; they print no TAP themselves.
PROGRAM_SRC := $(sort $(wildcard tests/e2e/*.c tests/support/*.c))
PROGRAM_PART_SRC := tests/e2e/truth_part.cc
PROGRAM_CXX_SRC := $(filter-out $(PROGRAM_PART_SRC),$(sort $(wildcard tests/e2e/*.cc tests/e2e/programs/*.cc)))
PROGRAM_BIN := $(PROGRAM_SRC:%.c=$(BUILD)/%) $(PROGRAM_CXX_SRC:%.cc=$(BUILD)/%) $(PROGRAM_PART_SRC:%.cc=$(BUILD)/%.so)

ifeq ($(origin CXX),default)
CXX := g++
endif
# No -O2 in the tests' own flags: the user's CFLAGS bring it. Without -fno-builtin the
# compiler removes pairs of malloc and free that a test makes on purpose.
TEST_CFLAGS := $(HAK_CFLAGS) -fno-builtin -Ilib/include
TEST_CXXFLAGS := $(filter-out -std=% -Wstrict-prototypes -Wmissing-prototypes,$(HAK_CFLAGS)) -std=c++17 -fno-builtin -Ilib/include
CXXFLAGS ?= -O2 -g
CMOCKA_LIBS = $(shell $(PKG_CONFIG) --libs cmocka)
# The last one for probes of the tests' own.
UNIT_TRACER_LIBS = $(TRACER_LIBS) -llttng-ust-tracepoint
UNIT_CFLAGS = $(TEST_CFLAGS) $(CPPFLAGS) $(CFLAGS) -MMD -MP -MT $@ -MF $@.d -o $@ $<

$(UNIT_LIB_BIN): $(BUILD)/%: %.c $(LIB_CORE_OBJ)
	$(call say,TEST)
	@mkdir -p $(@D)
	$(Q)$(CC) -Ilib $(UNIT_CFLAGS) $(LIB_CORE_OBJ) $(HAK_LDFLAGS) $(LDFLAGS) $(CMOCKA_LIBS) -lm -pthread

$(UNIT_TRACER_BIN): $(BUILD)/%: %.c $(TRACER_OBJ) $(LIB_CORE_OBJ)
	$(call say,TEST)
	@mkdir -p $(@D)
	$(Q)$(CC) -Ilib -Itracer $(UNIT_CFLAGS) $(TRACER_OBJ) $(LIB_CORE_OBJ) $(HAK_LDFLAGS) $(LDFLAGS) \
		$(CMOCKA_LIBS) $(UNIT_TRACER_LIBS)

$(UNIT_BOTH_BIN): $(LIB_CORE_OBJ)

$(UNIT_HAKSTAT_BIN): $(BUILD)/%: %.c $(HAKSTAT_CORE_OBJ)
	$(call say,TEST)
	@mkdir -p $(@D)
	$(Q)$(CC) $(filter -I%,$(HAKSTAT_CFLAGS)) -Ilib $(UNIT_CFLAGS) $(filter %.o,$^) $(HAK_LDFLAGS) $(LDFLAGS) \
		$(CMOCKA_LIBS) $(HAKSTAT_LIBS)

# These run on the preloaded allocator, as any program would, so they link nothing of ours.
$(BUILD)/tests/integration/%: tests/integration/%.c $(BUILD)/flags
	$(call say,TEST)
	@mkdir -p $(@D)
	$(Q)$(CC) $(TEST_CFLAGS) $(CPPFLAGS) $(CFLAGS) -MMD -MP -MT $@ -MF $@.d -o $@ $< $(HAK_LDFLAGS) $(LDFLAGS) \
		-Wl,--as-needed $(CMOCKA_LIBS) -pthread -ldl

$(BUILD)/tests/%: tests/%.cc $(BUILD)/flags
	$(call say,TEST)
	@mkdir -p $(@D)
	$(Q)$(CXX) $(TEST_CXXFLAGS) $(CPPFLAGS) $(CXXFLAGS) -MMD -MP -MT $@ -MF $@.d -o $@ $< $(HAK_LDFLAGS) $(LDFLAGS) \
		-Wl,--as-needed $(CMOCKA_LIBS) -pthread -ldl

# Shared libraries of test programs. Their stacks must have names and lines, whatever the user's flags.
$(BUILD)/tests/e2e/%.so: tests/e2e/%.cc $(BUILD)/flags
	$(call say,TEST)
	@mkdir -p $(@D)
	$(Q)$(CXX) $(TEST_CXXFLAGS) $(CPPFLAGS) $(CXXFLAGS) -fPIC -shared -MMD -MP -MT $@ -MF $@.d -o $@ $< $(HAK_LDFLAGS) $(LDFLAGS)

$(BUILD)/tests/e2e/truth_sites $(BUILD)/tests/e2e/truth_part.so: TEST_CXXFLAGS += -g

$(BUILD)/tests/e2e/%: tests/e2e/%.c $(BUILD)/flags
	$(call say,TEST)
	@mkdir -p $(@D)
	$(Q)$(CC) $(TEST_CFLAGS) $(CPPFLAGS) $(CFLAGS) -MMD -MP -MT $@ -MF $@.d -o $@ $< $(HAK_LDFLAGS) $(LDFLAGS) -pthread -ldl

$(BUILD)/tests/support/%: tests/support/%.c $(BUILD)/flags
	$(call say,TEST)
	@mkdir -p $(@D)
	$(Q)$(CC) $(TEST_CFLAGS) -Ilib $(CPPFLAGS) $(CFLAGS) -MMD -MP -MT $@ -MF $@.d -o $@ $< $(HAK_LDFLAGS) $(LDFLAGS)

TEST_BIN := $(UNIT_BIN) $(INTEGRATION_BIN) $(PROGRAM_BIN)
TESTS_UNIT := $(UNIT_BIN)
TESTS_INTEGRATION := $(INTEGRATION_BIN) $(sort $(wildcard tests/integration/*.t))
TESTS_E2E := $(sort $(wildcard tests/e2e/programs/*.t tests/e2e/*.t))
TESTS_META := $(sort $(wildcard tests/meta/*.t))
TESTS_BENCH := $(sort $(wildcard tests/bench/*.t))
TESTS_STRESS := $(sort $(wildcard tests/stress/*.t tests/fuzz/*.t))
# The longest begin first, so that the others run beside them.
TESTS_LONG := tests/meta/tidy.t tests/meta/reproducible.t tests/e2e/programs/python.t tests/e2e/programs/gcc.t tests/e2e/programs/git.t
# T=FILE... runs just those
TESTS_ALL := $(if $(T),$(T),$(TESTS_LONG) $(filter-out $(TESTS_LONG),$(TESTS_META) $(TESTS_UNIT) \
	$(TESTS_INTEGRATION) $(TESTS_STRESS) $(TESTS_BENCH) $(TESTS_E2E)))

ABS_BUILD = $(abspath $(BUILD))
run_tests = HAKMEM_BUILD='$(ABS_BUILD)' CC='$(CC)' perl tests/support/run_tests.pl

tests: $(TEST_BIN) bench-programs ## build the tests

# A make of its own after deps: what pkg-config says may have changed by then.
check: deps ## install what is missing, build, run all tests
	@$(MAKE) --no-print-directory all tests
	@$(run_tests) $(TESTS_ALL)

check-unit: $(TESTS_UNIT) ## tests of internals
	@$(run_tests) $(TESTS_UNIT)

check-integration: lib $(INTEGRATION_BIN) ## programs on the preloaded allocator
	@$(run_tests) $(TESTS_INTEGRATION)

check-e2e: all tests ## recordings, reports and real programs
	@$(run_tests) $(TESTS_E2E)

check-meta: all tests ## layers, symbols, sizes, fast paths, generated documents; but no long ones
	@$(run_tests) $(filter-out $(TESTS_LONG),$(TESTS_META))

demo: deps ## record a real program, print its waste; then the demonstration case
	@$(MAKE) --no-print-directory all tests
	@HAKMEM_BUILD='$(ABS_BUILD)' bash tests/support/demo.sh

docs: tools $(BUILD)/tests/support/gen_options $(BUILD)/tests/support/gen_size_classes ## write the generated documents anew
	@$(BUILD)/tests/support/gen_options >docs/options.md
	@$(BUILD)/tests/support/gen_size_classes >docs/size-classes.md
	@perl tests/support/gen_events_man.pl docs/events.md >docs/man/hakmem-events.7
	@perl tests/support/gen_hakmem_man.pl docs/options.md docs/man/hakmem.7.in >docs/man/hakmem.7
	@perl tests/support/gen_hakstat_man.pl $(BUILD)/tools/hakstat/hakstat docs/man/hakstat.1.in >docs/man/hakstat.1
	@python3 tests/support/gen_json_schema.py $(BUILD)/tools/hakstat/hakstat docs/hakstat.schema.json.in >docs/hakstat.schema.json
	@perl tests/support/gen_formats.pl $(BUILD)/tools/hakstat/hakstat docs/formats.md.in tests/data/redis >docs/formats.md

# tracer/hak_tp.h is a list that clang-format would rearrange.
FORMAT_SRC = $(filter-out tracer/hak_tp.h,$(sort $(wildcard lib/*.[ch] lib/include/*.h tracer/*.[ch] \
	tools/hakstat/*.[ch] tests/*/*.[ch])))
CLANG_FORMAT ?= clang-format
CLANG_TIDY ?= clang-tidy
CPPCHECK ?= cppcheck
# How many paths clang's analyzer follows: deep takes minutes, shallow is what `make check` can afford.
TIDY_MODE ?= deep
TIDY_SRC := $(LIB_SRC) $(TRACER_SRC) $(HAKSTAT_SRC)

format: ## lay out the sources (clang-format 14)
	@$(CLANG_FORMAT) -i $(FORMAT_SRC)

format-check: ## say what `make format` would change
	@$(CLANG_FORMAT) --dry-run -Werror $(FORMAT_SRC)

tidy: cppcheck $(TIDY_SRC:%=tidy/%) ## static analysis (clang-tidy 14, cppcheck 2.10); -j helps

tidy/lib/%: TIDY_CFLAGS = $(filter-out -fno-semantic-interposition,$(LIB_CFLAGS))
tidy/tracer/%: TIDY_CFLAGS = $(TRACER_CFLAGS)
tidy/tools/%: TIDY_CFLAGS = $(HAKSTAT_CFLAGS)
$(TIDY_SRC:%=tidy/%): tidy/%:
	$(Q)$(CLANG_TIDY) --quiet $* -- $(TIDY_CFLAGS) -Xclang -analyzer-config -Xclang mode=$(TIDY_MODE)

cppcheck:
	$(Q)$(CPPCHECK) -q -j2 --std=c11 --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
		--suppressions-list=.cppcheck -D_GNU_SOURCE -D__x86_64__ '-DElfW(type)=Elf64_##type' \
		-Ilib -Ilib/include -Itracer -Itools/hakstat lib tracer tools/hakstat

.PHONY: tests check check-unit check-integration check-e2e check-meta demo docs format format-check tidy cppcheck $(TIDY_SRC:%=tidy/%)

-include $(TEST_BIN:=.d)
-include $(sort $(wildcard tests/bench/*.mk tests/stress/*.mk tests/fuzz/*.mk))
