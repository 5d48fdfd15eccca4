#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A port that is published on 127.0.0.1 is for this host alone, and nothing that is needed for it opens what listens
# on 127.0.0.1 to anybody else: not to machines that route 127.0.0.1 here, not to a container that sends what it likes.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
: "${HELPERS:?the programs of test/net}"
export PORTPUB_RUNTIME_DIR="$tap_tmp/run"
here='hello from container' lost='curl: 28' unheard='udp: no answer'
localnet=/proc/sys/net/ipv4/conf/br0/route_localnet

machine && other=$machine
ip link add br1 type bridge
ip addr add 10.1.0.1/24 dev br1
ip addr add fd01::1/64 dev br1 nodad
ip link set br1 up
cable "$other" o0 10.1.0.2 fd01::2 10.1.0.1 fd01::1
ip link set o0 master br1

serve "$container" 3000 container
serve_udp "$container" 3000 container
serve_udp $$ 99 secret 127.0.0.1
serve_udp $$ 98 open

# try MACHINE URL: as ask does, with less patience.
try() {
	if [ "$1" = 0 ]; then set -- "$$" "$2"; fi
	at "$1" curl -sS --max-time 1 "$2" 2>/dev/null || echo "curl: $?"
}

# Of the packets that RAW sends: what comes in, what of it the host takes, and what gets to the container.
nft 'add table ip witness
	add chain ip witness in { type filter hook prerouting priority -400; }
	add rule ip witness in iif != "lo" th sport 1000-1099 counter comment "arrived"
	add chain ip witness taken { type filter hook input priority 300; }
	add rule ip witness taken iif != "lo" th sport 1000-1099 counter comment "taken"
	add chain ip witness out { type filter hook forward priority 300; }
	add rule ip witness out th sport 1000-1099 counter comment "passed"'
count() { nft list table ip witness | sed -n "s/.*counter packets \([0-9]*\) .* comment \"$1\".*/\1/p"; }
arrived() { [ "$(count arrived)" -ge "$1" ]; }

mac_of() { ip -o link show "$1" | sed 's/.*link\/ether \([^ ]*\).*/\1/'; }
br0=$(mac_of br0) lan0=$(mac_of lan0)

# attack MACHINE MAC OWN HOST: eight packets with 127/8 as source, destination, or both.
attack() {
	base=$(count arrived) taken=$(count taken) passed=$(count passed)
	for protocol in udp tcp; do
		at "$1" "$HELPERS/raw" eth0 "$2" $protocol "$3" 1000 127.0.0.1 99
		at "$1" "$HELPERS/raw" eth0 "$2" $protocol "$3" 1001 127.0.0.1 80
		at "$1" "$HELPERS/raw" eth0 "$2" $protocol 127.0.0.2 1002 "$4" 98
		at "$1" "$HELPERS/raw" eth0 "$2" $protocol 127.0.0.1 1003 127.0.0.1 99
	done
	until_true arrived $((base + 8))
	result="arrived $(($(count arrived) - base)), taken $(($(count taken) - taken)), passed $(($(count passed) - passed))"
}
kept_out='arrived 8, taken 0, passed 0'
heard() { grep -v ready "$tap_tmp/heard$1" | sort | uniq -c | tr -s ' \n' ' '; }

attack "$container" "$br0" 10.0.0.2 10.0.0.1
is 'before anything is published, the kernel keeps a container from 127/8' "$result" "$kept_out"
is 'the container is reached by its own addresses, as long as nothing is published' \
	"$(ask "$lan" http://10.0.0.2:3000/) / $(ask_udp "$lan" fd00::2 3000)" "$here, 192.0.2.2 / $here, 2001:db8::2"

ok 'a port is published for this host' "$PORTPUB" add --no-keeper --id web --to 10.0.0.2,fd00::2 \
	127.0.0.1:80:3000 127.0.0.1:80:3000/udp
is 'this host reaches it' "$(ask 0 http://127.0.0.1/) / $(ask_udp 0 127.0.0.1 80)" "$here, 10.0.0.1 / $here, 10.0.0.1"
is 'the kernel routes 127/8 to the bridge now' "$(cat $localnet)" 1
bridges_call() {
	for sysctl in /proc/sys/net/bridge/bridge-nf-call-ip*tables; do
		[ ! -e "$sysctl" ] || echo "$1" >"$sysctl"
	done
}
for called in 1 0; do
	bridges_call $called
	attack "$container" "$br0" 10.0.0.2 10.0.0.1
	is "the guard keeps a container from 127/8, bridge-nf-call $called" "$result" "$kept_out"
done
attack "$lan" "$lan0" 192.0.2.2 192.0.2.1
is 'and a machine outside' "$result" "$kept_out"
is 'what listens on this host has heard of nobody' "$(heard secret99)$(heard open98)" ''

