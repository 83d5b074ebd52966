# SPDX-License-Identifier: MIT
# The only build file. `make help` lists the targets; everything is written below $(BUILD).

BUILD ?= build
PREFIX ?= /usr/local
DESTDIR ?=
bindir ?= $(PREFIX)/bin
libdir ?= $(PREFIX)/lib
includedir ?= $(PREFIX)/include
mandir ?= $(PREFIX)/share/man
pkgconfigdir ?= $(libdir)/pkgconfig
bashcompdir ?= $(PREFIX)/share/bash-completion/completions

# An installation may be moved as a whole: hakstat looks for the libraries from where it lies itself.
LIBRARIES := $(shell realpath -ms --relative-to='$(bindir)' '$(libdir)')

VERSION := $(shell sed -n 's/^.define HAKMEM_VERSION "\(.*\)"/\1/p' lib/include/hakmem.h)
SOMAJOR := 0

# make's own default for CC is "cc"; an environment or command line choice wins over ours.
ifeq ($(origin CC),default)
CC := gcc
endif
CFLAGS ?= -O2 -g
PKG_CONFIG ?= pkg-config
# Empty for a linker without INSERT, like mold: the library works the same, and more of it is resident.
LAYOUT ?= -Wl,-T,lib/layout.ld

HAK_WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wundef -Wcast-qual
ifeq ($(WERROR),1)
HAK_WARN += -Werror
endif
ifneq ($(SAN),)
# What a sanitizer finds ends the program: a test must not pass beside it.
HAK_SAN := -fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer
endif
HAK_CFLAGS := -std=gnu11 -D_GNU_SOURCE $(HAK_WARN) -fvisibility=hidden -fstack-protector-strong -fstack-clash-protection $(HAK_SAN)
HAK_LDFLAGS := $(HAK_SAN) -Wl,-z,relro,-z,now
# Shadow stacks. Without the mark, the library would switch them off for every program that preloads it.
ifneq ($(filter x86_64-%,$(shell $(CC) -dumpmachine)),)
HAK_CFLAGS += -fcf-protection=return
HAK_LDFLAGS += -Wl,-z,shstk
endif
# The built files do not tell where they were built: the same sources give the same bytes anywhere.
HAK_SHIPPED := -ffile-prefix-map='$(CURDIR)=.'
# libc's checks of its arguments need an optimising compiler; the sanitizers have better ones.
HAK_FORTIFY = $(if $(SAN),,$(if $(filter -O1 -O2 -O3 -Os,$(CFLAGS)),-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2))

# -fno-builtin-malloc: else the compiler turns our calloc into a call of itself.
# No stack protector there: the fast paths have no arrays, and libc is not set up yet when the first call comes.
LIB_CFLAGS := $(HAK_CFLAGS) $(HAK_SHIPPED) -Ilib -Ilib/include -fPIC -ftls-model=initial-exec -fno-builtin-malloc -fno-stack-protector \
	-fno-semantic-interposition -fno-plt
TRACER_PKGS := lttng-ust libunwind
TRACER_CFLAGS = $(HAK_CFLAGS) $(HAK_SHIPPED) $(HAK_FORTIFY) $(HAK_FRAMES) -Ilib/include -Itracer -fPIC -ftls-model=initial-exec $(shell $(PKG_CONFIG) --cflags $(TRACER_PKGS))
TRACER_LIBS = $(shell $(PKG_CONFIG) --libs lttng-ust) -ldl -pthread
# The plotting library of HTML reports and the notices of its parts, from the packages node-d3 and node-d3-*.
D3_JS ?= /usr/share/nodejs/d3/dist/d3.min.js
D3_NOTICES ?= $(or $(sort $(wildcard /usr/share/doc/node-d3/copyright /usr/share/doc/node-d3-*/copyright)),/usr/share/doc/node-d3/copyright)
HTML_PAGE := $(BUILD)/tools/hakstat/page.html
HAKSTAT_PKGS := babeltrace2 lttng-ctl libdw libelf smartcols jansson glib-2.0 zlib ncursesw
# -fwrapv: sums of a damaged trace may leave the range; then they wrap and are not undefined.
HAKSTAT_CFLAGS = $(HAK_CFLAGS) $(HAK_SHIPPED) $(HAK_FORTIFY) -fwrapv -Itools/hakstat -Ilib/include \
	-DHAKSTAT_LIBRARIES='"$(LIBRARIES)"' -DHAKSTAT_HTML_PAGE='"$(HTML_PAGE)"' $(shell $(PKG_CONFIG) --cflags $(HAKSTAT_PKGS))
