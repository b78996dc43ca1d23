# make            build/release/myeloma-adapter       make demo    a story of three patients, end to end
# make test       everything that must pass           make bench   speed, as a table with ratios
# make check      unit and rule tests only            make MODE=asan|tsan|debug check
# make fuzz       every fuzz target, FUZZ_SECONDS     make layers format-check lint
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

PACKAGES_BUILD := pkg-config libuv1-dev libcurl4-gnutls-dev libjansson-dev libmicrohttpd-dev libsqlite3-dev libsystemd-dev nettle-dev zlib1g-dev
PACKAGES_DEMO  := $(PACKAGES_BUILD) python3
PACKAGES_TEST  := $(PACKAGES_DEMO) libcmocka-dev python3-pytest clang clang-format libclang-rt-14-dev cppcheck valgrind systemd mandoc openssl

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
LDLIBS        = $(shell $(PKG_CONFIG) --libs $(PKGS)) -lm -lpthread
LINK_release := -pie -Wl,-z,relro,-z,now

LIB_SRC  := $(filter-out adapter/app/main.c,$(wildcard adapter/*/*.c))
TESTS    := $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(wildcard tests/unit/*_test.c))
obj       = $(patsubst %.c,$(BUILD)/%.o,$(1))

all: $(BUILD)/myeloma-adapter

$(BUILD)/myeloma-adapter: $(BUILD)/adapter/app/main.o $(BUILD)/libadapter.a
	$(CC) $(MODE_$(MODE)) $(LINK_$(MODE)) $(LDFLAGS) -o $@ $^ $(LDLIBS)
$(BUILD)/libadapter.a: $(call obj,$(LIB_SRC))
	@rm -f $@
	$(AR) rcs $@ $^
$(BUILD)/tests/%: $(BUILD)/tests/unit/%.o $(BUILD)/libadapter.a
	@mkdir -p $(@D)
	$(CC) $(MODE_$(MODE)) $(LDFLAGS) -o $@ $^ $(LDLIBS) -lcmocka
$(BUILD)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -c -o $@ $<

clean:
	rm -rf build

.PHONY: all clean
.SECONDARY:
-include $(shell find build -name '*.d' 2>/dev/null)
