#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Whoever sends as fast as can be has a turn like everybody else: other ports are served meanwhile, and SIGTERM is heard.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../forward.sh"

answering "$container" 3000 hear:1 say:1 hear:1 say:2 end fin
nsenter -t "$container" -n "$HELPERS/crowd" sink 3001 >"$tap_tmp/sink" &
pids="$pids $!"
until_true grep -q ready "$tap_tmp/sink"

# The machine is shared, so it is the one in the middle that counts, in milliseconds.
middle() { sort -n "$1" | sed -n "$(($(wc -l <"$1") / 2 + 1))p"; }
now() { echo $(($(date +%s%N) / 1000000)); }
exchange() {
	for _ in 1 2 3 4 5; do
		began=$(now)
		calls "$lan" 192.0.2.1 4000 say:a hear:1 say:b hear:1 rst >"$tap_tmp/exchange"
		grep -q 'connected 1 2' "$tap_tmp/exchange" && echo $(($(now) - began)) >>"$tap_tmp/exchanges"
	done
}
stops() { # FILE
	began=$(now)
	stop
	echo $(($(now) - began)) >>"$1"
	echo "$status" >>"$tap_tmp/statuses"
}

forward --to 10.0.0.2 4000:3000
sanitized=
is_sanitized && sanitized=yes
stop

# Trains of datagrams from the container, to each of many clients.
mkfifo "$tap_tmp/open"
exec 8<>"$tap_tmp/open"
for port in 7001 7002 7003; do
	forward --to 10.0.0.2 4000:3000 $port:$port/udp
	nsenter -t "$container" -n "$HELPERS/datagrams" flood :: $port 32 >"$tap_tmp/flood" &
	flood=$!
	pids="$pids $flood"
	until_true grep -q ready "$tap_tmp/flood"
	nsenter -t "$lan" -n "$HELPERS/datagrams" crowd 192.0.2.1 $port 32 <&8 >"$tap_tmp/crowd" &
	crowd=$!
	pids="$pids $crowd"
	until_true grep -q 32 "$tap_tmp/crowd"
	exchange
	stops "$tap_tmp/stops"
	kill $flood $crowd
	wait $flood $crowd 2>/dev/null
done

# Many streams. They all have something to say by the time that it hears of the signal, which is the last to be told.
all_wait() { [ "$(ss -Htn state established sport = :4001 | awk '$1 > 0' | wc -l)" -ge 390 ]; }
for _ in 1 2 3; do
	forward --to 10.0.0.2 4001:3001
	nsenter -t "$lan" -n "$HELPERS/crowd" pour 400 192.0.2.1 4001 >"$tap_tmp/poured" &
	crowd=$!
	pids="$pids $crowd"
	until_true grep -q pouring "$tap_tmp/poured"
	until_true sh -c "[ \"\$('$HELPERS/counters' $engine bytes | sed 's/.* \([0-9]*\)\/.*/\1/')\" -gt 300000000 ]"
	kill -STOP "$engine"
	until_true all_wait
	kill -TERM "$engine"
	began=$(now)
	kill -CONT "$engine"
	wait "$engine"
	status=$?
	echo $(($(now) - began)) >>"$tap_tmp/streams"
	echo "$status" >>"$tap_tmp/statuses"
	kill $crowd
	wait $crowd 2>/dev/null
done
is 'it ends as it should each time' "$(sort -u "$tap_tmp/statuses")" 0
if [ "$sanitized" ]; then
	skip 'and all within its time' 'time means nothing under the sanitizers'
else
	below 'who asks another port has an answer, beside a flood of datagrams' "$(middle "$tap_tmp/exchanges")" 1500
	below 'and SIGTERM ends it' "$(middle "$tap_tmp/stops")" 250
	below 'beside many streams, too' "$(middle "$tap_tmp/streams")" 100
fi
finish
