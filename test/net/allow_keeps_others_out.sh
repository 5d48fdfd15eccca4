#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# With --allow, clients of the networks on the list connect, and the host itself by each of its addresses; nobody else
# does, containers of this host included. A list of one family denies the other.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
export PORTPUB_RUNTIME_DIR="$tap_tmp/run"
lost='curl: 28' unheard='udp: no answer'

# The other bridge: other 10.1.0.2, fd01::2 --- 10.1.0.1, fd01::1 br1.
machine && other=$machine
ip link add br1 type bridge
ip addr add 10.1.0.1/24 dev br1
ip addr add fd01::1/64 dev br1 nodad
ip link set br1 up
cable "$other" o0 10.1.0.2 fd01::2 10.1.0.1 fd01::1
ip link set o0 master br1
serve "$container" 3000 container
serve_udp "$container" 3000 container
bridges_call() {
	for sysctl in /proc/sys/net/bridge/bridge-nf-call-ip*tables; do
		[ ! -e "$sysctl" ] || echo "$1" >"$sysctl"
	done
}
bridges_call 0

# both MACHINE ADDRESS [PORT]: by TCP and UDP at a time, with one second for each.
both() {
	if [ "$1" = 0 ]; then set -- "$$" "$2" "${3:-80}"; fi
	case $2 in
	*:*) url="http://[$2]:${3:-80}/" ;;
	*) url="http://$2:${3:-80}/" ;;
	esac
	ask_udp "$1" "$2" "${3:-80}" >"$tap_tmp/udp" &
	at "$1" curl -sS --max-time 1 "$url" 2>/dev/null || echo "curl: $?"
	wait $!
	cat "$tap_tmp/udp"
}
admits() { is "$1" "$(both "$2" "$3" "${5:-}" | paste -sd /)" "hello from container, $4/hello from container, $4"; }
drops() { is "$1" "$(both "$2" "$3" "${4:-}" | paste -sd /)" "$lost/$unheard"; }
host_is_admitted() {
	admits 'the host by 127.0.0.1' 0 127.0.0.1 10.0.0.1
	admits 'the host by the address of the bridge' 0 10.0.0.1 10.0.0.1
	admits 'the host by its own address' 0 192.0.2.1 192.0.2.1
	admits 'the host by its own IPv6 address' 0 2001:db8::1 2001:db8::1
	admits 'the host by the IPv6 address of the bridge' 0 fd00::1 fd00::1
}
add() {
	run "$PORTPUB" add --no-keeper --id web --replace --to 10.0.0.2,fd00::2 80:3000 80:3000/udp "$@"
	is "published with $*" "$status" 0
}
elements() { nft -j list set inet portpub "$1" | jq -c '[.nftables[1].set.elem[]?.elem.val.concat] | sort | map(.[-1])'; }

run "$PORTPUB" add --no-keeper --id free --to 10.0.0.2,fd00::2 81:3000 81:3000/udp
add --allow 192.0.2.2/32 --allow 192.0.2.0/25 --allow 192.0.2.0/24 --allow 198.51.100.7
is 'networks that overlap are one' "$(elements admit_any4) $(elements admit_any6)" \
	'["198.51.100.7",{"prefix":{"addr":"192.0.2.0","len":24}},"198.51.100.7",{"prefix":{"addr":"192.0.2.0","len":24}}] []'
admits 'a client of the network' "$lan" 192.0.2.1 192.0.2.2
admits 'a client of the network, by another address of the host' "$lan" 10.0.0.1 192.0.2.2
drops 'not a container on another bridge' "$other" 192.0.2.1
drops 'not a neighbour on the same bridge' "$neighbour" 10.0.0.1
drops 'not the container itself' "$container" 10.0.0.1
bridges_call 1
drops 'not a neighbour over a bridge that calls netfilter' "$neighbour" 10.0.0.1
bridges_call 0
drops 'not a client by IPv6, of which the list has none' "$lan" 2001:db8::1
drops 'not a neighbour by IPv6' "$neighbour" fd00::1
host_is_admitted
admits 'another port is open to all as before' "$other" 10.1.0.1 10.1.0.2 81
admits 'and by IPv6' "$other" fd01::1 fd01::2 81

