#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Whoever is refused, cut off or left alone learns it by a reset: an end of file would say that all has arrived. And
# nobody waits for ever for somebody who is gone.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../forward.sh"

forward --to 10.0.0.2,fd00::2 --connect-timeout 700ms --half-open-timeout 600ms 4000-4019:3000-3019
forgiving=$engine
forward --to 10.0.0.2,fd00::2 --connect-timeout 0 --idle-timeout 500ms 5000-5019:3000-3019
impatient=$engine
forward --to 10.77.0.1 7000:1
forward --to 10.0.0.2,fd00::2 6000-6019:3000-3019
drop() { at "$container" nft "add table inet silence; add chain inet silence in { type filter hook input priority 0; }
	add rule inet silence in tcp dport $1 drop"; }

# Connecting.
is 'nobody listens' "$(calls "$lan" 192.0.2.1 6001 end)" 'connected reset'
is 'nobody listens, by IPv6' "$(calls "$lan" 2001:db8::1 6001 end)" 'connected reset'
drop 3002
is 'nobody answers' "$(calls "$lan" 192.0.2.1 4002 end)" 'connected reset'
is 'no way leads there' "$(calls "$lan" 192.0.2.1 7000 end)" 'connected reset'
ok 'the client goes while nobody answers' at "$lan" "$HELPERS/wire" 192.0.2.1 4002 say:hello rst
ok 'and is forgotten' until_true sh -c "[ \$(find /proc/$forgiving/fd -lname 'socket:*' | wc -l) = 20 ]"
at "$container" nft delete table inet silence

# Open.
answering "$container" 3003 hear:5 end
is 'the client resets' "$(calls "$lan" 192.0.2.1 6003 say:hello rst)" connected
hears 'the container sees it' 'hello reset'
answering "$container" 3004 hear:5 rst
is 'the container resets' "$(calls "$lan" 192.0.2.1 6004 say:hello end)" 'connected reset'
answering "$container" 3005 end
is 'the client resets as soon as it has spoken' "$(calls "$lan" 192.0.2.1 6005 rst)" connected
hears 'the container sees a reset, not an end' reset

# Half-open.
answering "$container" 3006 hear:5 end say:ready gone
is 'the client resets after its last word' "$(calls "$lan" 192.0.2.1 6006 say:hello fin hear:5 rst)" 'connected ready'
hears 'the container sees the end, then the reset' 'hello eof reset'
answering "$container" 3007 say:hello fin hear:5 rst
is 'the container resets after its last word' "$(calls "$lan" 192.0.2.1 6007 hear:5 end say:ready gone)" \
	'connected hello eof reset'

# With much on its way.
answering "$container" 3008 fill rst touch:"$tap_tmp/gone8"
is 'the container resets while the client does not read' \
	"$(calls "$lan" 192.0.2.1 6008 wait:"$tap_tmp/gone8" end | sed 's/[0-9]* more bytes/some/')" 'connected some, reset'
answering "$container" 3009 touch:"$tap_tmp/there" wait:"$tap_tmp/gone9" end
is 'the client resets while the container does not read' \
	"$(calls "$lan" 192.0.2.1 6009 wait:"$tap_tmp/there" fill rst touch:"$tap_tmp/gone9")" 'connected full'
until_true grep -q reset "$heard"
is 'the container gets what it takes, and the reset' "$(sed -n 's/^[0-9]* more bytes, //p' "$heard")" reset
answering "$container" 3010 fill
is 'the client goes without reading what there is' "$(calls "$lan" 192.0.2.1 6010 recv:5 rst)" 'connected 5 bytes'
hears 'the container cannot go on' 'Connection reset by peer'

# Silence.
answering "$container" 3011 say:hello fin gone
is 'half-open and silent for too long' "$(calls "$lan" 192.0.2.1 4011 hear:5 end gone)" 'connected hello eof reset'
hears 'and the container as well: half-open' reset
answering "$container" 3012 say:hello end
is 'open and silent, with a timeout' "$(calls "$lan" 192.0.2.1 5012 hear:5 end)" 'connected hello reset'
hears 'and the container as well' reset

# The container is cut off, and nobody says so. Fewer attempts, for a test that ends.
echo 1 >/proc/sys/net/ipv4/tcp_retries2
answering "$container" 3013 hear:5 say:hello end
nsenter -t "$lan" -n "$HELPERS/wire" 192.0.2.1 6013 say:hello hear:5 wait:"$tap_tmp/is_cut" say:lost end >"$tap_tmp/saw" &
asked=$!
pids="$pids $asked"
until_true grep -q hello "$tap_tmp/saw"
ip link set c0 down
touch "$tap_tmp/is_cut"
wait $asked
is 'cut off with something on its way' "$(paste -sd ' ' "$tap_tmp/saw")" 'connected hello reset'
is 'and nobody is there to connect to' "$(calls "$lan" 192.0.2.1 4013 end)" 'connected reset'
ip link set c0 up
is 'it is back: others are served' "$(calls "$lan" 192.0.2.1 6013 say:hello hear:5 rst)" 'connected hello'

# A client that is silent for hours is asked each minute whether it is there; here, each second.
answering "$container" 3014 say:hello end
nsenter -t "$lan" -n "$HELPERS/wire" 192.0.2.1 6014 hear:5 end >"$tap_tmp/silent" &
pids="$pids $!"
until_true grep -q hello "$tap_tmp/silent"
"$HELPERS/options" "$engine" hurry >/dev/null
ip link set lan0 down
hears 'a silent client is cut off: the container learns it' reset
ip link set lan0 up

# The container's process is killed.
answering "$container" 3015 say:hello end
nsenter -t "$lan" -n "$HELPERS/wire" 192.0.2.1 6015 hear:5 end >"$tap_tmp/killed" &
client=$!
until_true grep -q hello "$tap_tmp/killed"
kill "$answerer"
wait "$client"
is 'what served is killed' "$(paste -sd ' ' "$tap_tmp/killed")" 'connected hello eof'
is 'and who comes now is refused' "$(calls "$lan" 192.0.2.1 6015 end)" 'connected reset'
answering "$container" 3015 say:again end
is 'it is there again' "$(calls "$lan" 192.0.2.1 6015 hear:5 rst)" 'connected again'

for engine in "$forgiving" "$impatient" "$engine"; do
	ok 'nothing of all this is left' until_true has_sockets 20
	stop
	is 'it ends as it should' "$status" 0
done
finish
