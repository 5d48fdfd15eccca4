#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# An idle connection is two descriptors; and to have none left is no reason to end, nor to spin: who comes waits until
# somebody goes. The real docker-proxy takes six for a connection that has been used, and exits with status 0 when it
# has none left, so that the port is dead until the container is started again.
# shellcheck disable=SC2046,SC2086,SC2119 # words are wanted; stop has arguments of its own
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../dockerd.sh"

for protocol in tcp udp; do
	nsenter -t "$container" -n "$HELPERS/talk" serve $protocol 80 there >"$tap_tmp/$protocol" &
	pids="$pids $!"
	until_true grep -q ready "$tap_tmp/$protocol"
done

descriptors() { find "/proc/$child/fd" -mindepth 1 | wc -l; }
used() { awk '{print $14 + $15}' "/proc/$child/stat"; } # of a processor, in ticks
# client N: has said a word, and says nothing more. $client is its process.
client() {
	mkfifo "$tap_tmp/words$1"
	{ sleep 250 & } 1<>"$tap_tmp/words$1" # open for both before anybody reads: no echo is the last to write
	pids="$pids $!"
	nsenter -t "$lan" -n "$HELPERS/talk" tcp 0 192.0.2.1 8080 <"$tap_tmp/words$1" >"$tap_tmp/heard$1" &
	client=$!
	pids="$pids $!"
	echo word >"$tap_tmp/words$1"
}
heard() { grep -l '^there: word' "$tap_tmp"/heard* | wc -l; }
has_heard() { grep -q '^there: word' "$tap_tmp/heard$1"; }
hears_now() { # after another word: an answer that was late has come meanwhile
	echo word >"$tap_tmp/words$1"
	has_heard "$1"
}
gone() { [ "$(ss -Htn state established 'sport = :8080' | wc -l)" = 0 ]; }

raises() {
	by='prlimit --nofile=64:4096' start $(flags 192.0.2.1 8080 10.0.0.2 80)
	is "$name: it takes as many as it may have" "$(awk '/^Max open files/ {print $4, $5}' "/proc/$child/limits")" '4096 4096'
	stop
}
# Of its own descriptors: where there are others, nothing is claimed.
own() {
	if is_in_valgrind; then skip "$2" 'some descriptors are valgrind'\''s'; else "$@"; fi
}
own both raises

start $(flags 192.0.2.1 8080 10.0.0.2 80)
until_true is_waiting "$child"
before=$(descriptors)
for n in 1 2 3 4 5 6 7 8; do
	client $n
	eval "client$n=$client"
	until_true has_heard $n
done
is 'eight connections are sixteen descriptors' "$(descriptors)" $((before + 16))
for n in 1 2 3 4 5 6 7 8; do eval "kill \$client$n"; done
until_true gone
ok 'which go with them' until_true sh -c "[ \$(find /proc/$child/fd -mindepth 1 | wc -l) = $before ]"

rm "$tap_tmp"/heard* "$tap_tmp"/words*
prlimit --pid "$child" --nofile=$((before + 5)):
for n in 1 2 3 4 5 6 7 8; do
	client $n
	eval "client$n=$client"
	until_true sh -c "[ \$(ss -Htn state established 'sport = :8080' | wc -l) = $n ]"
done
until_true has_heard 2
before=$(used)
sleep 0.5
own is 'without a descriptor it neither ends nor spins' "$([ $(($(used) - before)) -lt 10 ] && heard)" 2
for n in 1 2 3 4 5 6 7 8; do
	until_true hears_now $n
	eval "kill \$client$n"
done
is 'every client who waits gets a turn' "$(heard)" 8
stop
is 'and it ends well' "$ended" 'exit 0'

start $(flags 192.0.2.1 8080 10.0.0.2 80 udp)
prlimit --pid "$child" --nofile=$(($(descriptors) + 1)):
for port in 5001 5002 5003 5001; do
	is "a datagram of a client at port $port takes the place of another's" \
		"$(echo word | at "$lan" "$HELPERS/talk" udp $port 192.0.2.1 8080)" 'there: word'
done
stop
is 'and that one ends well, too' "$ended" 'exit 0'

if [ -n "$real" ]; then
	rm "$tap_tmp"/heard* "$tap_tmp"/words*
	name=docker-proxy proxy=$real
	start $(flags 192.0.2.1 8080 10.0.0.2 80)
	before=$(descriptors)
	for n in 1 2; do
		client $n
		until_true has_heard $n
	done
	is 'docker-proxy: two connections are twelve descriptors' "$(($(descriptors) - before))" 12
	prlimit --pid "$child" --nofile=3: # one more, and it depends on which of its threads is the first
	at "$lan" "$HELPERS/talk" tcp 0 192.0.2.1 8080 </dev/null >"$tap_tmp/heard3" || :
	wait "$dockerd"
	is 'docker-proxy: without a descriptor it ends, as if all were well' "$(said "$tap_tmp/said")" 'read 0\n rest  exit 0'
else
	skip 'docker-proxy: six descriptors, and none is the end' 'the real docker-proxy is not here'
fi
finish
