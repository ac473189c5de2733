# SPDX-License-Identifier: GPL-2.0-or-later
#
# make            the three programs, in build/
# make check      unit tests, portal cases, layers, style: under half a minute;
#                 without root, cases that need network namespaces are skipped
# make test       everything (root): check, kernel test runs, the lab, browser
#                 FRAMES=1000000: so many frames where host and kernel are
#                 compared, instead of 100,000
# make test-vm    part of it under Debian's kernels 6.1 and 6.12 in QEMU (root,
#                 6 min; downloads the kernels once, to build/vm)
# make bench      measure (root, 10 min); prints a table with goals, writes
#                 build/bench.json; ROWS='bpf.*' only those rows
# make crash      kill -9 under load, KILLS (500) times in unit tests and 100 in
#                 the lab (root, 5 min)
# make fuzz       every fuzzer for FUZZ_SECONDS (10) or FUZZ_RUNS inputs, seeds
#                 first; FUZZERS=build/fuzz/tests/fuzz/fuzz_request: only that
# make run        the lab with gatehouse inside and a guest walking through it
# make install    DESTDIR, PREFIX; keeps a configuration that is there
# make uninstall  removes what install put there, but configuration and data
# make help       this list
#
# SLOW=1 lets check-portal run what takes seconds too.
# V=1 shows commands, SAN=1 builds with ASan and UBSan into build/san,
# WERROR=1 stops at warnings, TOMORROW=1 builds another layout of records.

V ?= 0
SAN ?= 0
WERROR ?= 0
TOMORROW ?= 0
ifeq ($(V),0)
.SILENT:
Q = @printf '  %-7s %s\n' $(1) '$(patsubst $(B)/%,%,$(2))'
else
Q = @:
endif

B := build
ifeq ($(SAN),1)
B := build/san
endif
ifeq ($(FUZZ),1)
B := build/fuzz
CC := clang
endif
ifeq ($(TOMORROW),1)
B := build/tomorrow
endif

PREFIX ?= /usr
BINDIR ?= $(PREFIX)/bin
SBINDIR ?= $(PREFIX)/sbin
MANDIR ?= $(PREFIX)/share/man
DOCDIR ?= $(PREFIX)/share/doc/gatehouse
SYSCONFDIR ?= /etc
UNITDIR ?= /lib/systemd/system

CC ?= gcc
CLANG ?= clang
BPFTOOL ?= $(firstword $(wildcard /usr/sbin/bpftool) bpftool)
# The tests' python is Debian's: it has the Debian packages.
PYTHON ?= /usr/bin/python3
PKGS := libbpf libelf libmnl libnftables sqlite3 libmicrohttpd gnutls \
	jansson libsodium inih libseccomp libgpiod libqrencode libpng libcurl liboath

CFLAGS ?= -O2 -g
CFLAGS += -std=gnu11 -Wall -Wextra -Wshadow -Wswitch-enum -Wmissing-prototypes \
	-Wvla -Wno-unused-parameter -fno-strict-aliasing
CPPFLAGS += -D_GNU_SOURCE -Iinclude -Iuserspace -iquote portal -I$(B)/gen \
	$(shell pkg-config --cflags $(PKGS) 2>/dev/null)
ifeq ($(WERROR),1)
CFLAGS += -Werror
endif
ifeq ($(SAN),1)
CFLAGS += -fsanitize=address,undefined -fno-sanitize-recover=undefined
LDFLAGS += -fsanitize=address,undefined
else ifeq ($(FUZZ),1)
CFLAGS += -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined
LDFLAGS += -fsanitize=fuzzer-no-link,address,undefined
# clang's -Wextra counts what a macro of libseccomp leaves out as a mistake.
CFLAGS += -Wno-missing-field-initializers
else
CPPFLAGS += -D_FORTIFY_SOURCE=2
CFLAGS += -fstack-protector-strong -fPIE
LDFLAGS += -pie -Wl,-z,relro,-z,now
endif
# -mcpu=v3: atomics that return the old value, with clang 14.
BPF_CFLAGS := -O2 -g -target bpf -mcpu=v3 -Wall -Wextra -Wno-unused-parameter \
	-Iinclude -Ivmlinux -Ibpf -I/usr/include/$(shell $(CC) -print-multiarch)
