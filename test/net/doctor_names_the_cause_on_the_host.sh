#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Each fault of the host or the container is staged, named, and cured by what the doctor says.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../doctor.sh"
bridge_calls() { echo "$1" >/proc/sys/net/bridge/bridge-nf-call-iptables; }
bridge_calls 0 2>/dev/null
serve "$container" 80 container
publish web 80:80
publish local 127.0.0.1:81:80
publish web4 192.0.2.1:82:80
publish web6 '[2001:db8::1]:82:80'
well 'at first all is well'

sysctl -qw net.ipv4.ip_forward=0
sick 'IPv4 forwarding is off' web4 'net.ipv4.ip_forward is 0'
has 'which a client outside has felt' "$out" 'from outside to 192.0.2.1:82: no answer'
has 'and this host has not' "$out" 'from this host to 192.0.2.1:82: connected'
is 'nor is it a problem of others' "$("$PORTPUB" doctor local >/dev/null; "$PORTPUB" doctor web6 >/dev/null; echo $?)" 0
cure
well 'IPv4 forwarding is on again' web4

sysctl -qw net.ipv4.conf.br0.forwarding=0
sick 'the bridge to the container does not forward' web4 'net.ipv4.conf.br0.forwarding is 0'
cure
well 'the bridge forwards again' web4

sysctl -qw net.ipv4.conf.lan0.forwarding=0
sick 'where clients come in nothing is forwarded' web4 'net.ipv4.conf.lan0.forwarding is 0: what clients send'
is 'which is not the problem of IPv6, nor of loopback' "$("$PORTPUB" doctor web6 >/dev/null && "$PORTPUB" doctor local >/dev/null; echo $?)" 0
cure
well 'it is forwarded again' web4

ip link add other type veth peer name rehto
ip addr add 203.0.113.1/24 dev other
sysctl -qw net.ipv4.conf.other.forwarding=0
well 'who asks for an address is not kept out by the interface of another one' web4
sick 'who asks for any is' web 'net.ipv4.conf.other.forwarding is 0'
cure
well 'and is not any longer' web
ip link del other

sysctl -qw net.ipv6.conf.all.forwarding=0
sick 'IPv6 forwarding is off' web6 'is not forwarded'
cure
well 'IPv6 forwarding is on again' web6
sysctl -qw net.ipv6.conf.all.forwarding=1
if [ -e /proc/sys/net/ipv6/conf/br0/force_forwarding ]; then
	sysctl -qw net.ipv6.conf.all.forwarding=0
	for interface in br0 lan0; do
		sysctl -qw net.ipv6.conf.br0.force_forwarding=1 net.ipv6.conf.lan0.force_forwarding=1
		sysctl -qw net.ipv6.conf.$interface.force_forwarding=0
		sick "IPv6 is not forwarded from $interface" web6 "net.ipv6.conf.$interface.force_forwarding is 0"
		cure
		well "IPv6 is forwarded from $interface again" web6
	done
else
	skip 'IPv6 forwarding by interface' 'this kernel has no force_forwarding'
fi
sysctl -qw net.ipv6.conf.all.forwarding=1

sysctl -qw net.ipv4.conf.br0.route_localnet=0
sick 'route_localnet is off' local 'net.ipv4.conf.br0.route_localnet is 0'
has 'which this host has felt' "$out" 'from this host to 127.0.0.1:81: no answer'
cure
well 'route_localnet is on again' local

ip route del 10.0.0.0/24 dev br0
sick 'there is no route to the container' web4 'no way to 10.0.0.2: Network is unreachable'
cure
well 'there is a route again' web4
ip route del 10.0.0.2 dev br0
ip route add default via 192.0.2.2
sick 'the default route is none to the container' web4 'no route to 10.0.0.2: the default route leads to 10.0.0.2 by lan0'
cure
well 'there is a better route again' web4
ip route del default
ip route del 10.0.0.2
ip route add 10.0.0.0/24 dev br0 src 10.0.0.1
ip link set br0 down
sick 'the bridge is down' web4 'no way to 10.0.0.2'
cure
well 'the bridge is up again' web4
ip route replace 10.0.0.0/24 dev br0 src 10.0.0.1
ip addr add fd00::1/64 dev br0 nodad # IPv6 does not keep it

for kind in blackhole unreachable; do
	ip route replace $kind 10.0.0.2
	sick "a route is $kind" web4 'no way to 10.0.0.2'
	cure
	well "it is none of $kind any longer" web4
	ip route del 10.0.0.2
done
ip -6 route add blackhole fd00::2
sick 'a route for IPv6 is a blackhole' web6 'no way to fd00::2'
ip -6 route del blackhole fd00::2
well 'it is none of IPv6 any longer' web6

ip addr del 192.0.2.1/24 dev lan0
sick 'the published address is not here any longer' web4 '192.0.2.1 is no address of this host'
has 'at which it cannot be tried' "$out" 'web4 192.0.2.1:82:80/tcp: not tried'
ip addr add 192.0.2.1/24 dev lan0
well 'it is here again' web4

at "$container" ip route del default via 10.0.0.1
sick 'the container has no way back' web4 'has no route to clients outside'
cure
well 'it has one again' web4

