#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What is installed is what the manual says, works where it is, and goes again.
. "${0%/*}/../tap.sh"
build=${PORTPUB%/*}
there() { (cd "$tap_tmp/root" && find . ! -type d | LC_ALL=C sort | paste -sd ' '); }
inner() { make -s "$@" BUILD="$build" -o "$build/portpub" DESTDIR="$tap_tmp/root" PREFIX=/opt/p; }

ok 'make install' inner install
is 'the program, its manuals, docker-proxy, units, and completions where shells look for them' "$(there)" \
	"$(printf '%s ' ./opt/p/bin/portpub \
		./opt/p/lib/systemd/system/portpub-watch.service ./opt/p/lib/systemd/system/portpub@.service \
		./opt/p/libexec/portpub/docker-proxy \
		./opt/p/share/bash-completion/completions/portpub ./opt/p/share/fish/vendor_completions.d/portpub.fish \
		./opt/p/share/man/man5/portpub-spec.5 ./opt/p/share/man/man8/portpub.8 \
		./opt/p/share/zsh/site-functions/_portpub | sed 's/ $//')"
is 'docker-proxy is the program by another name' "$(readlink "$tap_tmp/root/opt/p/libexec/portpub/docker-proxy")" /opt/p/bin/portpub
ok 'a second time' inner install
ok 'make uninstall' inner uninstall
is 'leaves nothing' "$(there)" ''
ok 'nor does a second time find fault' inner uninstall
default=$(make -s -n install DESTDIR= PREFIX=/usr/local BUILD="$build" -o "$build/portpub" | sed -n 's/^ln .* //p')
has 'the manual tells where docker-proxy is' "$(sed 's/\\-/-/g' man/portpub.8)" "userland-proxy-path=$default"
has 'so does README' "$(cat README)" "userland-proxy-path=$default"
finish