at "$lan" sh -c 'echo 1 >/proc/sys/net/ipv4/conf/eth0/route_localnet; ip addr del 127.0.0.1/8 dev lo
	ip route add 127.0.0.1/32 via 192.0.2.1 src 192.0.2.2'
is 'a machine that routes 127.0.0.1 through this host does not reach the port' \
	"$(try "$lan" http://127.0.0.1/) / $(ask_udp "$lan" 127.0.0.1 80)" "$lost / $unheard"
is 'nor by other addresses of this host' \
	"$(try "$lan" http://192.0.2.1/) / $(try "$neighbour" http://10.0.0.1/) / $(try 0 http://10.0.0.1/)" \
	'curl: 7 / curl: 7 / curl: 7'
# tried WHO MACHINE SHOULD SHOULD6: the container's own addresses.
tried() {
	is "$1 by IPv4" "$(try "$2" http://10.0.0.2:3000/) / $(ask_udp "$2" 10.0.0.2 3000)" "$3"
	is "$1 by IPv6" "$(try "$2" 'http://[fd00::2]:3000/') / $(ask_udp "$2" fd00::2 3000)" "$4"
}
tried 'nor does it reach the container' "$lan" "$lost / $unheard" "$lost / $unheard"
tried 'nor does a container on another bridge' "$other" "$lost / $unheard" "$lost / $unheard"
for called in 1 0; do
	bridges_call $called
	tried "a neighbour reaches the container, as before, bridge-nf-call $called," "$neighbour" \
		"$here, 10.0.0.3 / $here, 10.0.0.3" "$here, fd00::3 / $here, fd00::3"
done
tried 'and so does this host' 0 "$here, 10.0.0.1 / $here, 10.0.0.1" "$here, fd00::1 / $here, fd00::1"
# pretend: from outside, to be a neighbour of the container's.
pretend() {
	base=$(count arrived) passed=$(count passed)
	at "$lan" "$HELPERS/raw" eth0 "$lan0" udp 10.0.0.3 1010 10.0.0.2 3000
	at "$lan" "$HELPERS/raw" eth0 "$lan0" tcp 10.0.0.3 1010 10.0.0.2 3000
	until_true arrived $((base + 2))
	result="arrived $(($(count arrived) - base)), passed $(($(count passed) - passed))"
}
pretend
is 'who pretends to be a neighbour from outside is not let in' "$result" 'arrived 2, passed 0'

nft 'add table ip another; add chain ip another in { type nat hook prerouting priority dstnat; }
	add rule ip another in ip daddr 192.0.2.1 tcp dport 8000 dnat to 10.0.0.2:3000'
is 'what others publish of the container stays open' "$(try "$lan" http://192.0.2.1:8000/)" "$here, 192.0.2.2"
nft delete table ip another
ok 'the same port of the container is published for others, by IPv4' "$PORTPUB" add --no-keeper --id out \
	--to 10.0.0.2,fd00::2 192.0.2.1:82:3000
is 'then that is all there is to keep to this host' \
	"$(try "$lan" http://10.0.0.2:3000/) / $(ask_udp "$lan" 10.0.0.2 3000) / $(try "$lan" 'http://[fd00::2]:3000/')" \
	"$here, 192.0.2.2 / $unheard / $lost"
"$PORTPUB" del out
is 'and it is kept again when that is over' "$(try "$lan" http://10.0.0.2:3000/)" "$lost"

"$PORTPUB" del web
is 'the sysctl is put back' "$(cat $localnet)" 0
attack "$container" "$br0" 10.0.0.2 10.0.0.1
is 'when nothing is published any longer, a container is kept from 127/8' "$result" "$kept_out"
tried 'and all may reach the container again' "$lan" "$here, 192.0.2.2 / $here, 192.0.2.2" "$here, 2001:db8::2 / $here, 2001:db8::2"
is 'nobody has been heard of meanwhile' "$(heard secret99)$(heard open98)" ''

# Were it not for the rules, each of these would get through.
"$PORTPUB" add --no-keeper --id web --to 10.0.0.2,fd00::2 127.0.0.1:80:3000 127.0.0.1:80:3000/udp >/dev/null
nft flush chain inet portpub guard
attack "$container" "$br0" 10.0.0.2 10.0.0.1
is 'without the guard, 127/8 from a container gets in' "$result" 'arrived 8, taken 4, passed 2'
both_heard() { [ "$(heard secret99)$(heard open98)" = ' 1 10.0.0.2  1 127.0.0.2 ' ]; }
ok 'and is heard by what listens on 127.0.0.1' until_true both_heard
is 'the machine outside reaches the port' "$(try "$lan" http://127.0.0.1/)" "$here, 192.0.2.2"
nft flush chain inet portpub direct
tried 'and the container' "$lan" "$here, 192.0.2.2 / $here, 192.0.2.2" "$here, 2001:db8::2 / $here, 2001:db8::2"
pretend
is 'and so does who pretends to be a neighbour' "$result" 'arrived 2, passed 2'
finish
