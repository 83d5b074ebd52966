# SPDX-License-Identifier: MIT
# Stress programs and `make stress`; included by tests/tests.mk. STRESS_OPERATIONS and SEED are its knobs.

STRESS_DIR := $(BUILD)/tests/stress
STRESS_SRC := tests/stress/stress.c tests/stress/shadow.c
STRESS_HDR := tests/stress/shadow.h tests/stress/api.h
STRESS_BIN := $(STRESS_DIR)/stress $(STRESS_DIR)/stress-core
STRESS_OPERATIONS ?= 5000000
SEED ?= 1

# To be run with the allocator preloaded.
$(STRESS_DIR)/stress: $(STRESS_SRC) $(STRESS_HDR) $(BUILD)/flags
	$(call say,TEST)
	@mkdir -p $(@D)
	$(Q)$(CC) $(TEST_CFLAGS) $(CPPFLAGS) $(CFLAGS) -o $@ $(STRESS_SRC) $(HAK_LDFLAGS) $(LDFLAGS) -pthread

# The core's own names, so that a sanitizer (SAN=) keeps its malloc.
$(STRESS_DIR)/stress-core: $(STRESS_SRC) $(STRESS_HDR) $(LIB_CORE_OBJ)
	$(call say,TEST)
	@mkdir -p $(@D)
	$(Q)$(CC) $(TEST_CFLAGS) -Ilib -DHAK_TEST_CORE $(CPPFLAGS) $(CFLAGS) -o $@ $(STRESS_SRC) $(LIB_CORE_OBJ) \
		$(HAK_LDFLAGS) $(LDFLAGS) -pthread

stress: lib $(STRESS_BIN) ## random operations under every setting; STRESS_OPERATIONS= for each, SEED=
	@HAKMEM_BUILD='$(ABS_BUILD)' HAK_TEST_OPERATIONS=$(STRESS_OPERATIONS) HAK_TEST_SEED=$(SEED) bash tests/stress/stress.t

tests: $(STRESS_BIN)

.PHONY: stress