HAKSTAT_LIBS = $(shell $(PKG_CONFIG) --libs $(HAKSTAT_PKGS)) -liberty -lm -pthread

LIB_SRC := $(sort $(wildcard lib/*.c))
# preload.c and cxx.c define malloc and operator new; tests of internals link without them.
LIB_PUBLIC_SRC := lib/preload.c lib/cxx.c
TRACER_SRC := $(sort $(wildcard tracer/*.c))
HAKSTAT_SRC := $(sort $(wildcard tools/hakstat/*.c))

# Between a request and the tracer's walk of its stack, a frame pointer must stay one. The fast paths are elsewhere.
HAK_FRAMES := -fno-omit-frame-pointer
FRAMES_OBJ := $(patsubst %.c,$(BUILD)/%.o,lib/alloc.c lib/secure.c lib/serve.c lib/trace.c)
$(FRAMES_OBJ): LIB_CFLAGS += $(HAK_FRAMES)

LIB_OBJ := $(LIB_SRC:%.c=$(BUILD)/%.o)
LIB_CORE_OBJ := $(filter-out $(LIB_PUBLIC_SRC:%.c=$(BUILD)/%.o),$(LIB_OBJ))
TRACER_OBJ := $(TRACER_SRC:%.c=$(BUILD)/%.o)
HAKSTAT_OBJ := $(HAKSTAT_SRC:%.c=$(BUILD)/%.o)

Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-8s %s\n' '$(1)' '$(patsubst $(BUILD)/%,%,$@)')

all: lib tracer tools ## the allocator, the tracer and hakstat

lib: $(BUILD)/lib/libhakmem.so $(BUILD)/lib/libhakmem.a $(BUILD)/lib/hakmem.pc ## the allocator alone; needs libc only

tracer: $(BUILD)/tracer/libhakmem-tracer.so ## the LTTng-UST provider

tools: $(BUILD)/tools/hakstat/hakstat ## the command line tool

# A changed flag or compiler rebuilds: objects depend on a stamp that holds them.
FLAGS_TEXT := $(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) $(LAYOUT) $(WERROR) $(SAN) $(VERSION)
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(FLAGS_TEXT)' | cmp -s - $@ || printf '%s\n' '$(FLAGS_TEXT)' >$@

$(BUILD)/lib/%.o: lib/%.c $(BUILD)/flags
	$(call say,CC)
	@mkdir -p $(@D)
	$(Q)$(CC) $(LIB_CFLAGS) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/tracer/%.o: tracer/%.c $(BUILD)/flags
	$(call say,CC)
	@mkdir -p $(@D)
	$(Q)$(CC) $(TRACER_CFLAGS) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# Another libdir than before changes one object only.
$(BUILD)/libraries: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(LIBRARIES)' | cmp -s - $@ || printf '%s\n' '$(LIBRARIES)' >$@

$(BUILD)/tools/hakstat/launch.o: $(BUILD)/libraries

$(BUILD)/tools/%.o: tools/%.c $(BUILD)/flags
	$(call say,CC)
	@mkdir -p $(@D)
	$(Q)$(CC) $(HAKSTAT_CFLAGS) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# The page of HTML reports is data in the program.
$(HTML_PAGE): $(sort $(wildcard tools/hakstat/html/*)) $(D3_JS) $(D3_NOTICES)
	$(call say,PAGE)
	@mkdir -p $(@D)
	$(Q)awk -f tools/hakstat/html/page.awk -v dir=tools/hakstat/html -v d3='$(D3_JS)' -v notices='$(D3_NOTICES)' \
		tools/hakstat/html/report.html >$@.new && mv $@.new $@

$(D3_JS) $(D3_NOTICES):
	@echo "$@ is missing: 'make deps' installs it on Debian and Ubuntu; elsewhere give D3_JS (d3.min.js, version 5)" \
		"and D3_NOTICES (its licence)" >&2; exit 1

$(BUILD)/tools/hakstat/html_page.o: $(HTML_PAGE)

$(BUILD)/lib/libhakmem.so.$(SOMAJOR): $(LIB_OBJ) lib/hakmem.map lib/layout.ld
	$(call say,LD)
	$(Q)$(CC) -shared -Wl,-soname,libhakmem.so.$(SOMAJOR) -Wl,--version-script=lib/hakmem.map -Wl,-z,defs \
		$(LAYOUT) $(HAK_LDFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $(LIB_OBJ)

$(BUILD)/lib/libhakmem.so: $(BUILD)/lib/libhakmem.so.$(SOMAJOR)
	$(call say,LN)
	$(Q)ln -sf $(<F) $@

$(BUILD)/lib/libhakmem.a: $(LIB_OBJ)
	$(call say,AR)
	$(Q)rm -f $@ && $(AR) rcs $@ $(LIB_OBJ)

# Made anew when PREFIX or libdir is another one than before.
$(BUILD)/lib/hakmem.pc: lib/hakmem.pc.in FORCE
	@mkdir -p $(@D)
	@sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(libdir)|' -e 's|@INCLUDEDIR@|$(includedir)|' \
		-e 's|@VERSION@|$(VERSION)|' $< >$@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@

# The allocator's functions are weak references and libunwind is opened at run time: neither is linked.
$(BUILD)/tracer/libhakmem-tracer.so: $(TRACER_OBJ)
	$(call say,LD)
	$(Q)$(CC) -shared -Wl,-soname,libhakmem-tracer.so -Wl,-z,defs -Wl,-z,nodelete $(HAK_LDFLAGS) $(CFLAGS) $(LDFLAGS) \
		-o $@ $(TRACER_OBJ) $(TRACER_LIBS)

$(BUILD)/tools/hakstat/hakstat: $(HAKSTAT_OBJ)
	$(call say,LD)
	$(Q)$(CC) $(HAK_LDFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $(HAKSTAT_OBJ) $(HAKSTAT_LIBS)

include tests/tests.mk

deps: ## install missing packages (apt; sudo when not root)
	@sh tests/support/deps.sh

install: all ## install below $(DESTDIR)$(PREFIX)
	install -d $(DESTDIR)$(bindir) $(DESTDIR)$(libdir) $(DESTDIR)$(includedir) $(DESTDIR)$(pkgconfigdir) \
		$(DESTDIR)$(mandir)/man1 $(DESTDIR)$(mandir)/man7 $(DESTDIR)$(bashcompdir)
	install -m 755 $(BUILD)/tools/hakstat/hakstat $(DESTDIR)$(bindir)/
	install -m 755 $(BUILD)/lib/libhakmem.so.$(SOMAJOR) $(BUILD)/tracer/libhakmem-tracer.so $(DESTDIR)$(libdir)/
	ln -sf libhakmem.so.$(SOMAJOR) $(DESTDIR)$(libdir)/libhakmem.so
	install -m 644 $(BUILD)/lib/libhakmem.a $(DESTDIR)$(libdir)/
	install -m 644 lib/include/*.h $(DESTDIR)$(includedir)/
	install -m 644 $(BUILD)/lib/hakmem.pc $(DESTDIR)$(pkgconfigdir)/
	install -m 644 docs/man/*.1 $(DESTDIR)$(mandir)/man1/
	install -m 644 docs/man/*.7 $(DESTDIR)$(mandir)/man7/
	install -m 644 tools/hakstat/completion/hakstat.bash $(DESTDIR)$(bashcompdir)/hakstat

uninstall: ## remove what install wrote
	rm -f $(DESTDIR)$(bindir)/hakstat $(DESTDIR)$(libdir)/libhakmem.so $(DESTDIR)$(libdir)/libhakmem.so.$(SOMAJOR) \
		$(DESTDIR)$(libdir)/libhakmem-tracer.so $(DESTDIR)$(libdir)/libhakmem.a $(DESTDIR)$(pkgconfigdir)/hakmem.pc \
		$(addprefix $(DESTDIR)$(includedir)/,$(notdir $(wildcard lib/include/*.h))) \
		$(addprefix $(DESTDIR)$(mandir)/man1/,$(notdir $(wildcard docs/man/*.1))) \
		$(addprefix $(DESTDIR)$(mandir)/man7/,$(notdir $(wildcard docs/man/*.7))) \
		$(DESTDIR)$(bashcompdir)/hakstat

clean: ## remove $(BUILD)
	rm -rf $(BUILD)

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@printf '\nknobs: BUILD=%s PREFIX= DESTDIR= CC= CFLAGS= LAYOUT= WERROR=1 SAN=address,undefined V=1\n' '$(BUILD)'

FORCE:
.PHONY: all lib tracer tools deps install uninstall clean help FORCE
.DEFAULT_GOAL := all

-include $(LIB_OBJ:.o=.d) $(TRACER_OBJ:.o=.d) $(HAKSTAT_OBJ:.o=.d)
