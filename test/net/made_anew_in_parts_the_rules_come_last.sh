#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Where the send buffer cannot grow, a table goes to the kernel in several batches, the rules with the last one:
# killed between two, it leaves a table that the next command knows for not being whole. Others who change their
# rulesets meanwhile make it begin again, and nothing is lost.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../publish.sh"
export ASAN_OPTIONS=detect_leaks=0 # which needs ptrace for itself

"$HELPERS/kill_at" 1 true >/dev/null 2>&1
[ $? != 125 ] || skip_all 'no ptrace here'
"$HELPERS/small_buffers" true || skip_all 'no seccomp here'
parts="$HELPERS/small_buffers $PORTPUB"
to='--to 10.0.0.2,fd00::2'
# shellcheck disable=SC2086 # words are wanted
many() { $parts add --no-keeper $to --id many 1001-4000:1001-4000 "$@"; }
other() { "$HELPERS/small_buffers" "$PORTPUB" add --no-keeper --to 10.0.0.3 --id other 9000:80; }
elements() { nft list map inet portpub any4 2>/dev/null | grep -c 'packets'; }
rules() { nft list table inet portpub 2>/dev/null | grep -c ' hook '; }
check() { run "$PORTPUB" check; }
serve "$container" 4000 container

many >/dev/null 2>&1
is 'it is published' "$(elements) $(ask "$lan" 'http://[2001:db8::1]:4000/')" '3000 hello from container, 2001:db8::2'
add --to 10.0.0.2 --id last 9009:9009 >/dev/null 2>&1

# For each step: flushed, other is added and killed there; then the next command.
partly='' wrong='' k=0 status=137
while [ "$status" = 137 ] && [ $k -lt 100 ]; do
	k=$((k + 1))
	nft flush ruleset
	"$HELPERS/kill_at" $k "$HELPERS/small_buffers" "$PORTPUB" add --no-keeper --to 10.0.0.3 --id other 9000:80 >/dev/null 2>&1
	status=$?
	there=$(elements) hooks=$(rules)
	case $there,$hooks in
	0,0 | 3002,6) ;;
	*,0) partly="$partly $there" ;;
	*) wrong="$wrong
killed at $k: $there elements, $hooks chains" ;;
	esac
	$parts del last >/dev/null 2>&1
	[ "$(elements)" = $((3000 + (status != 137))) ] || wrong="$wrong
killed at $k, then: $(elements) elements"
	"$PORTPUB" check >"$tap_tmp/check" 2>&1 || wrong="$wrong
killed at $k, check: $(head -n 3 "$tap_tmp/check")"
	del other >/dev/null 2>&1
	add --to 10.0.0.2 --id last 9009:9009 >/dev/null 2>&1
done
is 'it came to its end' "$status" 0
is 'killed anywhere, there are no rules before all elements, and the next command makes it whole' "$wrong" ''
ok 'it was killed between parts, too' test "$(echo "$partly" | wc -w)" -gt 1
is 'and it answers' "$(ask "$lan" 'http://192.0.2.1:4000/')" 'hello from container, 192.0.2.2'

# churn TIMES: somebody else's table comes and goes; in the end, that is over.
churn() {
	for _ in $(seq "$1"); do
		nft 'add table ip churn'
		nft 'delete table ip churn'
	done
}
for round in 1 2 3; do
	nft flush ruleset
	churn 40 &
	churning=$!
	run other
	is "$round: made anew while others change theirs" "$status $(elements)" '0 3002'
	run many --replace --allow 192.0.2.0/24
	is "$round: replaced meanwhile" "$status $(elements)" '0 3002'
	run $parts del other
	wait $churning
	check
	is "$round: and taken back, and check is content" "$status $out" '0 '
	many --replace >/dev/null 2>&1
done
run $parts del --all
is 'in the end nothing is left' "$status $(left_over)" '0 '
finish
