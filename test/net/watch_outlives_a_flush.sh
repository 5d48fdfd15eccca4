#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# portpub watch: whoever flushes the rulesets breaks no established connection, and the rules are back at once.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../publish.sh"
. "${0%/*}/../forward.sh"
. "${0%/*}/../watch.sh"

nsenter -t "$container" -n "$HELPERS/keepalive" serve 90 >"$tap_tmp/serves" &
pids="$pids $!"
until_true grep -q ready "$tap_tmp/serves"
serve "$container" 80 container
ok 'published are' add --to 10.0.0.2,fd00::2 --id web 90:90 80:80 127.0.0.1:81:80

crowd_asks 90
nft flush ruleset
until_true sh -c "! kill -0 $asking || ! nsenter -t $lan -n ss -Htn state established dport = :90 | grep -q ."
"$PORTPUB" restore >/dev/null
crowd_ends
is 'without it a flush breaks every connection' "$broken" '64 connections, 64 broken'

watch
has 'it owns an anchor, and says so' "$(cat "$told")" 'portpub: the table inet portpub-anchor is ours'
"$HELPERS/transactions" >"$tap_tmp/transactions" &
pids="$pids $!"
until_true grep -q ready "$tap_tmp/transactions"
crowd_asks 90
for damage in 'flush ruleset' 'delete table inet portpub' 'flush table inet portpub' 'delete element inet portpub any4 { tcp . 90 }'; do
	nft "$damage" && all_back
	nft "$damage" && all_back
done
crowd_ends
is 'with it none of 64 is broken, whatever is removed' "$broken" '64 connections, 0 broken'
told_all() { [ "$(grep -c 'put back:' "$told")" -ge 8 ]; }
until_true told_all # a moment after it has done so
is 'it says each time what it puts back, and after whom' \
	"$(grep -c 'put back: the table inet portpub, [0-9]* elements; the last to change the rulesets was nft' "$told") $(grep -c 'put back: 1 element; the last' "$told")" '6 2'
# From each change by nft to the next by us: microseconds.
awk '$2 == "nft" {since = $1} $2 == "portpub" && since {print $1 - since; since = 0}' "$tap_tmp/transactions" | sort -n >"$tap_tmp/gaps"
half=$(sed -n 5p "$tap_tmp/gaps")
echo "# the rules were back after $half us, the median of 8; $(tail -n 1 "$tap_tmp/gaps") us the last"
if is_sanitized; then
	skip 'the rules are back within 50 ms' 'sanitized'
else
	below 'the rules are back within 50 ms' "$half" 50000
fi
is 'new clients get in' "$(ask "$lan" http://192.0.2.1/) $(ask 0 http://127.0.0.1:81/)" 'hello from container, 192.0.2.2 hello from container, 10.0.0.1'
is 'check is content' "$("$PORTPUB" check 2>&1)" ''

# A watch that stands still: the anchor alone keeps connections, and the guard.
kill -STOP "$watcher"
crowd_asks 90
nft flush ruleset
received() { at "$lan" cat /proc/net/snmp | awk '/^Tcp: [0-9]/ {print $11}'; }
before=$(received)
go_on() { [ "$(received)" -gt $((before + 2000)) ]; }
ok 'they go on' until_true go_on
has 'with no rules but those of the anchor' "$(nft list tables)" 'table inet portpub-anchor'
is 'and only those' "$(nft list tables | wc -l)" 1
mac=$(ip -o link show lan0 | sed 's/.*link\/ether \([^ ]*\).*/\1/')
nft 'add table ip witness; add chain ip witness in { type filter hook prerouting priority -400; }
	add rule ip witness in iif != "lo" th sport 1000 counter comment "arrived"
	add chain ip witness taken { type filter hook prerouting priority -200; }
	add rule ip witness taken iif != "lo" th sport 1000 counter comment "taken"'
count() { nft list table ip witness | sed -n "s/.*counter packets \([0-9]*\) .* comment \"$1\".*/\1/p"; }
arrived() { [ "$(count arrived)" -ge 2 ]; }
at "$lan" "$HELPERS/raw" eth0 "$mac" udp 192.0.2.2 1000 127.0.0.1 99
at "$lan" "$HELPERS/raw" eth0 "$mac" udp 127.0.0.2 1000 192.0.2.1 98
until_true arrived
is 'packets to and from 127/8 stay outside all the same' "$(count arrived) $(count taken)" '2 0'
kill -CONT "$watcher"
all_back
crowd_ends
is 'no connection is broken while nobody puts the rules back' "$broken" '64 connections, 0 broken'

# What others may do with the anchor, and what they may not.
nft list ruleset >"$tap_tmp/saved"
run nft -f "$tap_tmp/saved"
is 'a saved ruleset that has the anchor does not load while it is owned' "$status" 1
sed '/^table inet portpub-anchor/,/^}/d' "$tap_tmp/saved" >"$tap_tmp/without"
ok 'without that table it does' sh -c "{ echo flush ruleset; cat '$tap_tmp/without'; } | nft -f -"
all_back
if mount --bind "$tap_tmp/saved" /etc/nftables.conf 2>/dev/null; then
	has 'of one that is loaded at boot, the doctor says so' "$("$PORTPUB" doctor web 2>&1)" \
		'portpub: /etc/nftables.conf has the table inet portpub-anchor, and does not load while portpub watch runs: take it out'
	mount --bind "$tap_tmp/without" /etc/nftables.conf
	is 'and of another it does not' "$("$PORTPUB" doctor web 2>&1 | grep -c anchor)" 0
	umount /etc/nftables.conf
	umount /etc/nftables.conf
else
	skip 'of one that is loaded at boot, the doctor says so' '/etc/nftables.conf cannot be replaced here'
fi
run nft delete table inet portpub-anchor
is 'nobody else may delete it' "$status" 1
[ ! -x /usr/sbin/iptables-nft-restore ] ||
	ok 'the old iptables restores its tables beside it' sh -c 'printf "*nat\n:PREROUTING ACCEPT\nCOMMIT\n" | iptables-nft-restore'

# Nothing ticks.
all_back
sleeps() { awk '/ctxt_switches/ {sum += $2} END {print sum}' "/proc/$watcher/status"; }
quiet() {
	before=$(sleeps)
	sleep 0.3
	[ "$(sleeps)" = "$before" ]
}
ok 'while nobody changes a ruleset it does not run at all' until_true quiet

ends TERM
is 'SIGTERM ends it with status 0' "$status" 0
is 'and its anchor with it' "$(nft list tables | grep -c anchor)" 0
watch
ends INT
is 'so does SIGINT' "$status" 0
stopped() { [ "$(grep -c STOPPING "$tap_tmp/notified")" = 2 ]; }
until_true stopped
is 'it tells the service manager when it begins, and when it ends' \
	"$(tail -n 4 "$tap_tmp/notified" | paste -sd ' ')" 'READY=1 STOPPING=1 READY=1 STOPPING=1'
run "$HELPERS/without_nf_tables" "$PORTPUB" watch
is 'without nf_tables it is not permitted' "$status" 4
run "$PORTPUB" watch web
is 'it takes no names' "$status" 2
finish
