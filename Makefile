# make            build/release/myeloma-adapter       make demo    a story of three patients, end to end
# make test       everything that must pass; MM_STEPS=unit,cli for some     make bench   speed, as ratios
# make check      unit and rule tests only            make MODE=asan|tsan|debug check
# make fuzz       every fuzz target, FUZZ_SECONDS     make layers format-check lint
# make mutate     change every rule a little: its cases must notice
# make torture    the long form of every proof by attack: some hours; MM_STEPS=hell,soak for some
# make fault      the daemon that dies or fails at a given write, sync or message (tests/fault)
# make install DESTDIR= PREFIX=/usr                   make golden  rewrite the golden files
#
# demo, test and bench install the Debian packages that are missing (as root, through apt-get).
MODE       ?= release
PREFIX     ?= /usr
BINDIR     ?= $(PREFIX)/bin
DATADIR    ?= $(PREFIX)/share/myeloma-adapter
UNITDIR    ?= /lib/systemd/system
MANDIR     ?= $(PREFIX)/share/man
SYSCONFDIR ?= /etc/myeloma-adapter
PYTHON     ?= /usr/bin/python3
CC         ?= cc
CLANG      ?= clang
PKG_CONFIG ?= pkg-config
PKGS       := libuv libcurl jansson libmicrohttpd sqlite3 libsystemd nettle zlib
BUILD      := build/$(MODE)

PACKAGES_BUILD := pkg-config libuv1-dev libcurl4-gnutls-dev libjansson-dev libmicrohttpd-dev libsqlite3-dev libsystemd-dev nettle-dev zlib1g-dev libwslay-dev
PACKAGES_DEMO  := $(PACKAGES_BUILD) python3
PACKAGES_TEST  := $(PACKAGES_DEMO) libcmocka-dev python3-pytest clang clang-format libclang-rt-14-dev cppcheck valgrind systemd procps mandoc openssl

WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wvla -Wundef -Wpointer-arith \
        -Wcast-qual -Wwrite-strings -Wformat=2 -Wimplicit-fallthrough -Wswitch-enum -Wconversion -Wnull-dereference
MODE_debug   := -O1 -g
MODE_release := -O2 -g -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE
MODE_asan    := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
MODE_tsan    := -O1 -g -fsanitize=thread
# Evaluated when a recipe runs: the packages may have been installed a moment ago.
VERSION      := 0.1.0
ALL_CFLAGS    = -std=gnu11 $(WARN) $(MODE_$(MODE)) -MMD -MP -Iinclude -Itests/unit -DADAPTER_VERSION='"$(VERSION)"' \
                -DADAPTER_DATADIR='"$(DATADIR)"' -DADAPTER_SYSCONFDIR='"$(SYSCONFDIR)"' $(shell $(PKG_CONFIG) --cflags $(PKGS)) $(CFLAGS)
LDLIBS        = $(shell $(PKG_CONFIG) --libs $(PKGS)) -lwslay -lm -lpthread
LINK_release := -pie -Wl,-z,relro,-z,now

