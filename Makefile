# SPDX-License-Identifier: GPL-2.0-or-later
# `make help` lists what there is. No configure step: pkg-config is asked once, user's flags come last.

VERSION := 0.1.0

PREFIX     ?= /usr/local
BINDIR     ?= $(PREFIX)/bin
LIBEXECDIR ?= $(PREFIX)/libexec
DATADIR    ?= $(PREFIX)/share
MANDIR     ?= $(DATADIR)/man
UNITDIR    ?= $(PREFIX)/lib/systemd/system
BUILD      ?= build
PKG_CONFIG ?= pkg-config
CFLAGS     ?= -O2 -g
FUZZ_SECONDS ?= 60
SOAK_SECONDS ?= $(if $(CI),60,600)

# DEPS=no installs nothing, and fetches nothing.
DEPS_TOOL := $(if $(filter no,$(DEPS)),: ,contrib/deps)

# The real docker-proxy, which tests make their claims of as well: one for all values of BUILD.
ORACLE := build/oracle
ORACLE_TOOL := $(if $(filter no,$(DEPS)),: ,test/oracle)

# What the owner of this machine has configured is not for tests and measurements.
export PORTPUB_CONFIG :=

ifeq ($(origin CC),default)
CC := cc
endif
Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-6s %s\n' $(1) $(2))

# Libraries of the program, and of its unit tests.
LIBRARIES := jansson libmnl libnftnl
PKG_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(LIBRARIES) 2>/dev/null)
PKG_LIBS   := $(shell $(PKG_CONFIG) --libs $(LIBRARIES) 2>/dev/null)
# For the build alone: the program has its system calls filtered by what is made of src/calls.c then.
SECCOMP_CFLAGS := $(shell $(PKG_CONFIG) --cflags libseccomp 2>/dev/null)
SECCOMP_LIBS   := $(shell $(PKG_CONFIG) --libs libseccomp 2>/dev/null)

WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wvla \
	-Wpointer-arith -Wwrite-strings -Wundef $(if $(CI),-Werror)
FORTIFY := $(if $(SANITIZE)$(findstring _FORTIFY_SOURCE,$(CPPFLAGS) $(CFLAGS)),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
HARDENING := -fPIE -fstack-protector-strong $(FORTIFY)
SANITIZERS := $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer)

# What watches the program wants files and system calls of its own: the sandbox leaves them to it.
INSTRUMENTED := $(if $(SANITIZE)$(findstring --coverage,$(CFLAGS)),-DPORTPUB_INSTRUMENTED)

OUR_CPPFLAGS := -D_GNU_SOURCE -DPORTPUB_VERSION='"$(VERSION)"' -Iinclude $(INSTRUMENTED) -MMD -MP
OUR_CFLAGS   := -std=gnu17 $(WARNINGS) $(HARDENING) $(SANITIZERS)
OUR_LDFLAGS  := -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(SANITIZERS)

COMPILE = $(CC) $(OUR_CPPFLAGS) $(PKG_CFLAGS) $(OUR_CFLAGS) $(CPPFLAGS) $(CFLAGS) -c
LINK    = $(CC) $(OUR_CFLAGS) $(CFLAGS) $(OUR_LDFLAGS) $(LDFLAGS)

