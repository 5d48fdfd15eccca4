#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What a CNI runtime adds has no keeper: portpub watch puts it back when somebody flushes the rulesets, conditions and
# masquerade included, and established connections go on.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../publish.sh"
. "${0%/*}/../cni.sh"
. "${0%/*}/../forward.sh"
. "${0%/*}/../watch.sh"

for port in 81 82 83; do serve "$container" $port web; done
serve "$neighbour" 80 other
for port in 8081 8082 8083 8084; do serve $$ $port host; done
nsenter -t "$container" -n "$HELPERS/keepalive" serve 90 >"$tap_tmp/serves" &
pids="$pids $!"
until_true grep -q ready "$tap_tmp/serves"

# attach CONTAINER HOST_PORT CONTAINER_PORT KEYS
attach() {
	ports=$(mapping "$2" "$3") keys=$4
	cni ADD "$1" >/dev/null 2>"$tap_tmp/warnings"
}
both='{"interface": 1, "address": "10.0.0.2/24"}, {"interface": 1, "address": "fd00::2/64"}'
ips=$both
attach plain 8080 90 '' && attach source 8081 81 '"conditionsV4": ["-s", "192.0.2.0/24"], "conditionsV6": ["!", "-s", "2001:db8::/64"]'
attach interface 8082 82 '"conditionsV4": ["-i", "br0"]'
attach all 8083 83 '"masqAll": true'
ips='{"interface": 1, "address": "10.0.0.3/24"}'
attach never 8084 80 '"snat": false'
# A second network of the container waits for what the first has.
network=second ips=$both
attach plain 8080 90 ''
network=net

answers() {
	ask "$lan" http://192.0.2.1:8081/ && ask "$neighbour" http://192.0.2.1:8081/ && ask "$lan" 'http://[2001:db8::1]:8081/'
	ask "$lan" http://192.0.2.1:8082/ && ask "$neighbour" http://192.0.2.1:8082/
	ask "$lan" http://192.0.2.1:8083/ && ask "$lan" 'http://[2001:db8::1]:8083/'
	ask "$lan" http://192.0.2.1:8084/ && ask "$container" http://10.0.0.1:8084/
}
answers >"$tap_tmp/answers"
is 'each is as its network asks for' "$(tr '\n' ';' <"$tap_tmp/answers")" "hello from web, 192.0.2.2;hello from host, 10.0.0.3;hello from host, 2001:db8::2;hello from host, 192.0.2.2;hello from web, 10.0.0.3;hello from web, 10.0.0.1;hello from web, fd00::1;hello from other, 192.0.2.2;hello from other, 10.0.0.2;"
is 'five have ports, and one waits' "$("$PORTPUB" list --json | jq -c '[.[].publications | length] | sort')" '[0,1,1,1,1,1]'
nft -s list table inet portpub >"$tap_tmp/before"

watch
crowd_asks 8080
for damage in 'flush ruleset' 'delete table inet portpub' 'flush set inet portpub when4' 'flush set inet portpub some4' \
	'flush set inet portpub some6' 'flush set inet portpub when6' 'flush set inet portpub bound4' 'flush set inet portpub via4' \
	'flush set inet portpub masked4' 'flush set inet portpub masked6' 'flush set inet portpub plain4' 'flush map inet portpub any4'; do
	nft "$damage"
	all_back
	nft -s list table inet portpub | diff "$tap_tmp/before" - >"$tap_tmp/diff"
	is "$damage: all is back" "$(cat "$tap_tmp/diff")" ''
	answers | diff "$tap_tmp/answers" - >"$tap_tmp/diff"
	is "$damage: it answers as it did" "$(cat "$tap_tmp/diff")" ''
done
crowd_ends
is 'no established connection is broken' "$broken" '64 connections, 0 broken'

# What the plugin does itself is no reason to look, by whatever name it is called.
"$HELPERS/transactions" >"$tap_tmp/transactions" &
pids="$pids $!"
until_true grep -q ready "$tap_tmp/transactions"
ln -s "$PORTPUB" "$tap_tmp/portmap"
plugin="$tap_tmp/portmap"
attach plain 8085 90 ''
attach plain 8080 90 ''
until_true grep -q portpub "$tap_tmp/transactions"
is 'as portmap it is one of ours' "$(grep -c portmap "$tap_tmp/transactions")" 0
plugin=$PORTPUB
network=second keys=
run cni DEL plain
network=net
run cni CHECK plain
is 'CHECK agrees' "$status $out" '0 '
for id in plain source interface all never; do cni DEL $id; done
is 'DEL takes everything' "$(left_over)" ''
ends TERM
is 'and watch ends' "$status" 0
finish