# A layout of records that differs (gatehouse/abi.h), for tests only.
ifeq ($(TOMORROW),1)
CPPFLAGS += -DGH_TOMORROW
BPF_CFLAGS += -DGH_TOMORROW
endif

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all help deps check test bench run install uninstall clean format check-unit \
	check-portal check-layers check-style test-bpf test-lab test-alone test-san test-vm \
	vm-tests fuzz run-fuzz crash

# Tests and scripts run the programs of this build.
export GATEHOUSE_BUILD := $(B)

PROGRAMS := $(B)/gatehoused $(B)/gatehouse-portal $(B)/gatehousectl
all: $(PROGRAMS) $(B)/lab/pass.bpf.o

# BPF: one object per program file, linked to one, then a skeleton.
BPF_OBJS := $(patsubst bpf/%.bpf.c,$(B)/bpf/%.bpf.o,$(wildcard bpf/*.bpf.c))
$(B)/bpf/%.bpf.o: bpf/%.bpf.c
	$(call Q,CLANG,$@)
	mkdir -p $(@D)
	$(CLANG) $(BPF_CFLAGS) -MMD -MP -c $< -o $@
$(B)/bpf/gatehouse.o: $(BPF_OBJS)
	$(call Q,BPFLINK,$@)
	$(BPFTOOL) gen object $@ $^
$(B)/gen/gatehouse.skel.h: $(B)/bpf/gatehouse.o
	$(call Q,SKEL,$@)
	mkdir -p $(@D)
	$(BPFTOOL) gen skeleton $< name gatehouse_bpf >$@

# Embedded files.
SCHEMA := $(wildcard userspace/store/schema/*.sql)
PORTAL_FILES := $(wildcard portal/templates/* portal/assets/* portal/lang/*)
$(B)/gen/embed_schema.c: scripts/embed.sh $(SCHEMA)
	$(call Q,EMBED,$@)
	mkdir -p $(@D)
	scripts/embed.sh embed_schema $(SCHEMA) >$@
$(B)/gen/embed_portal.c: scripts/embed.sh $(PORTAL_FILES)
	$(call Q,EMBED,$@)
	mkdir -p $(@D)
	scripts/embed.sh embed_portal $(PORTAL_FILES) >$@

# User space: one archive per folder; arrows between folders point down
# (scripts/check-layers.sh), and so does the link order.
$(B)/obj/%.o: %.c
	$(call Q,CC,$@)
	mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@
$(B)/obj/gen/%.o: $(B)/gen/%.c
	$(call Q,CC,$@)
	mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@
FOLDERS := base store rules net pay datapath
objs_of = $(patsubst %.c,$(B)/obj/%.o,$(wildcard $(1)/*.c))
define archive
$(B)/lib$(1).a: $(call objs_of,userspace/$(1)) $(2)
	$$(call Q,AR,$$@)
	rm -f $$@; ar rcs $$@ $$^
endef
$(foreach f,$(filter-out store,$(FOLDERS)),$(eval $(call archive,$(f),)))
$(eval $(call archive,store,$(B)/obj/gen/embed_schema.o))
DAEMON_OBJS := $(call objs_of,userspace/daemon)
CTL_OBJS := $(call objs_of,userspace/ctl)
PORTAL_OBJS := $(call objs_of,portal) $(B)/obj/gen/embed_portal.o
# What of ctl/ the portal has.
CTL_CLIENT := $(patsubst %,$(B)/obj/userspace/ctl/%.o,ctl_client probes)
$(call objs_of,userspace/datapath) $(DAEMON_OBJS): | $(B)/gen/gatehouse.skel.h

ARCHIVES = $(B)/librules.a $(B)/libstore.a $(B)/libnet.a $(B)/libpay.a \
	 $(B)/libdatapath.a $(B)/libbase.a
LIBS_BASE := -lev -ljansson -lsodium -linih -lm
LIBS_DAEMON := -loath -lbpf -lelf -lz -lmnl -lnftables -lsqlite3 -lgpiod -lgnutls $(LIBS_BASE)
LIBS_QR := -lqrencode -lpng
LIBS_FETCH := -lcurl -lresolv
LIBS_CTL := $(LIBS_FETCH) $(LIBS_QR) $(LIBS_BASE)
LIBS_PORTAL := -lz -lmicrohttpd -lgnutls -lseccomp $(LIBS_QR) $(LIBS_BASE)
$(B)/gatehoused: $(DAEMON_OBJS) $(ARCHIVES)
	$(call Q,LD,$@)
	$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_DAEMON)
$(B)/gatehousectl: $(CTL_OBJS) $(B)/libbase.a
	$(call Q,LD,$@)
	$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_CTL)
$(B)/gatehouse-portal: $(PORTAL_OBJS) $(CTL_CLIENT) $(B)/libbase.a
	$(call Q,LD,$@)
	$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_PORTAL)

# Tests. A unit test links every archive (test_portal_*: the portal without
# its main); none needs root or the kernel.
UNIT_TESTS := $(patsubst tests/unit/%.c,$(B)/tests/unit/%,$(wildcard tests/unit/test_*.c))
BPF_TESTS := $(patsubst tests/bpf/%.c,$(B)/tests/bpf/%,$(wildcard tests/bpf/test_*.c))
TEST_MAINS := $(B)/obj/userspace/daemon/main.o $(B)/obj/userspace/ctl/gatehousectl.o
$(B)/tests/unit/%: $(B)/obj/tests/unit/%.o $(call objs_of,tests/unit/lib) \
		$(DAEMON_OBJS) $(CTL_OBJS) $(ARCHIVES)
	$(call Q,LD,$@)
	mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $(filter-out $(TEST_MAINS),$^) -lcmocka $(LIBS_FETCH) \
		$(LIBS_QR) $(LIBS_DAEMON)
$(B)/obj/tests/unit/test_fields.o: | $(B)/gen/gatehouse.skel.h
# Headers lie in a frame where they lie.
$(B)/obj/tests/unit/test_policy.o $(B)/obj/tests/fuzz/fuzz_parse.o: \
	CFLAGS += -fno-sanitize=alignment
$(B)/tests/unit/test_portal_%: $(B)/obj/tests/unit/test_portal_%.o \
		$(PORTAL_OBJS) $(CTL_CLIENT) $(B)/libbase.a
	$(call Q,LD,$@)
	mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $(filter-out %/portal/main.o,$^) -lcmocka $(LIBS_PORTAL)
$(B)/tests/bpf/%: $(B)/obj/tests/bpf/%.o $(call objs_of,tests/bpf/lib) \
		$(B)/libdatapath.a $(B)/libbase.a
	$(call Q,LD,$@)
	mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^ -lcmocka -lbpf -lelf -lz $(LIBS_BASE)
$(patsubst %,$(B)/obj/tests/bpf/%.o,$(notdir $(BPF_TESTS))): | $(B)/gen/gatehouse.skel.h
$(call objs_of,tests/bpf/lib): | $(B)/gen/gatehouse.skel.h

# For the lab's veth peers.
LAB_PASS := $(B)/lab/pass.bpf.o
$(LAB_PASS): tests/lab/pass.bpf.c
	$(call Q,CLANG,$@)
	mkdir -p $(@D)
	$(CLANG) $(BPF_CFLAGS) -c $< -o $@

# The lab's own programs: the gate without its controller.
LAB_TOOLS := $(patsubst tests/lab/%_main.c,$(B)/tests/lab/%,$(wildcard tests/lab/*_main.c))
# Many guests at once are those of the benchmarks.
LAB_CROWD := $(B)/tests/bench/guests
ATTACH_OBJS := $(patsubst %,$(B)/obj/userspace/daemon/%.o,attach bypass pacing port network_link \
	network_record)
$(B)/tests/lab/%: $(B)/obj/tests/lab/%_main.o $(ATTACH_OBJS) $(B)/libnet.a \
		$(B)/libdatapath.a $(B)/libbase.a
	$(call Q,LD,$@)
	mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^ -lbpf -lelf -lz -lmnl -lnftables $(LIBS_BASE)

# Between a program and libc: one kills it at its nth step, one makes a disk read-only.
LAB_PRELOADS := $(B)/lab/killer.so $(B)/lab/readonly.so
$(LAB_PRELOADS): $(B)/lab/%.so: tests/lab/%.c
	$(call Q,CC,$@)
	mkdir -p $(@D)
	$(CC) -O2 -D_GNU_SOURCE -Wall -Wextra -shared -fPIC -o $@ $< -ldl

# Fuzzers: whatever of the daemon and the portal a parser needs, without their
# main(); clang's libFuzzer, in a build of its own (FUZZ=1).
FUZZERS := $(patsubst tests/fuzz/%.c,$(B)/tests/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
$(B)/libfuzzed.a: $(filter-out %/main.o,$(DAEMON_OBJS) $(PORTAL_OBJS)) $(CTL_CLIENT) \
		$(B)/obj/userspace/ctl/lease.o
	$(call Q,AR,$@)
	rm -f $@; ar rcs $@ $^
$(B)/tests/fuzz/%: $(B)/obj/tests/fuzz/%.o $(B)/libfuzzed.a $(ARCHIVES)
	$(call Q,LD,$@)
	mkdir -p $(@D)
	$(CC) -fsanitize=fuzzer,address,undefined -o $@ $< -Wl,--start-group \
		$(B)/libfuzzed.a $(ARCHIVES) -Wl,--end-group $(LIBS_DAEMON) $(LIBS_PORTAL)
fuzz:
	$(MAKE) FUZZ=1 run-fuzz
run-fuzz: $(FUZZERS)
	scripts/run-fuzz.sh $^

# Benchmarks: load generators in C, and the BPF programs that measure ours.
BENCH_BPF := $(patsubst tests/bench/%.bpf.c,$(B)/gen/%.skel.h,$(wildcard tests/bench/*.bpf.c))
BENCH_OBJS := $(patsubst %.c,$(B)/obj/%.o,$(filter-out %.bpf.c,$(wildcard tests/bench/*.c)))
BENCH := $(patsubst tests/bench/%_main.c,$(B)/tests/bench/%,$(wildcard tests/bench/*_main.c))
$(B)/bench/%.bpf.o: tests/bench/%.bpf.c
	$(call Q,CLANG,$@)
	mkdir -p $(@D)
	$(CLANG) $(BPF_CFLAGS) -MMD -MP -c $< -o $@
$(B)/gen/%.skel.h: $(B)/bench/%.bpf.o
	$(call Q,SKEL,$@)
	mkdir -p $(@D)
	$(BPFTOOL) gen skeleton $< name $* >$@
$(BENCH_OBJS): | $(B)/gen/gatehouse.skel.h $(BENCH_BPF)
$(B)/tests/bench/%: $(B)/obj/tests/bench/%_main.o \
		$(filter-out %_main.o,$(BENCH_OBJS)) $(B)/libdatapath.a $(B)/libbase.a
	$(call Q,LD,$@)
	mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^ -lbpf -lelf -lz $(LIBS_BASE)

help:
	sed -n '/^# make /,/^$$/s/^# \{0,1\}//p' Makefile
deps:
	scripts/deps.sh
# The benchmarks are built so that they still can be.
check: check-unit check-portal check-layers check-style $(BENCH)
check-unit: $(UNIT_TESTS)
	scripts/run-tests.sh $^
check-portal: $(PROGRAMS)
	$(PYTHON) -m pytest -q $(if $(SLOW),,-m 'not slow') tests/portal
check-layers:
	scripts/check-layers.sh
check-style:
	scripts/check-style.sh
test-bpf: $(BPF_TESTS)
	scripts/run-tests.sh $^
test-lab: $(PROGRAMS) $(LAB_TOOLS) $(LAB_PASS) $(LAB_PRELOADS) $(LAB_CROWD)
	$(PYTHON) -m pytest -q -n 2 --dist loadscope \
		-m '$(if $(PYTEST_MARK),$(PYTEST_MARK) and )not alone' tests/lab
# What nothing may run beside.
test-alone: $(PROGRAMS) $(LAB_TOOLS) $(LAB_PASS) $(LAB_PRELOADS)
	$(PYTHON) -m pytest -q -m '$(if $(PYTEST_MARK),$(PYTEST_MARK) and )alone' tests/lab
test-san:
	$(MAKE) SAN=1 check-unit check-portal
test:
	scripts/test.sh
# What the machines run, built here.
vm-tests: $(PROGRAMS) $(BPF_TESTS) $(LAB_TOOLS) $(LAB_PASS)
crash: $(B)/tests/unit/test_kills $(B)/tests/unit/test_faults $(PROGRAMS) $(LAB_PASS)
	KILLS=$(or $(KILLS),500) scripts/run-tests.sh $(filter %/test_kills %/test_faults,$^)
	KILLS=100 $(PYTHON) -m pytest -q tests/lab/test_recovery.py
test-vm: deps
	scripts/test-vm.sh
bench: $(PROGRAMS) $(BENCH) $(B)/tests/lab/delay
	tests/bench/bench.py --build $(B) $(if $(ROWS),--rows '$(ROWS)')
run: deps
	$(MAKE) all
	scripts/walk.sh $(if $(ONCE),--once)
format:
	git clang-format -f HEAD
clean:
	rm -rf build

# What is read beside the box, where the source is not.
PAPERS := docs/operator-guide.md docs/coin-acceptors.md docs/api.md docs/inspecting.md \
	docs/branding.md

install: all
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(SBINDIR) \
		$(DESTDIR)$(SYSCONFDIR)/gatehouse \
		$(DESTDIR)$(UNITDIR) $(DESTDIR)$(PREFIX)/lib/sysusers.d \
		$(DESTDIR)$(PREFIX)/lib/tmpfiles.d $(DESTDIR)$(PREFIX)/lib/sysctl.d \
		$(DESTDIR)$(MANDIR)/man8 $(DESTDIR)$(MANDIR)/man5 $(DESTDIR)$(DOCDIR)
	install -m 755 $(B)/gatehoused $(B)/gatehouse-portal $(DESTDIR)$(SBINDIR)
	install -m 755 $(B)/gatehousectl $(DESTDIR)$(BINDIR)
	for unit in gatehoused gatehouse-portal gatehouse-operator; do \
		sed 's,@SBINDIR@,$(SBINDIR),g' packaging/$$unit.service.in \
			>$(DESTDIR)$(UNITDIR)/$$unit.service && \
		chmod 644 $(DESTDIR)$(UNITDIR)/$$unit.service || exit 1; \
	done
	install -m 644 packaging/gatehouse.sysusers \
		$(DESTDIR)$(PREFIX)/lib/sysusers.d/gatehouse.conf
	install -m 644 packaging/gatehouse.tmpfiles \
		$(DESTDIR)$(PREFIX)/lib/tmpfiles.d/gatehouse.conf
	install -m 644 packaging/gatehouse.sysctl \
		$(DESTDIR)$(PREFIX)/lib/sysctl.d/50-gatehouse.conf
	install -m 644 docs/*.8 $(DESTDIR)$(MANDIR)/man8
	install -m 644 docs/*.5 $(DESTDIR)$(MANDIR)/man5
	install -m 644 $(PAPERS) $(DESTDIR)$(DOCDIR)
	cp -r packaging/branding $(DESTDIR)$(DOCDIR)
	chmod -R u=rwX,go=rX $(DESTDIR)$(DOCDIR)/branding
	[ -e $(DESTDIR)$(SYSCONFDIR)/gatehouse/gatehouse.conf ] || \
		install -m 644 packaging/gatehouse.conf $(DESTDIR)$(SYSCONFDIR)/gatehouse/

# Before: `gatehousectl unload`, and the units stopped and disabled.
uninstall:
	rm -f $(addprefix $(DESTDIR)$(SBINDIR)/,gatehoused gatehouse-portal) \
		$(DESTDIR)$(BINDIR)/gatehousectl \
		$(addprefix $(DESTDIR)$(UNITDIR)/,gatehoused.service gatehouse-portal.service \
			gatehouse-operator.service) \
		$(DESTDIR)$(PREFIX)/lib/sysusers.d/gatehouse.conf \
		$(DESTDIR)$(PREFIX)/lib/tmpfiles.d/gatehouse.conf \
		$(DESTDIR)$(PREFIX)/lib/sysctl.d/50-gatehouse.conf \
		$(addprefix $(DESTDIR)$(MANDIR)/man8/,$(notdir $(wildcard docs/*.8))) \
		$(addprefix $(DESTDIR)$(MANDIR)/man5/,$(notdir $(wildcard docs/*.5))) \
		$(addprefix $(DESTDIR)$(DOCDIR)/,$(notdir $(PAPERS)))
	rm -rf $(DESTDIR)$(DOCDIR)/branding
	rmdir $(DESTDIR)$(DOCDIR) 2>/dev/null || true
	echo "kept: $(SYSCONFDIR)/gatehouse and /var/lib/gatehouse"

-include $(shell find $(B) -name '*.d' 2>/dev/null)
