#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The forwarder counts what it carries in a page that others can read meanwhile.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../forward.sh"

forward --to 10.0.0.2,fd00::2 4000:3000 4001:3001 7000:7000/udp
is 'nothing has been carried at first' \
	"$(counted connections open refused bytes flows flows_open evicted datagrams datagram_bytes lost)" \
	' connections 0 open 0 refused 0 bytes 0/0 flows 0 flows_open 0 evicted 0 datagrams 0/0 datagram_bytes 0/0 lost 0/0'

answering "$container" 3000 say:hello hear:3 end
at "$lan" "$HELPERS/wire" 192.0.2.1 4000 hear:5 wait:"$tap_tmp/go" say:bye end >"$tap_tmp/client" &
client=$!
until_true grep -q hello "$tap_tmp/client"
is 'a connection, while it is there' "$(counted connections open refused bytes)" ' connections 1 open 1 refused 0 bytes 0/5'
touch "$tap_tmp/go"
wait "$client"
comes_to open 0
is 'and when it has ended' "$(counted connections open refused bytes)" ' connections 1 open 0 refused 0 bytes 3/5'
calls "$lan" 192.0.2.1 4001 hear:1 end >"$tap_tmp/ignored"
comes_to open 0
is 'one that the container refuses' "$(counted connections open refused bytes)" ' connections 2 open 0 refused 1 bytes 3/5'

datagrams_at "$container" :: 7000
burst "$lan" 192.0.2.1 7000 100x10 >"$tap_tmp/ignored"
is 'datagrams there and back' "$(counted flows flows_open datagrams datagram_bytes lost)" \
	' flows 1 flows_open 1 datagrams 10/10 datagram_bytes 1000/1000 lost 0/0'
train "$lan" 2001:db8::1 7000 100 1001 >"$tap_tmp/ignored"
is 'each of a train' "$(counted flows flows_open datagrams datagram_bytes lost)" \
	' flows 2 flows_open 2 datagrams 21/21 datagram_bytes 2001/2001 lost 0/0'
ip addr del 10.0.0.1/24 dev br0
burst "$lan" 192.0.2.1 7000 1 2 3 >"$tap_tmp/ignored"
has 'those without a way to go are lost' "$(counted lost)" ' lost 3/0'
stop
finish
