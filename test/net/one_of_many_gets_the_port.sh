#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Commands that ask for the same port at the same time: one has it, and the others are told who.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../publish.sh"

# race COUNT SPEC...: that many at once, each with an id of its own, from the very first directory on.
race() {
	racers=$1
	shift
	rm -rf "$tap_tmp/race"
	mkdir "$tap_tmp/race"
	running=
	for i in $(seq "$racers"); do
		(
			add --to 10.0.0.2 --id "racer$i" "$@" >"$tap_tmp/race/out$i" 2>"$tap_tmp/race/err$i"
			echo $? >"$tap_tmp/race/status$i"
		) &
		running="$running $!"
	done
	# shellcheck disable=SC2086 # words are wanted
	wait $running
	statuses=$(cat "$tap_tmp"/race/status* | sort | uniq -c | tr -s ' \n' ' ')
	winner=$("$PORTPUB" list --json | jq -r '[.[].id] | join(" ")')
}

race 50 8080:80
is 'of fifty commands one wins, and the others have the exit status of a taken port' "$statuses" ' 1 0 49 3 '
has 'one is published' "$winner" racer
is 'which is the one that said so' "$(cat "$tap_tmp/race/out${winner#racer}")" "$winner  8080:80/tcp"
is 'it is named to each of the others' "$(grep -lx "portpub: .*8080/tcp is already published by $winner" \
	"$tap_tmp"/race/err* | wc -l)" 49
is 'what is on disk and in the kernel is its own' "$(del "$winner" 2>&1; left_over)" ''

race 20 9000-9009:1-10 9100-9103:80
is 'of twenty that overlap in a range one wins' "$statuses" ' 1 0 19 3 '
del --all 2>/dev/null
race 20 9000-9019:80
is 'twenty that share a pool of twenty each have a port' "$statuses" ' 20 0 '
is 'and no two the same' "$("$PORTPUB" list --json | jq '[.[].publications[].host_port] | unique | length')" 20
is 'check agrees' "$("$PORTPUB" check)" ''
del --all 2>/dev/null
race 20 80
is 'twenty free ports are twenty ports' "$statuses $("$PORTPUB" list --json | jq '[.[].publications[].host_port] | unique | length')" ' 20 0  20'

# Everybody at once: additions, removals, and readers, who are never shown half of anything.
running=
for i in $(seq 20); do
	del "racer$i" >"$tap_tmp/race/del$i" 2>&1 &
	running="$running $!"
	"$PORTPUB" check >"$tap_tmp/race/check$i" 2>&1 &
	running="$running $!"
	"$PORTPUB" list --json >"$tap_tmp/race/list$i" 2>&1 &
	running="$running $!"
	add --to 10.0.0.2 --id "new$i" "$((7000 + i)):80" >"$tap_tmp/race/add$i" 2>/dev/null &
	running="$running $!"
done
# shellcheck disable=SC2086
wait $running
is 'nobody who looks meanwhile sees a difference' "$(cat "$tap_tmp"/race/check*)" ''
is 'the lists are whole' "$(cat "$tap_tmp"/race/list* | jq -s 'map(length) | all(. <= 40)')" true
is 'twenty are gone and twenty have come' "$("$PORTPUB" list --json | jq -r '[.[].id[0:3]] | unique | join(" ")') $(
	"$PORTPUB" list --json | jq length)" 'new 20'
is 'check agrees with that' "$("$PORTPUB" check)" ''
del --all
is 'and in the end nothing is left' "$(left_over)" ''
finish