add --allow 2001:db8::/64
admits 'a client of an IPv6 network' "$lan" 2001:db8::1 2001:db8::2
drops 'not a client of another one' "$other" 2001:db8::1
drops 'not a client by IPv4, of which the list has none' "$lan" 192.0.2.1
host_is_admitted

add --allow 10.1.0.0/16 --allow fd01::2
admits 'a container whose network is on the list' "$other" 10.1.0.1 10.1.0.2
admits 'a container whose IPv6 address is on the list' "$other" fd01::1 fd01::2
drops 'not a client outside' "$lan" 192.0.2.1
drops 'not a client outside by IPv6' "$lan" 2001:db8::1

serve $$ 80 keeper
is 'the host by ::1, where a keeper will listen' "$(ask 0 'http://[::1]/')" 'hello from keeper, ::1'

nft flush chain inet portpub admit
admits 'it is the chain admit that drops' "$lan" 192.0.2.1 192.0.2.2
admits 'and by IPv6' "$lan" 2001:db8::1 2001:db8::2
"$PORTPUB" del web
is 'nothing of the list is left' "$(for set in closed_any4 closed_any6 admit_any4 admit_any6; do elements $set; done | paste -sd /)" '[]/[]/[]/[]'
# The way round: the container's own address, which this host forwards to.
run "$PORTPUB" del --all
run "$PORTPUB" add --no-keeper --id some --to 10.0.0.2,fd00::2 --allow 198.51.100.0/24 88:3000 88:3000/udp
drops "not by the container's own address" "$lan" 10.0.0.2 3000
drops 'nor by its IPv6 address' "$lan" fd00::2 3000
run "$PORTPUB" add --no-keeper --id free --to 10.0.0.2,fd00::2 81:3000 81:3000/udp
admits 'which is open while the same port is published for all' "$lan" 10.0.0.2 192.0.2.2 3000
run "$PORTPUB" del --all

# Ports of one address, and ports side by side, which are one range.
for port in 90 91; do
	for protocol in tcp udp; do
		echo "192.0.2.1:$port:3000/$protocol" "[2001:db8::1]:$port:3000/$protocol" "$((port + 5)):3000/$protocol"
	done
done >"$tap_tmp/specs"
# shellcheck disable=SC2046 # words are wanted
run "$PORTPUB" add --no-keeper --id web --to 10.0.0.2,fd00::2 --allow 192.0.2.0/24 --allow 2001:db8::/64 $(cat "$tap_tmp/specs")
is 'ports side by side are one range' "$(nft -j list ruleset | jq -r '.nftables[].set | select(.name? | startswith("admit")?) |
	"\(.name) \(.elem[].elem.val.concat | "\(.[1]) \(.[0].range | join("-"))")"' | sort | paste -sd ,)" \
	'admit_any4 tcp 95-96,admit_any4 udp 95-96,admit_any6 tcp 95-96,admit_any6 udp 95-96,admit_host4 tcp 90-91,admit_host4 udp 90-91,admit_host6 tcp 90-91,admit_host6 udp 90-91'
for port in 90 91 95 96; do
	admits "a client of the network, at port $port" "$lan" 192.0.2.1 192.0.2.2 $port
	admits "a client of the IPv6 network, at port $port" "$lan" 2001:db8::1 2001:db8::2 $port
	drops "not a container on another bridge, at port $port" "$other" 192.0.2.1 $port
	drops "not by IPv6, at port $port" "$other" 2001:db8::1 $port
done
run "$PORTPUB" check
is 'check finds no difference' "$status $out$err" '0 '
run "$PORTPUB" del 192.0.2.1:90:3000
is 'a port of a range can go' "$status $(nft list set inet portpub admit_host4 | grep -o '9[0-9-]* [.] tcp')" '0 91 . tcp'
run "$PORTPUB" check
is 'and check finds no difference' "$status $out$err" '0 '
admits 'the other port is as it was for the network' "$lan" 192.0.2.1 192.0.2.2 91
drops 'and for others' "$other" 192.0.2.1 91
finish