at "$container" ip link set eth0 down
ip neigh flush all
sick 'the container is off its network' web4 'nobody on br0 says that he has 10.0.0.2'
at "$container" ip link set eth0 up
at "$container" ip route add default via 10.0.0.1
at "$container" ip addr add fd00::2/64 dev eth0 nodad
at "$container" ip -6 route replace default via fd00::1
ip neigh flush all
until_true "$PORTPUB" doctor web4
well 'it is back' web4

# Asymmetric: what the container answers takes another cable than what it is asked, and that one is strict.
ip link add c1 type veth peer name eth1 netns "$container"
ip link set c1 up
ip addr add 10.9.0.1/24 dev c1
at "$container" ip link set eth1 up
at "$container" ip addr add 10.9.0.2/24 dev eth1
at "$container" ip route replace default via 10.9.0.1 dev eth1
sysctl -qw net.ipv4.conf.c1.rp_filter=1
sick 'answers come in by an interface that is strict' web4 'the container answers by another interface than it is asked by, and rp_filter is strict on c1'
cure
until_true "$PORTPUB" doctor web4 # whoever was not heard has to ask again
well 'it is loose now' web4
at "$container" ip route replace default via 10.0.0.1 dev eth0
ip link del c1

kill "$server"
sick 'nothing listens in the container' web4 'nothing listens on 80/tcp in the container'
has 'which this host has felt' "$out" 'from this host to 192.0.2.1:82: refused'
nsenter -t "$container" -n "$HELPERS/hold" tcp 127.0.0.1 80 >/dev/null &
holder=$!
pids="$pids $holder"
listens() { at "$container" ss -Hltn 'sport = 80' | grep -q "$1"; }
until_true listens 127.0.0.1
sick 'it listens on its own loopback alone' web4 'at its own loopback address alone'
kill "$holder"
at "$container" ip addr add 10.0.0.9/24 dev eth0
nsenter -t "$container" -n "$HELPERS/hold" tcp 10.0.0.9 80 >/dev/null &
holder=$!
pids="$pids $holder"
until_true listens 10.0.0.9
sick 'it listens on another address' web4 'is listened on at other addresses than the published one'
kill "$holder"
publish names 53:53/udp
sick 'nothing takes datagrams' names 'nothing listens on 53/udp in the container'
"$PORTPUB" del names 2>/dev/null
serve "$container" 80 container
well 'it listens on all of them' web4

"$HELPERS/hold" tcp 192.0.2.1 82 >/dev/null &
holder=$!
pids="$pids $holder"
until_true sh -c "ss -Hltn 'sport = 82' | grep -q 192.0.2.1"
well 'a process that has the same port is none of its problems' web4
has 'but told' "$out" "note: port 82/tcp is also in use by hold (pid $holder)"
kill "$holder"

nsenter -t "$container" -n sleep 300 &
late=$!
is_in() { [ "$(readlink "/proc/$1/ns/net")" = "$(readlink "/proc/$2/ns/net")" ]; }
until_true is_in $late "$container"
ok 'published for a process' "$PORTPUB" add --no-keeper --id late --pid $late 192.0.2.1:84:80
well 'while it is there all is well' late
sed -i "s/\"pid\":[0-9]*/\"pid\":$late/;s/\"pid\": [0-9]*/\"pid\": $late/" "$PORTPUB_RUNTIME_DIR"/*/late* 2>/dev/null ||
	sed -i "s/\"pid\": *[0-9]*/\"pid\": $late/" "$PORTPUB_RUNTIME_DIR"/late*
kill $late
wait $late 2>/dev/null
sick 'the process is gone, and somebody has its address' late "the process $late it was published for is gone: its address is that of "
cure
well 'it is published for whoever has the address' late
"$PORTPUB" del late 2>/dev/null
at "$container" nft 'table inet own { chain in { type filter hook input priority 0; tcp dport 80 drop; }; }'
sick 'the container'"'"'s own firewall drops' web4 'packets from this host leave for the container, and are not answered'
at "$container" nft delete table inet own

nft delete element inet portpub host4 '{ tcp . 192.0.2.1 . 82 }'
sick 'an element is missing' web4 'missing in the kernel: host4 tcp . 192.0.2.1 . 82'
is 'which is nobody else'"'"'s problem' "$("$PORTPUB" doctor web6 >/dev/null; echo $?)" 0
cure
well 'it is there again' web4
nft flush chain inet portpub output
sick 'rules are missing' local 'somebody has changed the rules of the table inet portpub'
cure
well 'they are there again' local
nft flush ruleset
sick 'somebody has flushed the ruleset' local 'missing in the kernel: the table inet portpub'
cure
well 'it is there again, with all that is published'

nft flush chain inet portpub guard
sick 'the guard is gone' local 'somebody has changed the rules'
has 'and a client outside has got in' "$out" 'from outside to 127.0.0.1:81: got in'
cure
well 'it is guarded again' local

if [ -e /proc/sys/net/bridge/bridge-nf-call-iptables ]; then
	bridge_calls 1
	sick 'the bridge does not send back any longer' web4 'the bridge br0 no longer sends back'
	cure
	well 'it is left to whoever else listens' web4
	bridge_calls 0
	run "$PORTPUB" doctor web4
	has 'it would again' "$out" 'note: the bridge br0 sends back now'
else
	skip 'a bridge that has changed its mind' 'no br_netfilter here'
fi
finish