SOURCES  := $(sort $(wildcard src/*/*.c src/*/*/*.c))
CALLS    := $(BUILD)/src/calls
OBJECTS  := $(SOURCES:%.c=$(BUILD)/%.o) $(BUILD)/src/keeper/calls.o
HEADERS  := $(sort $(wildcard include/portpub/*.h src/*/*.h src/*/*/*.h))
LIBRARY  := $(BUILD)/libportpub.a
PROGRAM  := $(BUILD)/portpub
UNIT     := $(BUILD)/test/unit/unit
UNIT_OBJECTS := $(patsubst %.c,$(BUILD)/%.o,$(sort $(wildcard test/unit/*.c)))
KERNEL   := $(BUILD)/test/kernel/kernel
KERNEL_OBJECTS := $(patsubst %.c,$(BUILD)/%.o,$(sort $(wildcard test/kernel/*.c)))
HELLO    := $(BUILD)/test/demo/hello
HELPERS  := $(patsubst %.c,$(BUILD)/%,$(sort $(wildcard test/net/*.c)))
BENCH    := $(addprefix $(BUILD)/test/bench/,measure traffic parse element proxy cost start keepers row)
FUZZERS  := $(patsubst test/fuzz/fuzz_%.c,%,$(sort $(wildcard test/fuzz/fuzz_*.c)))
C_FILES  := $(sort $(wildcard src/*.c test/*/*.c test/*/*.h)) $(SOURCES) $(HEADERS)
SCRIPTS  := $(sort contrib/deps contrib/kubernetes/install contrib/completions/portpub .ci/run $(wildcard test/*.sh test/*/*.sh) \
	test/run test/init test/oracle test/lint/rooms $(addprefix test/bench/,run proxies docker) $(addprefix test/soak/,forward keepers) \
	test/fuzz/run $(addprefix test/valgrind/,run findings))
TESTS    := $(UNIT) $(KERNEL) $(sort $(filter-out test/demo/% test/runtime/% test/scenes/%,$(wildcard test/*/*.sh)))
RUNTIME_TESTS := $(sort $(wildcard test/runtime/*.sh test/scenes/*.sh))
MANUALS  := $(sort $(wildcard man/*.[58]))
UNITS    := $(notdir $(sort $(wildcard contrib/systemd/*.service)))

.PHONY: FORCE all deps demo check check-runtime bench soak valgrind fuzz lint analyze check-headers coverage install uninstall dist clean help \
	run-demo run-check run-check-runtime run-bench run-soak run-valgrind run-fuzz run-lint run-coverage
.DELETE_ON_ERROR:
.SECONDARY:

all: $(PROGRAM) ## build the program

deps: ## install what building and testing need, or say how
	@$(DEPS_TOOL) build check

demo: ## publish a port of a throwaway container, and show the answer
	@$(DEPS_TOOL) build demo
	@$(MAKE) --no-print-directory run-demo

check: ## build, and run every test that needs no container runtime
	@$(DEPS_TOOL) build check
	@$(ORACLE_TOOL) $(ORACLE)
	@$(MAKE) --no-print-directory run-check

check-runtime: ## the same with real container runtimes and servers, on a private machine; as root, in three minutes
	@$(DEPS_TOOL) build
	@$(DEPS_TOOL) runtime || echo 'what is missing is skipped' >&2
	@$(MAKE) --no-print-directory run-check-runtime

bench: ## measure what is promised beside its peers: a table, in ten minutes
	@$(DEPS_TOOL) build
	@$(DEPS_TOOL) bench || echo 'what is missing is skipped' >&2
	@$(ORACLE_TOOL) $(ORACLE)
	@$(MAKE) --no-print-directory run-bench

soak: ## mixed load for SOAK_SECONDS (default 600): nothing fails, nothing stays
	@$(DEPS_TOOL) build check
	@$(MAKE) --no-print-directory run-soak

valgrind: ## the userspace path under valgrind: no error, no leak, no descriptor left open
	@$(DEPS_TOOL) build check valgrind
	@$(MAKE) --no-print-directory run-valgrind

fuzz: ## fuzz every parser for FUZZ_SECONDS each (default 60)
	@$(DEPS_TOOL) build fuzz
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/fuzz CC=clang SANITIZE=fuzzer-no-link,address,undefined run-fuzz

lint: ## style, static checks, spelling, manual pages
	@$(DEPS_TOOL) build check lint
	@$(MAKE) --no-print-directory check-headers run-lint

analyze: ## the compiler's own analyzers
	@$(DEPS_TOOL) build lint
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/analyze CC=gcc CFLAGS='-O1 -fanalyzer -Werror' all
	$(Q)for f in src/main.c $(SOURCES); do \
		clang --analyze --analyzer-output text -Xclang -analyzer-werror \
			$(OUR_CPPFLAGS) -MF /dev/null $(PKG_CFLAGS) -std=gnu17 $$f || exit 1; done

check-headers: $(HEADERS:%=$(BUILD)/headers/%.o) ## every header compiles alone

coverage: ## what the tests reach
	@$(DEPS_TOOL) build check coverage
	@$(ORACLE_TOOL) $(ORACLE)
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/coverage CFLAGS='-O0 -g --coverage' run-check run-coverage

install: $(PROGRAM) ## into $(DESTDIR)$(PREFIX)
	install -D -m 755 $(PROGRAM) $(DESTDIR)$(BINDIR)/portpub
	install -d $(DESTDIR)$(LIBEXECDIR)/portpub
	ln -sf $(BINDIR)/portpub $(DESTDIR)$(LIBEXECDIR)/portpub/docker-proxy
	install -D -m 644 -t $(DESTDIR)$(MANDIR)/man5 $(filter %.5,$(MANUALS))
	install -D -m 644 -t $(DESTDIR)$(MANDIR)/man8 $(filter %.8,$(MANUALS))
	install -D -m 644 -t $(DESTDIR)$(DATADIR)/bash-completion/completions contrib/completions/portpub
	install -D -m 644 -t $(DESTDIR)$(DATADIR)/zsh/site-functions contrib/completions/_portpub
	install -D -m 644 -t $(DESTDIR)$(DATADIR)/fish/vendor_completions.d contrib/completions/portpub.fish
	install -D -m 644 -t $(DESTDIR)$(UNITDIR) $(UNITS:%=contrib/systemd/%)
	sed -i 's,@BINDIR@,$(BINDIR),' $(UNITS:%=$(DESTDIR)$(UNITDIR)/%)

uninstall: ## what install has put there
	rm -f $(DESTDIR)$(BINDIR)/portpub
	rm -f $(DESTDIR)$(LIBEXECDIR)/portpub/docker-proxy
	[ ! -d $(DESTDIR)$(LIBEXECDIR)/portpub ] || rmdir $(DESTDIR)$(LIBEXECDIR)/portpub
	rm -f $(patsubst man/%,$(DESTDIR)$(MANDIR)/man5/%,$(filter %.5,$(MANUALS)))
	rm -f $(patsubst man/%,$(DESTDIR)$(MANDIR)/man8/%,$(filter %.8,$(MANUALS)))
	rm -f $(DESTDIR)$(DATADIR)/bash-completion/completions/portpub
	rm -f $(DESTDIR)$(DATADIR)/zsh/site-functions/_portpub
	rm -f $(DESTDIR)$(DATADIR)/fish/vendor_completions.d/portpub.fish
	rm -f $(UNITS:%=$(DESTDIR)$(UNITDIR)/%)

dist: ## a tarball of the last commit, in $(BUILD)
	@mkdir -p $(BUILD)
	git archive --prefix=portpub-$(VERSION)/ -o $(BUILD)/portpub-$(VERSION).tar.gz HEAD

clean: ## remove what was built
	rm -rf $(BUILD)

help: ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1\t/p' Makefile | expand -t 16
	@echo 'Variables: PREFIX DESTDIR BUILD V=1 SANITIZE=address,undefined FUZZ_SECONDS SOAK_SECONDS SOAK_SEED DEPS=no CC CFLAGS LDFLAGS'

# What everything is built with, and of: when this changes, everything is built anew.
STAMP := $(BUILD)/stamp
BUILT_WITH = '$(subst ','\'',$(COMPILE) $(LINK) $(OBJECTS))'
$(STAMP): FORCE
	@mkdir -p $(@D)
	@echo $(BUILT_WITH) | cmp -s - $@ || echo $(BUILT_WITH) >$@

$(PROGRAM): $(BUILD)/src/main.o $(LIBRARY)
	$(call say,LINK,$@)
	$(Q)$(LINK) -o $@ $^ $(PKG_LIBS)

$(LIBRARY): $(OBJECTS) $(STAMP)
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $(OBJECTS)

# gcc loses sight of what hangs in a queue; the tests look for leaks under ASan.
$(BUILD)/src/forward/%.o: OUR_CFLAGS += $(if $(findstring -fanalyzer,$(CFLAGS)),-Wno-analyzer-malloc-leak)

$(BUILD)/%.o: %.c $(STAMP)
	$(if $(and $(PKG_LIBS),$(SECCOMP_LIBS)),,$(error $(LIBRARIES) libseccomp not found: make deps installs what is missing))
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(COMPILE) -o $@ $<

$(CALLS).o: private PKG_CFLAGS := $(SECCOMP_CFLAGS)
$(CALLS): %: %.o
	$(call say,LINK,$@)
	$(Q)$(LINK) -o $@ $^ $(SECCOMP_LIBS)

$(BUILD)/src/keeper/calls.c: $(CALLS)
	$(call say,GEN,$@)
	@mkdir -p $(@D)
	$(Q)$< >$@

$(BUILD)/src/keeper/calls.o: $(BUILD)/src/keeper/calls.c $(STAMP)
	$(call say,CC,$<)
	$(Q)$(COMPILE) -Isrc/keeper -o $@ $<

$(BUILD)/headers/%.h.o: %.h
	@mkdir -p $(@D)
	$(Q)$(COMPILE) -x c -Wno-unused -o $@ $<

$(UNIT_OBJECTS) $(KERNEL_OBJECTS): private PKG_CFLAGS += $(shell $(PKG_CONFIG) --cflags check 2>/dev/null)
$(UNIT): $(UNIT_OBJECTS)
$(KERNEL): $(KERNEL_OBJECTS)
$(UNIT) $(KERNEL): $(LIBRARY)
	$(call say,LINK,$@)
	$(Q)$(LINK) -o $@ $(filter %.o,$^) $(LIBRARY) $(PKG_LIBS) $(shell $(PKG_CONFIG) --libs check)

$(BENCH): %: %.o $(BUILD)/test/bench/table.o $(LIBRARY)
	$(call say,LINK,$@)
	$(Q)$(LINK) -o $@ $^ $(PKG_LIBS)

$(HELPERS): $(LIBRARY)
$(HELLO) $(HELPERS): %: %.o
	$(call say,LINK,$@)
	$(Q)$(LINK) -o $@ $^ $(PKG_LIBS)

$(BUILD)/test/fuzz/seed: $(BUILD)/test/fuzz/seed.o
	$(call say,LINK,$@)
	$(Q)$(LINK) -o $@ $^ $(PKG_LIBS)

$(BUILD)/test/fuzz/fuzz_%: $(BUILD)/test/fuzz/fuzz_%.o $(LIBRARY)
	$(call say,LINK,$@)
	$(Q)$(LINK) -fsanitize=fuzzer -o $@ $^ $(PKG_LIBS)

run-demo: $(PROGRAM) $(HELLO)
	@PORTPUB=$(abspath $(PROGRAM)) HELLO=$(abspath $(HELLO)) test/demo/demo.sh

run-check: $(PROGRAM) $(HELLO) $(HELPERS) $(UNIT) $(KERNEL)
	@PORTPUB=$(abspath $(PROGRAM)) HELLO=$(abspath $(HELLO)) HELPERS=$(abspath $(BUILD)/test/net) \
		DOCKER_PROXY=$(or $(DOCKER_PROXY),$(abspath $(wildcard $(ORACLE)/docker-proxy))) test/run $(TESTS)

run-check-runtime: $(PROGRAM) $(HELLO) $(HELPERS)
	@PORTPUB=$(abspath $(PROGRAM)) HELLO=$(abspath $(HELLO)) HELPERS=$(abspath $(BUILD)/test/net) test/run $(RUNTIME_TESTS)

run-bench: $(PROGRAM) $(BENCH) $(HELLO) $(HELPERS)
	@PORTPUB=$(abspath $(PROGRAM)) BENCH=$(abspath $(BUILD)/test/bench) test/bench/run
	@PORTPUB=$(abspath $(PROGRAM)) BENCH=$(abspath $(BUILD)/test/bench) \
		DOCKER_PROXY=$(or $(DOCKER_PROXY),$(abspath $(wildcard $(ORACLE)/docker-proxy))) test/bench/proxies
	@PORTPUB=$(abspath $(PROGRAM)) BENCH=$(abspath $(BUILD)/test/bench) HELLO=$(abspath $(HELLO)) \
		HELPERS=$(abspath $(BUILD)/test/net) test/bench/docker

run-soak: $(PROGRAM) $(HELLO) $(HELPERS)
	@PORTPUB=$(abspath $(PROGRAM)) HELLO=$(abspath $(HELLO)) HELPERS=$(abspath $(BUILD)/test/net) \
		SOAK_SECONDS=$(SOAK_SECONDS) test/soak/forward
	@PORTPUB=$(abspath $(PROGRAM)) HELLO=$(abspath $(HELLO)) HELPERS=$(abspath $(BUILD)/test/net) \
		SOAK_SECONDS=$(SOAK_SECONDS) SOAK_SEED=$(SOAK_SEED) test/soak/keepers

# Of `run` what has neither containers, which takes pidfds, nor rules, whose padding libnftnl leaves as it is.
run-valgrind: $(PROGRAM) $(HELLO) $(HELPERS)
	@PORTPUB=$(abspath $(PROGRAM)) HELLO=$(abspath $(HELLO)) HELPERS=$(abspath $(BUILD)/test/net) BUILD=$(BUILD) \
		test/valgrind/run $(sort $(wildcard $(patsubst %,test/net/%_*.sh,tcp udp run_holds docker_proxy)))

run-fuzz: $(BUILD)/test/fuzz/seed $(FUZZERS:%=$(BUILD)/test/fuzz/fuzz_%)
	@BUILD=$(BUILD) FUZZ_SECONDS=$(FUZZ_SECONDS) test/fuzz/run $(FUZZERS)

run-lint:
	$(Q)clang-format --dry-run -Werror $(C_FILES)
	$(Q)out=$$(clang-tidy --quiet --warnings-as-errors='*' $(wildcard src/*.c) $(SOURCES) -- \
		$(filter-out -MMD -MP,$(OUR_CPPFLAGS)) $(PKG_CFLAGS) -std=gnu17 2>&1) || { echo "$$out"; exit 1; }
	$(Q)cppcheck --quiet --error-exitcode=1 --enable=warning,performance,portability --inline-suppr \
		--std=c11 -D_GNU_SOURCE -DPORTPUB_VERSION='""' -Iinclude src
	$(Q)shellcheck $(SCRIPTS)
	$(Q)mandoc -T lint -W warning $(MANUALS)
	$(Q)codespell -L Nd,nd,iif,passt README Makefile man contrib include src test --skip test/corpus
	$(Q)test/lint/rooms

run-coverage:
	@gcovr --root . --object-directory $(BUILD) --filter src/ --fail-under-line 90

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
