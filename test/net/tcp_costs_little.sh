#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A connection costs two descriptors and next to no memory, silence costs no time, and only what is on its way
# needs a pipe.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../forward.sh"

mb=1048576
greeting "$container" 3000 stay
greeting "$container" 3001 go
forward --to 10.0.0.2,fd00::2 4000-4003:3000-3003
files=$(descriptors "$engine")
pipes=$(pipes "$engine") # of those who called us
# It says which ports are open first, and then forgets what it needed for that.
ok 'an idle forwarder has at most 300 kB of its own' until_true at_most 300
at "$lan" "$HELPERS/crowd" file 300 192.0.2.1 4001 0 0 >/dev/null # what is needed once is there now
until_true has_descriptors "$files"
memory=$(dirty "$engine")

# Silence.
nsenter -t "$lan" -n "$HELPERS/crowd" hold 1000 192.0.2.1 4000 "$tap_tmp/go" >"$tap_tmp/idle" &
idle=$!
pids="$pids $idle"
until_true [ -s "$tap_tmp/idle" ]
is 'a thousand connections' "$(cat "$tap_tmp/idle")" 'greeted 1000, waiting 0, reset 0'
is 'an idle one has two descriptors' "$(descriptors "$engine")" $((files + 2000))
ok 'and at most 300 bytes' at_most $((memory + 300))
"$HELPERS/options" "$engine" >"$tap_tmp/options"
is 'small messages go at once, and a silent peer is asked whether it is there, on every connection' \
	"$(sed 's/^[0-9]* //' "$tap_tmp/options" | sort | uniq -c | sed 's/^ *//')" \
	'2000 nodelay 1 keepalive 1 idle 60 interval 15 count 4'
is 'on both sides' "$(grep -c '^3000 ' "$tap_tmp/options")" 1000
# Hours are as long as half a second to one who waits for an event and for no time: a wake would count as a switch.
switches() { awk '/ctxt_switches/ { n += $2 } END { print n }' "/proc/$engine/status"; }
before=$(switches)
sleep 0.5
is 'silent connections do not even wake it' $(($(switches) - before)) 0
touch "$tap_tmp/go"
ok 'and they leave no descriptor' until_true has_descriptors "$files"
ok 'nor memory' until_true at_most $((memory + 40))

# Bulk goes through pipes, which are there as long as somebody does not take what is on its way, and then for others.
answering "$container" 3002 wait:"$tap_tmp/read" recv:$((24 * mb)) end
for n in 1 2 3 4 5 6 7 8 9 10 11 12; do
	nsenter -t "$lan" -n "$HELPERS/wire" 192.0.2.1 4002 send:$((24 * mb)) fin end >"$tap_tmp/bulk$n" &
	pids="$pids $!"
done
# One that is stuck before it has shown to be bulk has a piece of 64 kB left instead.
most_have_pipes() { [ "$(pipes "$engine")" -ge $((pipes + 8)) ]; }
ok 'bulk that is not taken waits in a pipe' until_true most_have_pipes
ok 'and not in our memory' until_true at_most $((memory + 300 + 64 * (pipes + 12 - $(pipes "$engine"))))
rests 'it is not read from who sends it, and costs no time'
touch "$tap_tmp/read"
ok 'it arrives' until_true sh -c "[ \$(grep -c 'bytes\$' '$heard') = 12 ]"
ok 'eight pipes are kept, for what comes' until_true has_pipes $((pipes + 8))
answering "$container" 3003 hear:5 say:world end
nsenter -t "$lan" -n "$HELPERS/wire" 192.0.2.1 4003 say:hello hear:5 wait:"$tap_tmp/said" >"$tap_tmp/small" &
pids="$pids $!"
until_true grep -q world "$tap_tmp/small"
ok 'and a small message needs none' has_pipes $((pipes + 8))
touch "$tap_tmp/said"

stop
is 'it ends as it should' "$status" 0
finish
