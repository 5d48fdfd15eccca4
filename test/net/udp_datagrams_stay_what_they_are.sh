#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Datagrams forwarded in userspace keep their bytes, their boundaries and, for a client, their order.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../forward.sh"

datagrams_at "$container" :: 7000
forward --to 10.0.0.2,fd00::2 7000:7000/udp
for size in 0 1 1400 1472 1473 9000 65507; do
	is "IPv4: $size bytes pass both ways" "$(burst "$lan" 192.0.2.1 7000 $size)" all
done
for size in 0 1 1452 1453 9000 65507 65527; do
	is "IPv6: $size bytes pass both ways" "$(burst "$lan" 2001:db8::1 7000 $size)" all
done

# each CLAIM COMMAND...: the same of both families.
each() {
	claim=$1 verb=$2
	shift 2
	is "IPv4: $claim" "$($verb "$lan" 192.0.2.1 7000 "$@")" all
	is "IPv6: $claim" "$($verb "$lan" 2001:db8::1 7000 "$@")" all
}

each 'equal ones in a burst' burst 1000x60
each 'a hundred and fifty of one byte' burst 1x150
each 'with a shorter last one' burst 1000x20 999
each 'growing, and shrinking' burst 1 2 3 4 5 4 3 2 1 1000 1001 1000 999
each 'with empty ones between' burst 0 500x5 0 500x5 0 0 0 500 1 0
each 'empty ones alone' burst 0x40
each 'large ones among small ones' burst 100x3 20000 100x3 20000x3 100 1472
each 'more at once than a train can carry' burst 1400x100
each 'a client that sends a train' train 1000 20000
each 'one with a shorter last one' train 1000 20001
each 'one of 64' train 100 6400
each 'one as long as there can be' train 1400 65100
each 'a container that answers with a train' reverse 1000 20000
each 'one with a shorter last one, back' reverse 1000 20001
each 'one of 64, back' reverse 100 6400
each 'one as long as there can be, back' reverse 1400 65100
stop
is 'it ends with 0' "$status" 0

# Two clients at once, whose datagrams arrive mixed.
forward --to 10.0.0.2,fd00::2 7000:7000/udp
for n in 1 2 3 4; do
	nsenter -t "$lan" -n "$HELPERS/datagrams" burst 192.0.2.1 7000 $((n * 100))x60 >"$tap_tmp/client$n" &
	eval "client$n=\$!"
done
# shellcheck disable=SC2154 # set by eval
wait "$client1" "$client2" "$client3" "$client4"
is 'four clients at once each get what is theirs' "$(cat "$tap_tmp"/client[1-4] | sort | uniq -c | tr -s ' ')" ' 4 all'
stop

# The way to the container carries less than the datagrams are long.
ip link set c0 mtu 1280
ip link set br0 mtu 1280
at "$container" ip link set eth0 mtu 1280
forward --to 10.0.0.2,fd00::2 7000:7000/udp
each 'a smaller MTU: single ones' burst 1400 1472 9000
each 'a smaller MTU: equal ones in a burst' burst 1400x20
each 'a smaller MTU: a train' train 1400 14001
each 'a smaller MTU: a second one' train 1400 14001
each 'a smaller MTU: a train back' reverse 1200 12001
stop
ip link set lan0 mtu 1280
at "$lan" ip link set eth0 mtu 1280
ip link set c0 mtu 1500
ip link set br0 mtu 1500
at "$container" ip link set eth0 mtu 1500
forward --to 10.0.0.2,fd00::2 7000:7000/udp
each 'a smaller MTU to clients: a train back' reverse 1400 14001
each 'a smaller MTU to clients: a second one' reverse 1400 14001
each 'a smaller MTU to clients: equal ones in a burst' burst 1400x20
stop

# Across families.
forward --to 10.0.0.2 7000:7000/udp
is 'IPv6 clients, an IPv4 container' "$(burst "$lan" 2001:db8::1 7000 0 1 1400x10 65507)" all
is 'what IPv4 cannot carry is lost alone' "$(burst "$lan" 2001:db8::1 7000 65527)$(burst "$lan" 2001:db8::1 7000 1)" \
	'datagram 0 of 1 has 65527 bytes, and what came -1all'
stop
forward --to fd00::2 7000:7000/udp
is 'IPv4 clients, an IPv6 container' "$(burst "$lan" 192.0.2.1 7000 0 1 1400x10 65507)" all
stop
finish
