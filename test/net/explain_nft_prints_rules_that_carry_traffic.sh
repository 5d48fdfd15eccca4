#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What `explain --nft` prints is what nft loads, lists again in the same words, and the kernel obeys.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"

# publish SPEC...: as an operator would by hand, sysctl included.
publish() {
	nft flush ruleset
	"$PORTPUB" explain --nft --to 10.0.0.2,fd00::2 "$@" >"$tap_tmp/rules" &&
		nft -f "$tap_tmp/rules" && echo 1 >/proc/sys/net/ipv4/conf/br0/route_localnet
}

# Rules in their order; elements in any, a hash has none.
words() {
	tr -s ' ,\t' '\n' | grep -v '^$' | if [ "$1" = elements ]; then sed '/^chain$/,$d' | sort; else sed -n '/^chain$/,$p'; fi
}

same_words() {
	for part in elements chains; do
		grep -v '^#' "$tap_tmp/rules" | words $part >"$tap_tmp/printed"
		nft list ruleset | words $part | diff "$tap_tmp/printed" - || return 1
	done
}

serve "$container" 3000

ok 'rules for every address load' publish 80:3000 127.0.0.1:81:3000 192.0.2.1:82:3000 '[2001:db8::1]:83:3000/tcp' 53:3000/udp
ok 'nft lists them in the words they were printed in' same_words
has 'the route to the container names the bridge' "$(cat "$tap_tmp/rules")" 'elements = { "br0" . "br0" }'
has 'the sysctl that goes with them is told' "$(cat "$tap_tmp/rules")" '# net.ipv4.conf.br0.route_localnet=1'
is 'a client outside keeps its IPv4 address' "$(ask "$lan" http://192.0.2.1/)" 'hello from the container, 192.0.2.2'
is 'a client outside keeps its IPv6 address' "$(ask "$lan" 'http://[2001:db8::1]/')" \
	'hello from the container, 2001:db8::2'
is 'the host reaches it by 127.0.0.1' "$(ask 0 http://127.0.0.1/)" 'hello from the container, 10.0.0.1'
is 'the host reaches it by its own address' "$(ask 0 http://192.0.2.1/)" 'hello from the container, 192.0.2.1'
for called in 0 1; do
	if [ ! -e /proc/sys/net/bridge/bridge-nf-call-iptables ]; then
		skip "a neighbour on the bridge reaches it, bridge-nf-call-iptables=$called" 'no br_netfilter here'
		continue
	fi
	echo $called >/proc/sys/net/bridge/bridge-nf-call-iptables
	echo $called >/proc/sys/net/bridge/bridge-nf-call-ip6tables
	if [ $called = 0 ]; then from=1; else from=3; fi
	is "a neighbour on the bridge reaches it, bridge-nf-call-iptables=$called" \
		"$(ask "$neighbour" http://10.0.0.1/)" "hello from the container, 10.0.0.$from"
	is "a neighbour on the bridge reaches it by IPv6, bridge-nf-call-ip6tables=$called" \
		"$(ask "$neighbour" 'http://[fd00::1]/')" "hello from the container, fd00::$from"
done
is 'a specific address answers by itself alone' \
	"$(ask "$lan" http://192.0.2.1:82/) / $(ask "$neighbour" http://10.0.0.1:82/)" \
	'hello from the container, 192.0.2.2 / curl: 7'
is 'a specific IPv6 address answers' "$(ask "$lan" 'http://[2001:db8::1]:83/')" 'hello from the container, 2001:db8::2'
is 'a port that is not published is not open' "$(ask "$lan" http://192.0.2.1:84/)" 'curl: 7'

serve "$lan" 80
is 'the same port of another machine is left alone' "$(ask "$neighbour" http://192.0.2.2/)" \
	'hello from the container, 10.0.0.3'

at "$lan" ip route add 10.0.0.0/24 via 192.0.2.1
at "$lan" sh -c 'echo 1 >/proc/sys/net/ipv4/conf/eth0/route_localnet; ip addr del 127.0.0.1/8 dev lo
	ip route add 127.0.0.1/32 via 192.0.2.1 src 192.0.2.2'
is 'the container is reachable by its own address while it is published to all' \
	"$(ask "$lan" http://10.0.0.2:3000/)" 'hello from the container, 192.0.2.2'

ok 'rules for loopback alone load' publish 127.0.0.1:80:3000
ok 'nft lists those in the words they were printed in, too' same_words
is 'the host still reaches it' "$(ask 0 http://127.0.0.1/)" 'hello from the container, 10.0.0.1'
is 'a machine that routes 127.0.0.1 through the host does not' "$(ask "$lan" http://127.0.0.1/)" 'curl: 28'
is 'nor by the address of the container' "$(ask "$lan" http://10.0.0.2:3000/)" 'curl: 28'
is 'a neighbour goes to the container directly, as before' "$(ask "$neighbour" http://10.0.0.2:3000/)" \
	'hello from the container, 10.0.0.3'
nft flush chain inet portpub guard
is 'it is the guard that keeps it away' "$(ask "$lan" http://127.0.0.1/)" 'hello from the container, 192.0.2.2'
nft flush chain inet portpub direct
is 'it is the chain direct that keeps the address away' "$(ask "$lan" http://10.0.0.2:3000/)" \
	'hello from the container, 192.0.2.2'

ok 'a range loads' publish 10001-11000:1-1000/udp
is 'with an element a port' "$(nft -j list map inet portpub any4 | jq '.nftables[1].map.elem | length')" 1000
ok 'userspace alone loads' publish --via userspace 127.0.0.1:80:3000
is 'with no element at all' "$(nft list ruleset | grep -c 'elements = ')" 0
ip link del br0
publish 80:3000 2>/dev/null
is 'without a route the rules load all the same' "$(nft list ruleset | grep -c packets)" 2
has 'and say so' "$(cat "$tap_tmp/rules")" '# no way to fd00::2: '
finish
