#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Keepers: whoever flushes the rulesets breaks no established connection and refuses no new one; one of them may die
# at the same time.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../publish.sh"
. "${0%/*}/../forward.sh"
. "${0%/*}/../watch.sh"

nsenter -t "$container" -n "$HELPERS/keepalive" serve 90 >"$tap_tmp/serves" &
pids="$pids $!"
until_true grep -q ready "$tap_tmp/serves"
greeting "$container" 91 go
keep() { "$PORTPUB" add "$@" 2>/dev/null; }
keeper_of() { "$PORTPUB" list "$1" --json | sed -n 's/^ *"pid": \([0-9]*\),$/\1/p' | head -n 1; }
keep --to 10.0.0.2,fd00::2 --id web 90:90 >/dev/null
keep --to 10.0.0.2,fd00::2 --id news 91:91 >/dev/null
web=$(keeper_of web) news=$(keeper_of news)
is 'each owns an anchor' "$(nft list tables | grep -c anchor)" 2

# asks: new connections from outside, one after the other, some hundred a second, until the file is there.
asks() {
	rm -f "$tap_tmp/enough"
	: >"$tap_tmp/asked"
	while [ ! -e "$tap_tmp/enough" ]; do
		at "$lan" "$HELPERS/crowd" file 50 192.0.2.1 91 0 0 >>"$tap_tmp/asked" 2>&1
	done &
	asker=$!
	pids="$pids $asker"
}
# asked: how many were not greeted, of a few hundred at least.
asked() {
	: >"$tap_tmp/enough"
	wait "$asker"
	awk '{greeted += $1; not += $3} END {print (greeted >= 200 ? "hundreds" : greeted) " greeted, " not " not"}' "$tap_tmp/asked"
}

"$HELPERS/transactions" >"$tap_tmp/transactions" &
pids="$pids $!"
until_true grep -q ready "$tap_tmp/transactions"
crowd_asks 90
asks
for damage in 'flush ruleset' 'delete table inet portpub' 'flush table inet portpub' 'delete element inet portpub any4 { tcp . 90 }'; do
	nft "$damage" && all_back
	nft "$damage" && all_back
done
is 'no new connection fails, whatever is removed' "$(asked)" 'hundreds greeted, 0 not'
crowd_ends
is 'none of 64 is broken' "$broken" '64 connections, 0 broken'
awk '$2 == "nft" {since = $1} $2 ~ "^portpub" && since {print $1 - since; since = 0}' "$tap_tmp/transactions" | sort -n >"$tap_tmp/gaps"
half=$(sed -n 5p "$tap_tmp/gaps")
echo "# the rules were back after $half us, the median of $(wc -l <"$tap_tmp/gaps")"
if is_sanitized; then
	skip 'the rules are back within 50 ms' 'sanitized'
else
	below 'the rules are back within 50 ms' "${half:-999999}" 50000
fi

# With somebody at it all the time they do not tire, and do not spin.
crowd_asks 90
asks
restores() { "$PORTPUB" list --json | jq '[.[].keeper.restores] | add'; }
restored=$(restores)
before=$(($(cpu "$web") + $(cpu "$news")))
timeout 2 sh -c 'while :; do nft flush ruleset; done'
spent=$(($(cpu "$web") + $(cpu "$news") - before))
restored=$(($(restores) - restored))
is 'no new connection fails while somebody does nothing but flush' "$(asked)" 'hundreds greeted, 0 not'
crowd_ends
is 'none of 64 is broken' "$broken" '64 connections, 0 broken'
all_back
is 'it is all there afterwards' "$("$PORTPUB" check)" ''
echo "# put back $restored times, for $spent ms of processor time"
ok 'they have not given up' test "$restored" -ge 5
below 'they put it back ten times a second each, and not each time' "$restored" 100
if is_sanitized; then
	skip 'the two take less than half a processor' 'sanitized'
else
	below 'the two take less than half a processor' "$spent" 1000
fi

# Either may be killed at the worst moment, when the rules are gone, and the other has not yet put them back. What it
# carries itself goes with it; those whom the kernel carries do not notice.
has_anchors() { [ "$(nft list tables | grep -c anchor)" = "$1" ]; }
for victim in news web; do
	other=web
	[ $victim = news ] || other=news
	dies=$(keeper_of $victim) lives=$(keeper_of $other)
	crowd_asks 90
	kill -STOP "$dies" "$lives"
	nft flush ruleset
	kill -KILL "$dies"
	until_true has_anchors 1
	is "$victim is killed: its anchor has gone, and there are no rules" "$(nft list tables | grep -v -c anchor)" 0
	kill -CONT "$lives"
	until_true nft list table inet portpub
	sleep 0.3 # of exchanges
	crowd_ends
	is "a keeper that is killed when the rules are gone breaks nothing: $victim" "$broken" '64 connections, 0 broken'
	is 'check tells' "$("$PORTPUB" check)" "the keeper of $victim has ended: portpub restore begins another"
	is 'restore begins another' "$("$PORTPUB" restore 2>&1)" 'put back: 1 keeper'
	is 'and check is content' "$("$PORTPUB" check)" ''
	ok 'which has the second anchor' until_true has_anchors 2
done
"$PORTPUB" del --all
is 'with the last of them the anchors go' "$(nft list tables | grep -c anchor)" 0
is 'and nothing is left over' "$(left_over)" ''

# Clients who take all descriptors that there are.
if is_in_valgrind; then
	skip 'it puts the rules back though clients have taken all descriptors' 'some of the descriptors are valgrind'\''s'
else
	greeting "$container" 92 stay
	prlimit --nofile=64:64 "$PORTPUB" add --to 10.0.0.2 --id few 92:92 >/dev/null 2>&1
	few=$(keeper_of few)
	"$HELPERS/crowd" hold 100 ::1 92 "$tap_tmp/few.go" >"$tap_tmp/few" &
	pids="$pids $!"
	until_true [ -s "$tap_tmp/few" ]
	has 'all the descriptors are taken' "$(cat "$tap_tmp/few")" 'reset 0'
	nft flush ruleset
	ok 'it puts the rules back though clients have taken all descriptors' all_back
	prlimit --pid "$few" --nofile="$(descriptors "$few")"
	nft flush ruleset
	ok 'where it cannot it says so' until_true sh -c "'$PORTPUB' list few --json | grep -q 'Too many open files'"
	: >"$tap_tmp/few.go"
	ok 'and does once they have gone' all_back
	del few
fi
finish
