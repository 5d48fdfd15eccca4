#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Two that watch own an anchor each, and a third waits: whoever of them is killed, and whenever, no connection breaks.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../publish.sh"
. "${0%/*}/../forward.sh"
manager=@portpub # a name of this network namespace alone
. "${0%/*}/../watch.sh"

nsenter -t "$container" -n "$HELPERS/keepalive" serve 90 >"$tap_tmp/serves" &
pids="$pids $!"
until_true grep -q ready "$tap_tmp/serves"
add --to 10.0.0.2,fd00::2 --id web 90:90 >/dev/null 2>&1
anchors() { nft list tables | sed -n 's/.*portpub-//p' | sort | paste -sd ' '; }
owns() { [ "$(anchors)" = "$1" ]; }

watch
is 'the first owns one' "$(anchors)" 'anchor'
one=$watcher
watch
is 'the second another' "$(anchors)" 'anchor anchor-2'
two=$watcher
watch
has 'the third is told, and waits' "$(cat "$told")" 'portpub: two others keep established connections already'
is 'there are no more than two' "$(anchors)" 'anchor anchor-2'
three=$watcher told_three=$told
all="$one $two $three"

crowd_asks 90
# At the worst moment: the rules are gone, and one that could put them back is killed.
for victim in "$one" "$two"; do
	# shellcheck disable=SC2086 # words are wanted
	kill -STOP $all
	nft flush ruleset
	kill -KILL "$victim"
	wait "$victim" 2>/dev/null
	is 'one anchor holds while the other is gone' "$(anchors | wc -w)" 1
	all=$(echo " $all " | sed "s/ $victim / /")
	# shellcheck disable=SC2086
	kill -CONT $all
	all_back
	until_true grep -q ours "$told_three"
	if [ "$victim" = "$one" ]; then
		until_true owns 'anchor anchor-2'
		has 'the third takes its place' "$(cat "$told_three")" 'the table inet portpub-anchor is ours'
		watch
		has 'and a fourth waits' "$(cat "$told")" 'two others keep'
		four=$watcher told_four=$told
		all="$all $four"
	fi
done
until_true grep -q ours "$told_four"
has 'the fourth takes the place of the second' "$(cat "$told_four")" 'the table inet portpub-anchor-2 is ours'
is 'two are owned again' "$(anchors)" 'anchor anchor-2'
kill -TERM "$three"
wait "$three"
nft flush ruleset
all_back
crowd_ends
is 'no connection was broken' "$broken" '64 connections, 0 broken'
is 'each has told the service manager that it is ready' "$(grep -c READY=1 "$tap_tmp/notified")" 4
kill -TERM "$four"
wait "$four"
is 'nothing is left' "$(anchors)" ''
finish
