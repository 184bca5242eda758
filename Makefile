.PHONY: help build demo test test-all run install uninstall
.PHONY: install-profile uninstall-profile gui
.PHONY: lib install-lib uninstall-lib lints matrix dist clean
.PHONY: fuzz fuzz-tshark sanitize-plugin pipelines bench bench-check

MINUTES ?= 10

help:
	@echo 'make build               build the library and the plugin, in release'
	@echo 'make demo                install what is missing, build, dissect a boot sequence'
	@echo 'make test                install what is missing, build, run the tests that take'
	@echo '                         minutes; NAME=regression:: those with that name alone'
	@echo 'make test-all            those that take long, too: valgrind, sanitizers'
	@echo 'make run CAPTURE=file    build, and dissect a capture of your own'
	@echo 'make install             put the plugin where the tshark on this machine looks'
	@echo 'make uninstall           take it away again'
	@echo 'make install-profile     columns, colours and filter buttons for Wireshark'
	@echo 'make uninstall-profile   take them away again'
	@echo 'make gui                 Wireshark with the plugin, used on a screen of its own'
	@echo 'make lib                 build libmcas alone, for C programs'
	@echo 'make install-lib         put it below /usr/local, or PREFIX=, DESTDIR=, LIBDIR=,'
	@echo '                         INCLUDEDIR='
	@echo 'make uninstall-lib       take it away again'
	@echo 'make lints               Wireshark'\''s own lints on the plugin'\''s C files'
	@echo 'make fuzz MINUTES=n      fuzz the core for so many minutes'
	@echo 'make fuzz-tshark N=500   so many mutated captures through tshark and sharkd'
	@echo 'make sanitize-plugin     the plugin in them under sanitizers and valgrind'
	@echo 'make pipelines           try the pipelines of examples/: DuckDB, Spark'
	@echo 'make bench ROW=name      what it costs, beside its peers: docs/performance.md'
	@echo 'make bench-check         whether that has grown'
	@echo 'make matrix              build and test in each Debian, made for it: see'
	@echo '                         packaging/versions'
	@echo 'make dist                packages for the Wireshark of each of them'
	@echo 'make clean               remove what was built'
	@echo
	@echo 'scripts/tshark ARGS...   tshark with the built plugin, not installed, as any user'

build:
	@scripts/build

demo:
	@scripts/demo

test:
	@scripts/test $(NAME)

test-all:
	@scripts/test --all

# In the environment, as it was typed: of a name neither make nor a shell
# reads more than that.
override CAPTURE := $(value CAPTURE)
export CAPTURE

run:
	@scripts/show "$$CAPTURE"

install:
	@scripts/install

uninstall:
	@scripts/install remove

install-profile:
	@scripts/install-profile

uninstall-profile:
	@scripts/install-profile remove

gui:
	@scripts/setup gui
	@scripts/build
	@scripts/gui --faults
	@scripts/gui

lib:
	@scripts/build-lib

# PREFIX and the like are in the environment, too.
install-lib:
	@scripts/install-lib

uninstall-lib:
	@scripts/install-lib remove

lints:
	@scripts/setup roots
	@scripts/root trixie scripts/lints

fuzz:
	@scripts/fuzz $(MINUTES)

fuzz-tshark:
	@scripts/setup test
	@scripts/build
	@scripts/fuzz-tshark $(N)

sanitize-plugin:
	@scripts/setup test
	@scripts/sanitize-plugin

pipelines:
	@scripts/setup pipelines
	@scripts/build
	@scripts/try-pipelines

bench:
	@scripts/bench $(ROW)

bench-check:
	@scripts/bench --check

matrix:
	@scripts/matrix

dist:
	@scripts/dist

clean:
	rm -rf target
