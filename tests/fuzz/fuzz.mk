# SPDX-License-Identifier: MIT
# Fuzz targets; included by tests/tests.mk. `make check` replays the corpus with the compiler at hand,
# `make fuzz` searches with clang's libFuzzer for SECONDS each and leaves what it finds in $(FUZZ_FOUND).

FUZZ_DIR := $(BUILD)/tests/fuzz
FUZZ_NAMES := fuzz_operations fuzz_table
FUZZ_REPLAY := $(FUZZ_NAMES:%=$(FUZZ_DIR)/%)
FUZZ_SEARCH := $(FUZZ_NAMES:%=$(FUZZ_DIR)/%-search)
FUZZ_COMMON := tests/stress/shadow.c
FUZZ_FOUND := $(FUZZ_DIR)/found
FUZZ_CFLAGS = $(TEST_CFLAGS) -Ilib -DHAK_TEST_CORE $(CPPFLAGS) $(CFLAGS)
SECONDS ?= 60
CLANG ?= clang

$(FUZZ_REPLAY): $(FUZZ_DIR)/%: tests/fuzz/%.c tests/fuzz/standalone_main.c $(FUZZ_COMMON) $(LIB_CORE_OBJ)
	$(call say,TEST)
	@mkdir -p $(@D)
	$(Q)$(CC) $(FUZZ_CFLAGS) -o $@ $< tests/fuzz/standalone_main.c $(FUZZ_COMMON) $(LIB_CORE_OBJ) \
		$(HAK_LDFLAGS) $(LDFLAGS) -pthread

$(FUZZ_SEARCH): $(FUZZ_DIR)/%-search: tests/fuzz/%.c $(FUZZ_COMMON) $(LIB_CORE_OBJ)
	$(call say,TEST)
	@mkdir -p $(@D)
	$(Q)$(CC) $(FUZZ_CFLAGS) -fsanitize=fuzzer -o $@ $< $(FUZZ_COMMON) $(LIB_CORE_OBJ) $(HAK_LDFLAGS) $(LDFLAGS) -pthread

fuzz: ## search for inputs that break a promise, SECONDS= for each target (needs clang)
	@$(MAKE) --no-print-directory BUILD='$(BUILD)/fuzz' CC='$(CLANG)' SAN=address,undefined,fuzzer-no-link fuzz-search

fuzz-search: $(FUZZ_SEARCH)
	@for name in $(FUZZ_NAMES); do \
		mkdir -p $(FUZZ_FOUND)/$$name && \
		$(FUZZ_DIR)/$$name-search -max_total_time=$(SECONDS) -artifact_prefix=$(FUZZ_FOUND)/ -print_final_stats=1 \
			$(FUZZ_FOUND)/$$name tests/fuzz/corpus/$$name || exit 1; \
	done

tests: $(FUZZ_REPLAY)

.PHONY: fuzz fuzz-search
