#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# portpub restore: whatever the kernel has lost of what is published is there again, from the whole table to a single
# element and a sysctl, and what cannot be put back is told and keeps nothing else from it.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../publish.sh"

to='--to 10.0.0.2,fd00::2'
serve "$container" 80 container
serve "$container" 81 container
restore() { run "$PORTPUB" restore "$@"; }
answers() { echo "$(ask "$lan" http://192.0.2.1:80/) $(ask 0 http://127.0.0.1:81/)"; }
all_answer='hello from container, 192.0.2.2 hello from container, 10.0.0.1'
check() { run "$PORTPUB" check; }

restore
is 'where nothing has ever been published, nothing is missing' "$status $out$err" '0 nothing was missing'
is 'and no table is made' "$(nft list ruleset)" ''
# shellcheck disable=SC2086 # words are wanted
add $to --id web 80:80 127.0.0.1:81:81 53:53/udp >/dev/null 2>&1
kernel >"$tap_tmp/whole"
count=$(nft -j list table inet portpub | jq '[.nftables[] | (.map // .set // empty).elem // [] | length] | add')
restore
is 'where all is there, nothing is missing' "$status $out$err" '0 nothing was missing'

# What is done, and what is said of it: on standard output, and besides.
anew='portpub: the table inet portpub was damaged, with rules missing, added or asleep: it has been made anew'
while IFS='|' read -r damage answer besides; do
	eval "$damage"
	restore
	is "$damage: $answer" "$status $out" "0 put back: $answer"
	is "$damage: this is said besides" "$err" "$besides"
	is "$damage: all of it answers" "$(answers)" "$all_answer"
	check
	is "$damage: check is content" "$status $out$err" '0 '
	kernel >"$tap_tmp/again"
	ok "$damage: the table is the one there was" sh -c "tr ',' '\n' <'$tap_tmp/whole' | sed 's/elements = {//; s/ }\$//' | tr -d ' \t' | sort >'$tap_tmp/1'
		tr ',' '\n' <'$tap_tmp/again' | sed 's/elements = {//; s/ }\$//' | tr -d ' \t' | sort | diff '$tap_tmp/1' -"
done <<END
nft flush ruleset|the table inet portpub, $count elements|
nft delete table inet portpub|the table inet portpub, $count elements|
nft flush chain inet portpub prerouting|the table inet portpub, $count elements|$anew
nft 'delete element inet portpub any4 { tcp . 80 }'|1 element|
nft 'flush map inet portpub any4; flush set inet portpub own4'|3 elements|
nft 'delete element inet portpub any4 { tcp . 80 }; add element inet portpub any4 { tcp . 80 comment "web" : 10.0.0.3 . 80 }'|1 element|
echo 0 >/proc/sys/net/ipv4/conf/br0/route_localnet|1 sysctl|portpub: net.ipv4.conf.br0.route_localnet is 1 now; it is put back when nothing published needs it any longer
nft flush ruleset; echo 0 >/proc/sys/net/ipv4/conf/br0/route_localnet|the table inet portpub, $count elements, 1 sysctl|portpub: net.ipv4.conf.br0.route_localnet is 1 now; it is put back when nothing published needs it any longer
END

nft flush ruleset
restore --json
is 'the same for programs' "$status $(echo "$out" | jq -c '[.table, .elements > 5, .sysctls, .failed]')" '0 [true,true,0,0]'
restore --json
is 'and of nothing' "$status $(echo "$out" | jq -c .)" '0 {"table":false,"elements":0,"sysctls":0,"keepers":0,"failed":0}'

# Flows that came while there were no rules: those of UDP move to the container, TCP stays where it is.
talker "$container" udp 53 container
talker $$ udp 53 host
talker $$ tcp 80 host
nft 'flush ruleset; add table ip other; add chain ip other c { type filter hook prerouting priority 0; }; add rule ip other c ct state established'
is 'while there are no rules, UDP gets to the host' "$(udp "$lan" 5000 192.0.2.1 53)" host
tcp "$lan" 5001 192.0.2.1 80
is 'and TCP' "$(says)" host
restore
is 'the rules are back' "$status" 0
is 'a flow of UDP moves to the container' "$(udp "$lan" 5000 192.0.2.1 53)" container
is 'a connection of TCP is not cut off' "$(says)" host

# What cannot be put back.
add --to 10.0.0.3 --id other 90:90 >/dev/null 2>&1
echo '{' >"$(find "$PORTPUB_RUNTIME_DIR" -name other.json)"
nft delete table inet portpub
restore
is 'beside a broken record, the others are put back; it fails' "$status $(answers)" "1 $all_answer"
has 'and names the broken one' "$err" 'other.json is no record'
restore
is 'also where nothing is missing' "$status $out" '1 nothing was missing'
has 'it is named' "$err" 'portpub: passed over: '
del other
nft 'delete element inet portpub any4 { tcp . 80 }; add element inet portpub any4 { tcp . 80 comment "mine" : 10.0.0.3 . 80 }; delete element inet portpub any6 { tcp . 80 }'
restore
is 'where somebody has put an element of their own, it stays, and the rest is put back' \
	"$status $out $(nft list map inet portpub any4 | grep -c mine)" '1 put back: 1 element 1'
is 'which is told' "$err" 'portpub: left in the kernel: any4 tcp . 80, which is not of web but of mine'
nft 'delete element inet portpub any4 { tcp . 80 }'
restore
is 'once that is gone, ours comes back' "$status $out$err" '0 put back: 1 element'

export ASAN_OPTIONS=detect_leaks=0 # which needs ptrace for itself
"$HELPERS/kill_at" 1 true >/dev/null 2>&1
if [ $? = 125 ]; then
	skip 'what was interrupted is undone' 'no ptrace here'
else
	"$HELPERS/kill_at" 12 "$PORTPUB" add --no-keeper --to 10.0.0.3 --id late 91:91 >/dev/null 2>&1
	restore
	has 'what was interrupted is undone' "$status $err" '0 portpub: undid late, which was interrupted'
fi

# What its keeper would have removed. Without a keeper it is for gc to say so.
machine && short=$machine
cable "$short" s0 10.0.0.4 fd00::4 10.0.0.1 fd00::1
ip link set s0 master br0
keep --id short --pid "$short" 93:93 >/dev/null 2>&1
add --id rules --to 10.0.0.3 --ttl 1ms 94:94 >/dev/null 2>&1
kill -STOP "$(keeper short)"
kill "$short" && wait "$short"
kill_keeper short
restore
is 'of a container that has ended nothing is put back, and what its keeper has left is removed' "$status $out $err" \
	'0 nothing was missing portpub: removed short, whose container has ended'
is 'but that' "$("$PORTPUB" list --json | jq -r '[.[].id] | join(" ")')" 'rules web'
del rules

restore web
is 'it takes no names' "$status" 2
run "$HELPERS/without_nf_tables" "$PORTPUB" restore
is 'without nf_tables it is not permitted' "$status" 4
PORTPUB_RUNTIME_DIR="$tap_tmp/others" restore
is 'it does not touch a table of other records' "$status $(answers)" "1 $all_answer"
del web
nft flush chain inet portpub guard
restore
is 'a damaged table is made anew also where nothing is published' "$status $out $("$PORTPUB" check)" '0 put back: the table inet portpub '
finish
