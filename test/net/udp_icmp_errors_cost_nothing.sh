#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Where nothing listens in the container, its ICMP errors end no flow, and cost no datagram that comes when something
# does; neither do those of clients that have gone.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../forward.sh"

# refused ADDRESS: twice, so that the flow's socket has an error to tell; the forwarder has heard of them.
refused() {
	is "$1: nobody answers where nothing listens" "$(who "$lan" 9000 7000 "$1" "$1" | paste -sd ' ')" 'lost lost'
}

forward --to 10.0.0.2,fd00::2 7000-7001:7000-7001/udp
for address in 192.0.2.1 2001:db8::1; do
	refused $address
	datagrams_at "$container" :: 7000
	first=$(who "$lan" 9000 7000 $address)
	has "$address: the first datagram after that is delivered" "$first" " $address"
	kill "$datagrams"
	wait "$datagrams" 2>"$tap_tmp/ignored"
	refused $address
	datagrams_at "$container" :: 7000
	is "$address: so is the first after the server was away, in the same flow" "$(who "$lan" 9000 7000 $address)" "$first"
	is "$address: each of a burst is" "$(burst "$lan" $address 7000 1000x40 0 7)" all
	kill "$datagrams"
	wait "$datagrams" 2>"$tap_tmp/ignored"
done
# One of the client, and one of the burst, for each family.
is 'it was as many flows' "$(counted flows flows_open)" ' flows 4 flows_open 4'
# Of datagrams that are sent at once, the error of one is told by the call that sends the next.
# unheard: how many the container has refused so far.
# shellcheck disable=SC2016 # the variables are awk's
unheard() { at "$container" awk '/^Udp: [0-9]/ { n += $3 } /^Udp6NoPorts/ { n += $2 } END { print n }' /proc/net/snmp /proc/net/snmp6; }
have_come() { [ "$(unheard)" -ge "$1" ]; }
for address in 192.0.2.1 2001:db8::1; do
	before=$(unheard)
	kill -STOP "$engine"
	burst "$lan" $address 7000 1 2 3 4 5 6 7 8 >"$tap_tmp/ignored"
	kill -CONT "$engine"
	until_true have_come $((before + 8))
	is "$address: each of many is tried" "$(($(unheard) - before))" 8
done
is 'and none is lost' "$(counted lost)" ' lost 0/0'

# An error that comes when the next datagram is already there, and a server for that one.
waits() { ss -Huln 'sport = :7000' | awk '{ n += $2 } END { exit n == 0 }'; }
at "$container" ip link set eth0 arp off
ip neigh flush to 10.0.0.2
before=$(unheard)
is 'a datagram waits for its way' "$(who "$lan" 9000 7000 192.0.2.1) $(($(unheard) - before))" 'lost 0'
kill -STOP "$engine"
nsenter -t "$lan" -n "$HELPERS/datagrams" ask 9000 7000 192.0.2.1 >"$tap_tmp/second" &
client=$!
until_true waits
at "$container" ip link set eth0 arp on
ip neigh replace 10.0.0.2 lladdr "$(at "$container" ip -br link show eth0 | awk '{ print $3 }')" dev br0
until_true have_come $((before + 1))
datagrams_at "$container" :: 7000
kill -CONT "$engine"
wait "$client"
has 'is refused, and the next one is delivered' "$(cat "$tap_tmp/second")" ' 192.0.2.1'
kill "$datagrams"
wait "$datagrams" 2>"$tap_tmp/ignored"

before=$(cpu "$engine")
sleep 0.3
below 'an error that nobody asks for costs nothing' "$(($(cpu "$engine") - before))" 20

# No way to the container at all, and then there is one.
at "$container" ip link set eth0 down
ip link set br0 down
is 'without a way to the container nobody answers' "$(who "$lan" 9000 7000 192.0.2.1 192.0.2.1 | paste -sd ' ')" 'lost lost'
ip link set br0 up
at "$container" ip link set eth0 up
at "$container" ip route replace default via 10.0.0.1
datagrams_at "$container" :: 7000
ok 'when there is, the flow is served' until_true sh -c "nsenter -t $lan -n '$HELPERS/datagrams' ask 9000 7000 192.0.2.1 | grep -q 192"

# A client that is gone while the container speaks.
nsenter -t "$lan" -n "$HELPERS/datagrams" listen 192.0.2.1 7000 12 50 >"$tap_tmp/ignored" &
client=$!
comes_to flows 7
kill "$client"
wait "$client" 2>"$tap_tmp/ignored"
nsenter -t "$container" -n "$HELPERS/datagrams" serve :: 7001 >"$tap_tmp/second" &
pids="$pids $!"
until_true grep -q ready "$tap_tmp/second"
is 'clients that have gone do not keep others from their answers' "$(burst "$lan" 192.0.2.1 7001 100x40)" all
stop
is 'it ends with 0' "$status" 0
finish
