#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What `nft list` shows of the table is what nft loads again, what explain --nft prints, and what check expects.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../publish.sh"

# Element by element and rule by rule, in any order of elements; without counters, comments and ids.
words() {
	sed -e '/^#/d' -e 's/packets [0-9]* bytes [0-9]*//; s/counter//g; s/comment "[^"]*"//g' -e '/^[[:space:]]*$/d' |
		if [ "$1" = elements ]; then sed '/chain guard/,$d' | tr ',' '\n' | sed 's/elements = {//; s/}$//; s/[[:space:]]*$//' |
			tr -d ' \t' | grep . | sort; else sed -n '/chain guard/,$p'; fi
}
# same FILE FILE
same() {
	for part in elements rules; do
		words $part <"$1" >"$tap_tmp/one"
		words $part <"$2" | diff "$tap_tmp/one" - || return 1
	done
}

hairpin=on
while read -r what options; do
	for port in c0 n0; do ip link set $port type bridge_slave hairpin $hairpin; done
	# shellcheck disable=SC2086 # words are wanted
	run add --id web $options
	is "$what: it is published" "$status" 0
	nft list table inet portpub >"$tap_tmp/listed"
	# shellcheck disable=SC2086
	"$PORTPUB" explain --nft $options >"$tap_tmp/explained" 2>/dev/null
	ok "$what: explain --nft prints what add has made" same "$tap_tmp/explained" "$tap_tmp/listed"
	nft delete table inet portpub
	ok "$what: nft loads what nft has listed" nft -f "$tap_tmp/listed"
	nft list table inet portpub >"$tap_tmp/again"
	ok "$what: and lists the same" diff "$tap_tmp/listed" "$tap_tmp/again"
	run "$PORTPUB" check
	is "$what: check finds no difference" "$status $out$err" '0 '
	nft delete table inet portpub
	ok "$what: nft loads what explain prints" nft -f "$tap_tmp/explained"
	run "$PORTPUB" check
	is "$what: of which check misses nothing but whose it is" "$(echo "$out" | sed -n 's/^another in the kernel: //p' | sort)" \
		"$(echo "$out" | sed -n 's/, of web$//; s/^missing in the kernel: //p' | sort)"
	# shellcheck disable=SC2086
	run add --id web --replace $options
	is "$what: what was loaded can be published over" "$status" 0
	del web 2>/dev/null
	nft delete table inet portpub
	[ "$what" != all-networks ] || hairpin=off
done <<'LIST'
one-port --to 10.0.0.2,fd00::2 80:80
loopback --to 10.0.0.2 127.0.0.1:80:80
addresses --to 10.0.0.2,fd00::2 80:80 53:53/udp 81:81/sctp 192.0.2.1:82:82 [2001:db8::1]:83:83 0.0.0.0:84:84 [::]:85:85
ranges --to 10.0.0.2,fd00::2 1000-1100:2000-2100 127.0.0.1:3000-3010:80-90/udp
allow --to 10.0.0.2,fd00::2 --allow 192.0.2.0/24 --allow 10.0.0.3 --allow 2001:db8::/32 80:80 81-89:81-89/udp 192.0.2.1:90:90
deny-a-family --to 10.0.0.2,fd00::2 --allow 192.0.2.0/24 80:80
all-networks --to 10.0.0.2,fd00::2 --allow 0.0.0.0/0 --allow ::/0 80:80
alone --to 10.0.0.2,fd00::2 80:80 127.0.0.1:81-89:81-89 53:53/udp
LIST
finish
