#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# dockerd waits for the end of its proxies without limit: it comes within milliseconds, with exit status 0, whatever
# the proxy is doing, and whatever has been done to its signals.
# shellcheck disable=SC2046,SC2086,SC2119 # words are wanted; stop has arguments of its own
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../dockerd.sh"

nsenter -t "$container" -n "$HELPERS/talk" serve tcp 80 there >"$tap_tmp/tcp" &
pids="$pids $!"
nsenter -t "$container" -n "$HELPERS/talk" serve udp 80 there >"$tap_tmp/udp" &
pids="$pids $!"
until_true grep -q ready "$tap_tmp/tcp"
until_true grep -q ready "$tap_tmp/udp"
yes | head -n 500000 >"$tap_tmp/lines"

# The machine is shared, so the best of them is counted.
LIMIT=20000 TIMES=30
if is_sanitized; then LIMIT=200000; fi
if is_in_valgrind; then LIMIT=5000000 TIMES=3; fi
within() { # CLAIM: of all that has been noted
	is "$name: $1" "$(sort -u "$tap_tmp/ends") $([ "$(sort -n "$tap_tmp/times" | head -n 1)" -lt $LIMIT ] ||
		cat "$tap_tmp/times")" 'exit 0 '
}
note() {
	echo "$ended" >>"$tap_tmp/ends"
	echo "$took" >>"$tap_tmp/times"
}
afresh() { rm -f "$tap_tmp/ends" "$tap_tmp/times"; }

# What the proxy has used of a processor, in ticks.
used() { awk '{print $14 + $15}' "/proc/$child/stat"; }
has_worked() { [ "$(used)" -gt "$1" ]; }
# Streams and small messages both ways, as fast as they get through, until the proxy has worked for it.
load() {
	clients=
	for _ in 1 2; do
		# A stream: all that /dev/zero gives.
		nsenter -t "$lan" -n curl -s telnet://192.0.2.1:8080 </dev/zero >/dev/null 2>&1 &
		clients="$clients $!"
	done
	for way in tcp udp; do
		nsenter -t "$lan" -n "$HELPERS/talk" $way 0 192.0.2.1 8080 <"$tap_tmp/lines" >/dev/null &
		clients="$clients $!"
	done
	pids="$pids $clients"
	until_true has_worked $(($(used) + 5))
}
unload() {
	kill $clients 2>/dev/null
	wait $clients 2>/dev/null
}

stops() {
	for signal in INT TERM; do
		for signals in blocked open ignored; do
			afresh
			for _ in 1 2 3; do
				order="-s $signals" start $(flags 192.0.2.1 8080 10.0.0.2 80)
				stop $signal
				note
			done
			within "SIG$signal, signals $signals"
		done
		for protocol in tcp udp; do
			afresh
			for _ in 1 2; do
				start $(flags 192.0.2.1 8080 10.0.0.2 80 $protocol)
				load
				stop $signal
				note
				unload
			done
			within "SIG$signal, busy with $protocol"
		done
	done
}
both stops

# The real one may die of it: it says that it is ready before it listens to signals.
for signal in 2 15; do
	for signals in blocked open ignored; do
		rm -f "$tap_tmp/ends"
		order="-k $signal -s $signals"
		for _ in $(seq $TIMES); do
			try $(flags 192.0.2.1 8080 10.0.0.2 80) >>"$tap_tmp/ends"
		done
		is "portpub: signal $signal as soon as it is ready, signals $signals" "$(sort "$tap_tmp/ends" | uniq -c)" \
			"$(printf '%7d' $TIMES) read 0\\n rest  exit 0"
	done
done
order=

finish
