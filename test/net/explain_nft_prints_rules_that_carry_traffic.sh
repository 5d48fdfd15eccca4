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

# Nothing on this host listens: a closed port is refused (7), a lost packet is waited for (28).
refused='curl: 7' lost='curl: 28'
here='hello from container' there='hello from lan'
serve "$container" 3000 container
serve "$lan" 80 lan
serve "$lan" 85 lan

publish_all() {
	publish 80:3000 127.0.0.1:81:3000 192.0.2.1:82:3000 '[2001:db8::1]:83:3000/tcp' 192.0.2.2:85:3000 \
		'[2001:db8::2]:85:3000' 53:3000/udp
}
ok 'rules for every address load' publish_all
ok 'nft lists them in the words they were printed in' same_words
has 'the route to the container names the bridge' "$(cat "$tap_tmp/rules")" 'elements = { "br0" . "br0" }'
has 'the sysctl that goes with them is told' "$(cat "$tap_tmp/rules")" '# net.ipv4.conf.br0.route_localnet=1'
has 'forwarding is told of' "$(cat "$tap_tmp/rules")" '# ipv6 forwarding must be on for clients outside'
is 'a client outside keeps its IPv4 address' "$(ask "$lan" http://192.0.2.1/)" "$here, 192.0.2.2"
is 'a client outside keeps its IPv6 address' "$(ask "$lan" 'http://[2001:db8::1]/')" "$here, 2001:db8::2"
is 'the host reaches it by 127.0.0.1' "$(ask 0 http://127.0.0.1/)" "$here, 10.0.0.1"
is 'the host reaches it by any loopback address' "$(ask 0 http://127.200.0.9/)" "$here, 10.0.0.1"
is 'the host reaches it by its own address' "$(ask 0 http://192.0.2.1/)" "$here, 192.0.2.1"
is 'the host reaches it by its own IPv6 address' "$(ask 0 'http://[2001:db8::1]/')" "$here, 2001:db8::1"
serve $$ 80 host # where a keeper will listen
is 'a listener of the host does not get what the kernel carries' "$(ask 0 http://127.0.0.1/)" "$here, 10.0.0.1"
is '::1 is left to it' "$(ask 0 'http://[::1]/')" 'hello from host, ::1'
link=$(ip -6 -o addr show dev lan0 scope link | sed 's/.*inet6 \([^/]*\).*/\1/')
has 'link-local clients are left to it, too' "$(ask "$lan" "http://[$link%eth0]/")" 'hello from host, fe80::'
is 'a specific address answers by itself alone' \
	"$(ask "$lan" http://192.0.2.1:82/) / $(ask "$neighbour" http://10.0.0.1:82/)" "$here, 192.0.2.2 / $refused"
is 'a specific IPv6 address answers' "$(ask "$lan" 'http://[2001:db8::1]:83/')" "$here, 2001:db8::2"
is 'a port that is not published is not open' "$(ask "$lan" http://192.0.2.1:84/)" "$refused"

for called in 0 1; do
	if [ ! -e /proc/sys/net/bridge/bridge-nf-call-iptables ]; then
		skip "neighbours and the container, bridge-nf-call-iptables=$called" 'no br_netfilter here'
		continue
	fi
	echo $called >/proc/sys/net/bridge/bridge-nf-call-iptables
	echo $called >/proc/sys/net/bridge/bridge-nf-call-ip6tables
	publish_all
	if [ $called = 0 ]; then from=1; else from=3; fi
	is "a neighbour on the bridge reaches it, bridge-nf-call-iptables=$called" \
		"$(ask "$neighbour" http://10.0.0.1/)" "$here, 10.0.0.$from"
	is "a neighbour on the bridge reaches it by IPv6, bridge-nf-call-ip6tables=$called" \
		"$(ask "$neighbour" 'http://[fd00::1]/')" "$here, fd00::$from"
	at "$neighbour" ip route add 10.0.0.2/32 via 10.0.0.1
	is "what is not published keeps its address through the host, bridge-nf-call-iptables=$called" \
		"$(ask "$neighbour" http://10.0.0.2:3000/)" "$here, 10.0.0.3"
	at "$neighbour" ip route del 10.0.0.2/32
	if [ $called = 1 ]; then
		has 'what keeps the container from itself is told' "$(cat "$tap_tmp/rules")" 'ipv4 own is carried in userspace: what the container sends to itself does not come back'
		is 'and its own host port left to the host' "$(ask "$container" http://10.0.0.1/)" 'hello from host, 10.0.0.2'
		is 'by IPv6, too' "$(ask "$container" 'http://[fd00::1]/')" 'hello from host, fd00::2'
		ip link set c0 type bridge_slave hairpin on
		publish_all
	fi
	is "the container reaches itself, bridge-nf-call-iptables=$called" \
		"$(ask "$container" http://10.0.0.1/)" "$here, 10.0.0.1"
	is "the container reaches itself by IPv6, bridge-nf-call-ip6tables=$called" \
		"$(ask "$container" 'http://[fd00::1]/')" "$here, fd00::1"
	is "the same port of another machine is left alone, bridge-nf-call-iptables=$called" \
		"$(ask "$neighbour" http://192.0.2.2/)" "$there, 10.0.0.3"
	is "and by IPv6, bridge-nf-call-ip6tables=$called" "$(ask "$neighbour" 'http://[2001:db8::2]/')" "$there, fd00::3"
	is "an address that is not this host's is never taken, bridge-nf-call-iptables=$called" \
		"$(ask "$neighbour" http://192.0.2.2:85/) / $(ask "$neighbour" 'http://[2001:db8::2]:85/')" \
		"$there, 10.0.0.3 / $there, fd00::3"
