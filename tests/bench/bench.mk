# SPDX-License-Identifier: MIT
# Benchmark programs and `make bench`; included by the top Makefile. BENCH_ARGS goes to tests/bench/run.py.

BENCH_DIR := $(BUILD)/tests/bench
BENCH_NAMES := fixed_size random_mixed churn patterns exchange
BENCH_PROGRAMS := $(BENCH_NAMES:%=$(BENCH_DIR)/%)
BENCH_COMMON := tests/bench/bench.c tests/bench/proof.c
BENCH_ARGS ?=

# -fno-builtin: the compiler must not remove a malloc whose block is only freed.
$(BENCH_PROGRAMS): $(BENCH_DIR)/%: tests/bench/%.c $(BENCH_COMMON) tests/bench/bench.h $(BUILD)/flags
	$(call say,CC)
	@mkdir -p $(@D)
	$(Q)$(CC) $(HAK_CFLAGS) -fno-builtin -pthread $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $< $(BENCH_COMMON) -ldl

$(BENCH_DIR)/launch: tests/bench/launch.c $(BUILD)/flags
	$(call say,CC)
	@mkdir -p $(@D)
	$(Q)$(CC) $(filter-out $(HAK_SAN),$(HAK_CFLAGS)) $(CPPFLAGS) $(CFLAGS) -static -o $@ $<

$(BENCH_DIR)/instructions: tests/bench/instructions.c $(BENCH_COMMON) tests/bench/steps.c tests/bench/steps.h tests/bench/bench.h $(BUILD)/flags
	$(call say,CC)
	@mkdir -p $(@D)
	$(Q)$(CC) $(HAK_CFLAGS) -fno-builtin $(CPPFLAGS) $(CFLAGS) -pthread $(LDFLAGS) -o $@ $(filter %.c,$^) -ldl

$(BENCH_DIR)/libdoubles.so: tests/bench/doubles.c $(BUILD)/flags
	$(call say,CC)
	@mkdir -p $(@D)
	$(Q)$(CC) $(filter-out $(HAK_SAN),$(HAK_CFLAGS)) -fPIC -shared -fno-builtin $(CPPFLAGS) $(CFLAGS) -o $@ $< -ldl -pthread

$(BENCH_DIR)/librounding.so: tests/bench/rounding.c lib/include/hakmem_size_class.h lib/include/hakmem_route_list.h $(BUILD)/flags
	$(call say,CC)
	@mkdir -p $(@D)
	$(Q)$(CC) $(filter-out $(HAK_SAN),$(HAK_CFLAGS)) -Ilib/include -fPIC -shared -fno-builtin $(CPPFLAGS) $(CFLAGS) -o $@ $<

$(BENCH_DIR)/containers: tests/bench/programs/containers.cc $(BUILD)/flags
	$(call say,CXX)
	@mkdir -p $(@D)
	$(Q)$(CXX) -std=c++17 -O2 -pthread $(CPPFLAGS) $(LDFLAGS) -o $@ $<

bench-programs: $(BENCH_PROGRAMS) $(BENCH_DIR)/launch $(BENCH_DIR)/instructions $(BENCH_DIR)/libdoubles.so \
	$(BENCH_DIR)/librounding.so $(BENCH_DIR)/containers ## build the benchmark programs

bench: bench-programs lib ## compare with the peers found; BENCH_ARGS='--runs 5 NAME=PATH.so --mimalloc-bench DIR'
	python3 tests/bench/run.py --build $(BUILD) $(BENCH_ARGS) hakmem=$(BUILD)/lib/libhakmem.so

bench-instructions: bench-programs lib ## instructions and branches of malloc+free, by size; needs valgrind
	python3 tests/bench/instructions.py --build $(BUILD) $(BENCH_ARGS) hakmem=$(BUILD)/lib/libhakmem.so

bench-overhead: bench-programs all ## what tracing costs, beside other tools; BENCH_ARGS='--rounds 9 --only python'
	python3 tests/bench/overhead.py --build $(BUILD) $(BENCH_ARGS)

.PHONY: bench bench-programs bench-instructions bench-overhead
