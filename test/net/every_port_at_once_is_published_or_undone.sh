#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# All ports of both families in one command, in a user namespace, where the kernel takes no batch that large (the
# id is long, so that not even 4 MiB of net.core.wmem_max are enough): it goes in parts, and those that went
# through are taken back when a later one is refused.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../publish.sh"

to='--to 10.0.0.2,fd00::2'
all=all-$(seq -s . 22)
# shellcheck disable=SC2086 # words are wanted
every() { run add $to --id "$all" 1-65535:1-65535; }
count() { nft list map inet portpub "$1" | grep -c 'packets'; }
# there PORT ADDRESS: an element leads from there to there; without nft, which reads all to show one.
there() { "$PORTPUB" who "$1/tcp" --json 2>/dev/null | jq -e "any(.[]; .publication.target | test(\"$2\"))" >/dev/null; }
del nobody 2>/dev/null
every
is 'every port is published by one command' "$status $(count any4) $(count any6)" '0 65535 65535'
is 'as one line' "$out" "$all  1-65535:1-65535/tcp"
is 'check agrees' "$("$PORTPUB" check)" ''
serve "$container" 65535 container
serve "$container" 1 container
is 'the first one leads to the container' "$(ask "$lan" http://192.0.2.1:1/)" 'hello from container, 192.0.2.2'
is 'and the last' "$(ask "$lan" 'http://[2001:db8::1]:65535/')" 'hello from container, 2001:db8::2'
is 'list counts them together' "$("$PORTPUB" list "$all" --json | jq '.[].publications[0].connections')" 2
run add --to 10.0.0.3,fd00::3 --id "$all" --replace 1-65535:1-65535
is 'all of it moves to another container by one command' "$status $("$PORTPUB" check)" '0 '
ok 'the first port' there 1 10.0.0.3
ok 'and the last' there 65535 fd00::3
run del "$all"
is 'and is taken back by one' "$status $(left_over)" '0 '

# The last one of all is somebody's. Where two addresses overlap, no element is refused: it has to be looked for.
for other in 65535:1 '[2001:db8::1]:65535:1' 0.0.0.0:65535:1; do
	# shellcheck disable=SC2086
	add $to --id other "$other" >/dev/null 2>&1
	everything >"$tap_tmp/before"
	every
	is "with $other published none of them is, and it is named" \
		"$status $(echo "$err" | sed 's/.*\(65535.*\)/\1/')" '3 65535/tcp is already published by other'
	everything >"$tap_tmp/after"
	ok 'and all is as before' diff "$tap_tmp/before" "$tap_tmp/after"
	del other
done

# An element nobody knows of, put in by hand: the kernel alone refuses, and not before the last part.
nft 'add element inet portpub any6 { tcp . 65535 : fd00::3 . 1 }'
everything >"$tap_tmp/before"
every
is 'an element of somebody else is refused by the kernel' "$status" 3
has 'and told' "$err" '[::]:65535/tcp'
everything >"$tap_tmp/after"
ok 'the parts that went through are taken back' diff "$tap_tmp/before" "$tap_tmp/after"
nft 'flush map inet portpub any6'

# Killed after the first part: the next command takes it back.
between=
for k in $(seq 20 40); do
	# shellcheck disable=SC2086
	"$HELPERS/kill_at" "$k" "$PORTPUB" add --no-keeper $to --id "$all" 1-65535:1-65535 >/dev/null 2>&1
	! there 1 10.0.0.2 || there 65535 fd00::2 || between=yes
	! there 1 10.0.0.2 || break
	del nobody 2>/dev/null
done
is 'a command may be killed between two parts' "$between" yes
del nobody 2>/dev/null
is 'and the next one takes back what there is of it' "$(left_over)" ''
finish