done

at "$lan" ip route add 10.0.0.0/24 via 192.0.2.1
at "$lan" sh -c 'echo 1 >/proc/sys/net/ipv4/conf/eth0/route_localnet; ip addr del 127.0.0.1/8 dev lo
	ip route add 127.0.0.1/32 via 192.0.2.1 src 192.0.2.2'
is 'the container is reachable by its own addresses while it is published to all' \
	"$(ask "$lan" http://10.0.0.2:3000/) / $(ask "$lan" 'http://[fd00::2]:3000/')" \
	"$here, 192.0.2.2 / $here, 2001:db8::2"

ok 'rules for loopback alone load' publish 127.0.0.1:80:3000
ok 'nft lists those in the words they were printed in, too' same_words
is 'the host still reaches it' "$(ask 0 http://127.0.0.1/)" "$here, 10.0.0.1"
is 'a machine that routes 127.0.0.1 through the host does not' "$(ask "$lan" http://127.0.0.1/)" "$lost"
is 'nor by an address of the container' \
	"$(ask "$lan" http://10.0.0.2:3000/) / $(ask "$lan" 'http://[fd00::2]:3000/')" "$lost / $lost"
is 'a neighbour goes to the container directly, as before' "$(ask "$neighbour" http://10.0.0.2:3000/)" "$here, 10.0.0.3"

# A container that pretends to come from 127/8, or asks for it: the witness counts what gets past the guard.
at "$container" sh -c 'echo 1 >/proc/sys/net/ipv4/conf/eth0/route_localnet; ip addr del 127.0.0.1/8 dev lo
	ip addr add 127.200.0.2/32 dev eth0; ip route add 127.200.0.3/32 via 10.0.0.1 src 10.0.0.2'
nft 'add table ip witness; add chain ip witness in { type filter hook input priority 0; }
	add rule ip witness in iif != "lo" ip saddr 127.0.0.0/8 counter
	add rule ip witness in iif != "lo" ip daddr 127.0.0.0/8 counter'
witnessed() { nft list table ip witness | sed -n 's/.*counter packets \([0-9]*\) .*/\1/p' | tr '\n' ' '; }
spoof() {
	ask "$container" "$1" >/dev/null
	at "$container" curl -s --max-time 1 --interface 127.200.0.2 http://10.0.0.1:99/ >/dev/null
	at "$container" curl -s --max-time 1 http://127.200.0.3:99/ >/dev/null
}
spoof http://127.0.0.1/
is 'the host never sees 127/8 from a container, as source or destination' "$(witnessed)" '0 0 '
nft flush chain inet portpub guard
spoof http://127.0.0.1/
ok 'it is the guard that keeps both away' sh -c "echo '$(witnessed)' | grep -q '^[1-9][0-9]* [1-9]'"
is 'and the machine that routes 127.0.0.1' "$(ask "$lan" http://127.0.0.1/)" "$here, 192.0.2.2"
nft flush chain inet portpub direct
is 'it is the chain direct that keeps the addresses away' \
	"$(ask "$lan" http://10.0.0.2:3000/) / $(ask "$lan" 'http://[fd00::2]:3000/')" \
	"$here, 192.0.2.2 / $here, 2001:db8::2"

ok 'rules for loopback and for IPv6 load' publish 127.0.0.1:80:3000 '[2001:db8::1]:83:3000'
is 'what is open by IPv6 is still kept by IPv4' \
	"$(ask "$lan" http://10.0.0.2:3000/) / $(ask "$lan" 'http://[fd00::2]:3000/')" "$lost / $here, 2001:db8::2"

ok 'a range loads' publish 10001-11000:1-1000/udp
is 'with an element a port' "$(nft -j list map inet portpub any4 | jq '.nftables[1].map.elem | length')" 1000
ok 'userspace alone loads' publish --via userspace 127.0.0.1:80:3000
is 'with no element at all' "$(nft list ruleset | grep -c 'elements = ')" 0
ip link del br0
publish 80:3000 2>/dev/null
is 'without a route the rules load all the same' "$(nft list ruleset | grep -c packets)" 2
has 'and say so' "$(cat "$tap_tmp/rules")" '# no way to fd00::2: '
finish
