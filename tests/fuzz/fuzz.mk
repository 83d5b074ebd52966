# SPDX-License-Identifier: MIT
# Fuzz targets; included by tests/tests.mk. `make check` replays the corpus with the compiler at hand,
# `make fuzz` searches with clang's libFuzzer for SECONDS each and leaves what it finds in $(FUZZ_FOUND).
# T=NAME... searches with these targets only.

FUZZ_DIR := $(BUILD)/tests/fuzz
FUZZ_LIB := fuzz_operations fuzz_table
FUZZ_HAKSTAT := fuzz_command fuzz_elf fuzz_events fuzz_gate fuzz_summary fuzz_trace fuzz_words
FUZZ_NAMES := $(FUZZ_LIB) $(FUZZ_HAKSTAT)
FUZZ_REPLAY := $(FUZZ_NAMES:%=$(FUZZ_DIR)/%)
FUZZ_SEARCH := $(FUZZ_NAMES:%=$(FUZZ_DIR)/%-search)
FUZZ_FOUND := $(FUZZ_DIR)/found
FUZZ_CFLAGS = $(TEST_CFLAGS) -Itests/fuzz -DFUZZ_TRACE_FOLDER='"$(abspath tests/fuzz/trace)"' $(CPPFLAGS) $(CFLAGS)
SECONDS ?= 60
CLANG ?= clang

# What a target links beside itself.
FUZZ_LIB_CFLAGS := -Ilib -DHAK_TEST_CORE
FUZZ_LIB_SRC := tests/stress/shadow.c
FUZZ_HAKSTAT_CFLAGS = $(filter -I%,$(HAKSTAT_CFLAGS))
FUZZ_HAKSTAT_SRC := tests/fuzz/rendering.c

fuzz_link = $(Q)mkdir -p $(@D) && $(CC) $(FUZZ_CFLAGS) -MMD -MP -MT $@ -MF $@.d -o $@

$(FUZZ_LIB:%=$(FUZZ_DIR)/%): $(FUZZ_DIR)/%: tests/fuzz/%.c tests/fuzz/standalone_main.c $(FUZZ_LIB_SRC) $(LIB_CORE_OBJ)
	$(call say,TEST)
	$(fuzz_link) $(FUZZ_LIB_CFLAGS) $< tests/fuzz/standalone_main.c $(FUZZ_LIB_SRC) $(LIB_CORE_OBJ) \
		$(HAK_LDFLAGS) $(LDFLAGS) -pthread

$(FUZZ_LIB:%=$(FUZZ_DIR)/%-search): $(FUZZ_DIR)/%-search: tests/fuzz/%.c $(FUZZ_LIB_SRC) $(LIB_CORE_OBJ)
	$(call say,TEST)
	$(fuzz_link) $(FUZZ_LIB_CFLAGS) -fsanitize=fuzzer $< $(FUZZ_LIB_SRC) $(LIB_CORE_OBJ) $(HAK_LDFLAGS) $(LDFLAGS) -pthread

$(FUZZ_HAKSTAT:%=$(FUZZ_DIR)/%): $(FUZZ_DIR)/%: tests/fuzz/%.c tests/fuzz/standalone_main.c $(FUZZ_HAKSTAT_SRC) \
		$(HAKSTAT_CORE_OBJ)
	$(call say,TEST)
	$(fuzz_link) $(FUZZ_HAKSTAT_CFLAGS) $< tests/fuzz/standalone_main.c $(FUZZ_HAKSTAT_SRC) $(HAKSTAT_CORE_OBJ) \
		$(HAK_LDFLAGS) $(LDFLAGS) $(HAKSTAT_LIBS)

$(FUZZ_HAKSTAT:%=$(FUZZ_DIR)/%-search): $(FUZZ_DIR)/%-search: tests/fuzz/%.c $(FUZZ_HAKSTAT_SRC) $(HAKSTAT_CORE_OBJ)
	$(call say,TEST)
	$(fuzz_link) $(FUZZ_HAKSTAT_CFLAGS) -fsanitize=fuzzer $< $(FUZZ_HAKSTAT_SRC) $(HAKSTAT_CORE_OBJ) \
		$(HAK_LDFLAGS) $(LDFLAGS) $(HAKSTAT_LIBS)

fuzz: ## search for inputs that break a promise, SECONDS= for each target (needs clang)
	@$(MAKE) --no-print-directory BUILD='$(BUILD)/fuzz' CC='$(CLANG)' \
		SAN=address,undefined,float-cast-overflow,fuzzer-no-link fuzz-search

fuzz-search: $(if $(T),$(T:%=$(FUZZ_DIR)/%-search),$(FUZZ_SEARCH))
	@for name in $(or $(T),$(FUZZ_NAMES)); do \
		bash tests/fuzz/search.sh $(FUZZ_DIR)/$$name-search tests/fuzz/corpus/$$name $(FUZZ_FOUND)/$$name $(SECONDS) || exit 1; \
	done

tests: $(FUZZ_REPLAY)

.PHONY: fuzz fuzz-search

-include $(FUZZ_REPLAY:=.d) $(FUZZ_SEARCH:=.d)
