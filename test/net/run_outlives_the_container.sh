#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# When a container that was named ends, so does what is published of it. When it was not, clients are told so, the
# forwarder stays, costs nothing, and serves what comes in its place.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../forward.sh"

# idle CLAIM: half a second of it.
idle() {
	before=$(cpu "$engine")
	sleep 0.5
	below "$1" "$(($(cpu "$engine") - before))" 20
}
# stays NAME PORT: a client that has heard the first word; $tap_tmp/NAME is what it sees, and $client its pid.
stays() {
	nsenter -t "$lan" -n "$HELPERS/wire" 192.0.2.1 "$2" hear:5 end >"$tap_tmp/$1" &
	client=$!
	pids="$pids $client"
	until_true grep -q hello "$tap_tmp/$1"
}

# die PID...: all of them, with the processes that answer for them.
die() {
	for process; do
		# shellcheck disable=SC2046 # words are wanted
		kill -KILL "$process" $(cat "/proc/$process/task/$process/children")
	done
}

# One that was named.
machine && alone=$machine
answering "$alone" 3000 say:hello wait:"$tap_tmp/never"
inside=$answerer
forward --pid "$alone" --to 127.0.0.1 4000:3000 7000:7000/udp
stays inside 4000
die "$inside" "$alone"
wait "$client"
is 'a connection ends with the container that was gone into' "$(paste -sd ' ' "$tap_tmp/inside")" 'connected hello eof'
wait "$engine"
is 'and so does what held the ports' $? 0
is 'which are free' "$(ss -Hltun 'sport = :4000 or sport = :7000')" ''
is 'and not published' "$("$PORTPUB" list)" ''

# One on a bridge, which is gone all at once, and its address with it.
answering "$container" 3000 say:hello wait:"$tap_tmp/never"
inside=$answerer
forward --to 10.0.0.2 --connect-timeout 300ms --idle-timeout 2s 4000:3000 7000:7000/udp
stays bridge 4000
ip link del c0 # before the container can say anything
die "$inside" "$container"
is 'new connections are reset, when the container is gone' "$(calls "$lan" 192.0.2.1 4000 end)" \
	'connected reset'
is 'datagrams are lost' "$(who "$lan" 0 7000 192.0.2.1)" lost
idle 'this costs nothing'
wait "$client"
has 'the connection ends by its timeout' "$(paste -sd ' ' "$tap_tmp/bridge")" 'connected hello reset'
machine && container=$machine
cable "$container" c0 10.0.0.2 fd00::2 10.0.0.1 fd00::1
ip link set c0 master br0
ip neigh flush all
answering "$container" 3000 say:again fin end
datagrams_at "$container" :: 7000
is 'what comes in its place is served' "$(calls "$lan" 192.0.2.1 4000 hear:5 end)" 'connected again eof'
is 'and its datagrams' "$(burst "$lan" 192.0.2.1 7000 1x10)" all
stop
is 'it ends with 0' "$status" 0
finish
