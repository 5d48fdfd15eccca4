#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Who closes while there is something left to read resets the connection. A server does so that refuses an upload: its
# answer arrives all the same, then the reset; and so do the last words of a client that does not wait for an answer.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../forward.sh"

forward --to 10.0.0.2,fd00::2 --half-open-timeout 20s 4000-4019:3000-3019
has_sent() { [ "$(at "$container" ss -Htn state established "sport = :$1" | awk '{ sum += $2 } END { print sum + 0 }')" = 0 ]; }

answering "$container" 3000 hear:5 wait:"$tap_tmp/full" send:1000
is 'the answer to an upload that was not read to its end' \
	"$(calls "$lan" 192.0.2.1 4000 say:hello fill touch:"$tap_tmp/full" recv:1000 end)" 'connected full 1000 bytes reset'

# While the client goes on sending: it reads when it can send no more.
answering "$container" 3001 recv:100000 say:refused
for _ in 1 2 3 4 5 6 7 8 9 10; do
	calls "$lan" 192.0.2.1 4001 send:20000000 hear:7 | sed 's/.* //'
done >"$tap_tmp/answers"
is 'it is heard as soon as it is said, too' "$(sort "$tap_tmp/answers" | uniq -c | xargs)" '10 refused'

answering "$container" 3002 fill touch:"$tap_tmp/filled" hear:4 end
is 'a client speaks its last word, and has not read' "$(calls "$lan" 192.0.2.1 4002 wait:"$tap_tmp/filled" say:QUIT)" connected
hears 'the container hears it, and the reset' 'full QUIT reset'

# More than the client's window takes: the reset waits for what the kernel has not sent yet.
answering "$container" 3003 hear:5 send:300000 wait:"$tap_tmp/sent"
nsenter -t "$lan" -n "$HELPERS/wire" 192.0.2.1 4003 say:hello,more wait:"$tap_tmp/read" recv:300000 end >"$tap_tmp/slow" &
client=$!
pids="$pids $client"
until_true grep -q 300000 "$heard"
until_true has_sent 3003
touch "$tap_tmp/sent"
until_true sh -c "[ -z \"\$(ss -Htn state established dport = :3003)\" ]"
touch "$tap_tmp/read"
wait "$client"
is 'a client that reads late gets all of the answer before the reset' "$(paste -sd ' ' "$tap_tmp/slow")" \
	'connected 300000 bytes reset'

# But not for ever.
stop
forward --to 10.0.0.2 --half-open-timeout 500ms 4004:3004
answering "$container" 3004 hear:5 send:100000 wait:"$tap_tmp/sent4"
nsenter -t "$lan" -n "$HELPERS/wire" 192.0.2.1 4004 say:hello,more wait:"$tap_tmp/never" >"$tap_tmp/idle" &
pids="$pids $!"
until_true grep -q 100000 "$heard"
until_true has_sent 3004
touch "$tap_tmp/sent4"
ok 'who does not read is waited for as long as was said' until_true has_sockets 1
stop
is 'it ends as it should' "$status" 0
finish