LIB_SRC  := $(filter-out adapter/app/main.c,$(wildcard adapter/*/*.c))
TESTS    := $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(wildcard tests/unit/*_test.c))
BENCHES  := $(patsubst tests/bench/%.c,build/release/bench/%,$(wildcard tests/bench/*.c))
obj       = $(patsubst %.c,$(BUILD)/%.o,$(1))

all: $(BUILD)/myeloma-adapter

$(BUILD)/myeloma-adapter: $(BUILD)/adapter/app/main.o $(BUILD)/libadapter.a
	$(CC) $(MODE_$(MODE)) $(LINK_$(MODE)) $(LDFLAGS) -o $@ $^ $(LDLIBS)
$(BUILD)/libadapter.a: $(call obj,$(LIB_SRC))
	@rm -f $@
	$(AR) qcs $@ $^
# The release once more, with every write, sync and message a point at which it can fail or be killed.
build/fault/myeloma-adapter: $(BUILD)/adapter/app/main.o $(BUILD)/libadapter.a tests/fault/fault.c Makefile
	@mkdir -p $(@D)
	$(CC) -O2 -g -std=gnu11 $(WARN) -c -o $(@D)/fault.o tests/fault/fault.c
	$(CC) $(MODE_$(MODE)) $(LINK_$(MODE)) -Wl,--export-dynamic $(LDFLAGS) -o $@ $(@D)/fault.o $(filter %.o %.a,$^) $(LDLIBS)
fault: build/fault/myeloma-adapter
$(BUILD)/tests/%: $(BUILD)/tests/unit/%.o $(BUILD)/libadapter.a
	@mkdir -p $(@D)
	$(CC) $(MODE_$(MODE)) $(LDFLAGS) -o $@ $^ $(LDLIBS) -lcmocka
$(BUILD)/bench/%: $(BUILD)/tests/bench/%.o $(BUILD)/libadapter.a
	@mkdir -p $(@D)
	$(CC) $(MODE_$(MODE)) $(LINK_$(MODE)) $(LDFLAGS) -o $@ $^ $(LDLIBS)
$(BUILD)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -c -o $@ $<

# ---- packages: as root what is missing is installed; otherwise the line to run is printed
define need
	@missing=; for p in $(1); do dpkg -s $$p >/dev/null 2>&1 || missing="$$missing $$p"; done; \
	[ -z "$$missing" ] && exit 0; \
	if [ "$$(id -u)" = 0 ]; then \
	  echo "installing:$$missing"; \
	  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null; } || exit 1; \
	else \
	  echo "Missing packages. Run this, then make again:"; \
	  echo "  sudo apt-get update && sudo apt-get install -y --no-install-recommends$$missing"; exit 1; \
	fi
endef
# Java and Node may be there without being Debian's: asked for by command.
COMMANDS_TEST = $(shell command -v mvn >/dev/null || echo maven; command -v javac >/dev/null || echo openjdk-17-jdk-headless; \
  command -v npm >/dev/null || echo npm)
packages-demo:
	$(call need,$(PACKAGES_DEMO))
packages-test:
	$(call need,$(PACKAGES_TEST) $(COMMANDS_TEST))

# ---- demo, test, bench
demo: packages-demo
	@$(MAKE) --no-print-directory -s -j2 build/release/myeloma-adapter
	@$(PYTHON) tests/e2e/demo.py
test: packages-test
	@$(PYTHON) tests/run.py
torture: packages-test
	@$(PYTHON) tests/torture.py
bench: packages-test
	@$(MAKE) --no-print-directory -s -j2 MODE=release build/release/myeloma-adapter $(BENCHES)
	@$(PYTHON) tests/bench/bench.py

# ---- one kind of test at a time
check: $(TESTS)
	@set -e; for t in $(TESTS); do ./$$t; done
tests: $(TESTS)
golden: $(TESTS)
	@set -e; for t in $(TESTS); do echo "$$t"; GOLDEN_UPDATE=1 ./$$t >/dev/null; done
	@GOLDEN_UPDATE=1 $(PYTHON) -m pytest -q tests/cli

# Every small change of a rule must be noticed by one of its cases (tests/rules/mutate.py).
mutate: $(BUILD)/myeloma-adapter
	@$(PYTHON) tests/rules/mutate.py

# The arrow of dependencies: a folder includes only folders below it, and what is pure stays pure.
# A line that prints is an arrow pointing up, or a file that has no place in the layout.
PURE := (uv|curl/|sqlite3|libpq|microhttpd|systemd/|time|sys/|unistd|poll|pthread)[.h]*[>"]
layers:
	@! grep -nE '#include [<"]$(PURE)|#include "(core|fhir|net|store|flow|app)/' include/base/*.h adapter/base/*.c
	@! grep -nE '#include [<"]$(PURE)|#include "(fhir|net|store|flow|app)/' include/core/*.h adapter/core/*.c
	@! grep -nE '#include [<"]$(PURE)|#include "(net|store|flow|app)/' include/fhir/*.h adapter/fhir/*.c
	@! grep -nE '#include "(core|fhir|store|flow|app)/' include/net/*.h adapter/net/*.c
	@! grep -nE '#include "(core|fhir|net|flow|app)/' include/store/*.h adapter/store/*.c
	@! grep -nE '#include "app/' include/flow/*.h adapter/flow/*.c
	@! git ls-files 2>/dev/null | grep -vE '^(adapter|include|mappings|config|tests|systemd)/|^(\..*|Makefile|NOTICE|README\.md)$$'
format:
	clang-format -i include/*/*.h adapter/*/*.c tests/*/*.c tests/*/*.h
format-check:
	@clang-format --dry-run -Werror include/*/*.h adapter/*/*.c tests/*/*.c tests/*/*.h
lint:
	@cppcheck --quiet --error-exitcode=1 --enable=warning,performance,portability --inline-suppr --std=c11 \
	  --suppress=missingIncludeSystem --suppress=unknownMacro --suppress=internalAstError --suppress=pointerOutOfBoundsCond -Iinclude \
	  -DADAPTER_VERSION='""' -DADAPTER_DATADIR='""' -DADAPTER_SYSCONFDIR='""' -j2 adapter

# make fuzz: every target for FUZZ_SECONDS, with words of its format. What JSON targets read is also
# seeded by recorded resources where there are some; they are read in place.
FUZZ_SECONDS ?= 60
FUZZ_RECORDED := $(wildcard ../shared/testdata/*/)
FUZZERS := $(patsubst tests/fuzz/%_fuzz.c,%,$(wildcard tests/fuzz/*_fuzz.c))
FUZZ_PKGS := jansson nettle libcurl libuv
FUZZ_LIB = $(wildcard adapter/base/*.c adapter/core/*.c adapter/fhir/*.c) $(addprefix adapter/net/,http_head.c origin.c upgrade.c frames.c)
FUZZ_FLAGS = -g -O1 -std=gnu11 -Iinclude -Itests/unit -fsanitize=address,undefined -fno-sanitize-recover=all
build/fuzz/%.o: %.c Makefile
	@mkdir -p $(@D)
	@$(CLANG) $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link -MMD -MP $(shell $(PKG_CONFIG) --cflags $(FUZZ_PKGS)) -c -o $@ $<
build/fuzz/bin/%: tests/fuzz/%_fuzz.c $(patsubst %.c,build/fuzz/%.o,$(FUZZ_LIB))
	@mkdir -p $(@D)
	@$(CLANG) $(FUZZ_FLAGS) -fsanitize=fuzzer $(shell $(PKG_CONFIG) --cflags $(FUZZ_PKGS)) -o $@ $^ $(shell $(PKG_CONFIG) --libs $(FUZZ_PKGS)) -lwslay -lm
fuzzers: $(addprefix build/fuzz/bin/,$(FUZZERS))
fuzz: fuzzers
	@set -e; for f in $(FUZZERS); do mkdir -p build/fuzz/corpus/$$f; echo "fuzz $$f"; \
	  seeds=; [ -d tests/fuzz/seeds/$$f ] && seeds=tests/fuzz/seeds/$$f; \
	  case $$f in \
	    reply|upgrade|frames) words=http;; csv|local|rxnorm) words=csv;; \
	    knowledge|rules|eval|decimal|instant) words=fhir;; *) words=fhir; seeds="$$seeds $(FUZZ_RECORDED)";; \
	  esac; \
	  build/fuzz/bin/$$f -dict=tests/fuzz/dicts/$$words.dict -max_total_time=$(FUZZ_SECONDS) -max_len=16384 -timeout=10 -print_final_stats=0 -verbosity=0 \
	    -artifact_prefix=build/fuzz/ build/fuzz/corpus/$$f $$seeds; done

clean:
	rm -rf build

.PHONY: all clean demo test torture bench check tests fault golden mutate layers format format-check lint fuzz fuzzers packages-demo packages-test
.SECONDARY:
-include $(shell find build -name '*.d' 2>/dev/null)

# What lies where is in the man page, under FILES. An adapter.json that is there is never touched, nor
# are tables that a site has put into mappings/codes/local. DATADIR/installed lists the mappings, so
# that a rule file which a newer version no longer has does not stay in force.
MAPPINGS := $(wildcard mappings/*.* mappings/codes/*.csv mappings/labs/*.csv mappings/rules/*.json mappings/schema/*.json)
EXAMPLES := $(wildcard config/*.json)
INSTALL  := install -p
PUT       = $(INSTALL) -D -m 644
PLACES    = sed 's|/usr/bin/myeloma|$(BINDIR)/myeloma|g; s|/etc/myeloma-adapter|$(SYSCONFDIR)|g; s|/usr/share/myeloma-adapter|$(DATADIR)|g'
FORGET    = list='$(DESTDIR)$(DATADIR)/installed'; [ ! -e "$$list" ] || while read -r f; do rm -f '$(DESTDIR)$(DATADIR)'/"$$f"; done < "$$list"

install: $(BUILD)/myeloma-adapter
	$(INSTALL) -D -m 755 $(BUILD)/myeloma-adapter '$(DESTDIR)$(BINDIR)/myeloma-adapter'
	@$(FORGET)
	for f in $(MAPPINGS) NOTICE; do $(PUT) $$f '$(DESTDIR)$(DATADIR)'/$$f || exit; done
	printf '%s\n' $(MAPPINGS) | $(PUT) /dev/stdin '$(DESTDIR)$(DATADIR)/installed'
	for f in $(notdir $(EXAMPLES)); do $(PUT) config/$$f '$(DESTDIR)$(DATADIR)'/examples/$$f || exit; done
	$(PLACES) systemd/myeloma-adapter.service.d/site.conf | $(PUT) /dev/stdin '$(DESTDIR)$(DATADIR)/examples/myeloma-adapter.service.d/site.conf'
	$(PLACES) systemd/myeloma-adapter.service | $(PUT) /dev/stdin '$(DESTDIR)$(UNITDIR)/myeloma-adapter.service'
	$(PLACES) systemd/myeloma-adapter.1 | gzip -9n | $(PUT) /dev/stdin '$(DESTDIR)$(MANDIR)/man1/myeloma-adapter.1.gz'
	$(PLACES) systemd/myeloma-adapter.json.5 | gzip -9n | $(PUT) /dev/stdin '$(DESTDIR)$(MANDIR)/man5/myeloma-adapter.json.5.gz'
	[ -e '$(DESTDIR)$(SYSCONFDIR)/adapter.json' ] || $(PUT) config/adapter.json '$(DESTDIR)$(SYSCONFDIR)/adapter.json'

# Leaves the configuration, the store and tables of the site.
uninstall:
	@$(FORGET)
	rm -f '$(DESTDIR)$(BINDIR)/myeloma-adapter' '$(DESTDIR)$(UNITDIR)/myeloma-adapter.service' \
	    '$(DESTDIR)$(MANDIR)/man1/myeloma-adapter.1.gz' '$(DESTDIR)$(MANDIR)/man5/myeloma-adapter.json.5.gz'
	rm -f '$(DESTDIR)$(DATADIR)/NOTICE' '$(DESTDIR)$(DATADIR)/installed'
	rm -rf '$(DESTDIR)$(DATADIR)/examples'
	[ ! -d '$(DESTDIR)$(DATADIR)' ] || find '$(DESTDIR)$(DATADIR)' -depth -type d -empty -delete

.PHONY: install uninstall
