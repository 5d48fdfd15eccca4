#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Without CAP_NET_ADMIN, or in a kernel without nf_tables, rules alone publish nothing: exit status 4, in words,
# and nothing is left behind.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../publish.sh"

add --to 10.0.0.2 --id web 80:80 >/dev/null 2>&1
everything >"$tap_tmp/before"

# says CLAIM WORDS LAUNCHER...: what every command that needs the kernel says then.
says() {
	claim=$1 words=$2
	shift 2
	for command in 'add --no-keeper --to 10.0.0.2 81:81' 'add --via kernel --to 10.0.0.2 81:81' 'add --no-keeper --to 10.0.0.2 80' 'del web' 'del 80:80' 'del --all' check \
		'add --no-keeper --to 10.0.0.2 --id web --replace 82:82'; do
		# shellcheck disable=SC2086 # words are wanted
		run "$@" "$PORTPUB" $command
		is "$claim, ${command%% --*}: exit status" "$status $out" '4 '
		has "$claim, ${command%% --*}: why" "$err" "$words"
		is "$claim, ${command%% --*}: in one line" "$(echo "$err" | wc -l)" 1
	done
	everything >"$tap_tmp/after"
	ok "$claim: nothing changed" diff "$tap_tmp/before" "$tap_tmp/after"
	run "$@" "$PORTPUB" list
	is "$claim: list knows what is published" "$status $(echo "$out" | awk 'NR == 2 {print $1, $5}')" '0 web -'
	run "$@" "$PORTPUB" who 80
	is "$claim: and who has it" "$status $out" '0 0.0.0.0:80/tcp published by web, to 10.0.0.2:80'
	rm -rf "$tap_tmp/fresh"
	PORTPUB_RUNTIME_DIR=$tap_tmp/fresh run "$@" "$PORTPUB" add --no-keeper --to 10.0.0.2 81:81
	is "$claim: it makes no directory for nothing" "$status $(ls "$tap_tmp/fresh" 2>/dev/null)" '4 '
}

says 'without CAP_NET_ADMIN' 'needs CAP_NET_ADMIN in this network namespace: run it as root' \
	setpriv --bounding-set -net_admin --inh-caps -net_admin
says 'in a user namespace of its own' 'needs CAP_NET_ADMIN in this network namespace: run it as root' unshare -U
says 'as root of such a namespace' 'needs CAP_NET_ADMIN in this network namespace: run it as root' unshare -Ur
says 'without nf_tables' 'this kernel has no nf_tables: it needs CONFIG_NF_TABLES' "$HELPERS/without_nf_tables"
is 'with both all of it goes' "$(del web 2>&1; left_over)" ''
finish
