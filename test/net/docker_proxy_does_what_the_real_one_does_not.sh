#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Where the real docker-proxy of Docker 20.10 is worse: what each of the two does, so that both are known to be so.
# shellcheck disable=SC2016,SC2034,SC2046,SC2086,SC2119 # words are wanted; stop has arguments of its own
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../forward.sh"
. "${0%/*}/../dockerd.sh"

# each CLAIM OURS THEIRS FUNCTION [ARGUMENT...]: what it prints of portpub, and of the real one.
each() {
	claim=$1 of_ours=$2 of_real=$3
	shift 3
	is "portpub: $claim" "$("$@")" "$of_ours"
	if [ ! "$real" ]; then
		skip "docker-proxy: $claim" 'the real docker-proxy is not here'
		return
	fi
	name=docker-proxy proxy=$real
	is "docker-proxy: $claim" "$("$@")" "$of_real"
	name=portpub proxy=$tap_tmp/docker-proxy
}

# Nobody answers at port 99 of the container.
at "$container" nft 'add table inet silence; add chain inet silence in { type filter hook input priority 0; }
	add rule inet silence in meta l4proto tcp th dport 99 drop'
start $(flags 192.0.2.1 9000 10.0.0.2 99)
patient=$dockerd
calls "$lan" 192.0.2.1 9000 end end end >"$tap_tmp/dial" &
dial=$!
pids="$pids $dial"
if [ "$real" ]; then
	name=docker-proxy proxy=$real
	start $(flags 192.0.2.1 9001 10.0.0.2 99)
	real_patient=$dockerd
	nsenter -t "$lan" -n "$HELPERS/wire" 192.0.2.1 9001 end end end end >"$tap_tmp/their_dial" &
	pids="$pids $!"
	name=portpub proxy=$tap_tmp/docker-proxy
fi

# call CONTAINER_PORT STEP...: what a client sees through it, and what the container does, if anybody answers there.
call() {
	port=$1
	shift
	start $(flags 192.0.2.1 8080 10.0.0.2 $port)
	calls "$lan" 192.0.2.1 8080 "$@"
	stop
}
each 'a refused target' 'connected reset' 'connected eof' call 1 end
answering "$container" 3000 hear:5 rst
each 'the container resets' 'connected reset' 'connected eof' call 3000 say:hello end
reset_by_client() {
	answering "$container" $1 hear:5 end
	start $(flags 192.0.2.1 8080 10.0.0.2 $1)
	calls "$lan" 192.0.2.1 8080 say:hello rst >/dev/null
	until_true sh -c "[ \"\$(wc -l <$heard)\" = 3 ]"
	stop
	tail -n +2 "$heard" | paste -sd ' '
	kill $answerer
	wait $answerer 2>/dev/null
}
each 'the client resets' 'hello reset' 'hello eof' reset_by_client 3001
answering "$container" 3002 hear:5 end say:world end
each 'half-close is kept by both' 'connected world eof' 'connected world eof' call 3002 say:hello fin hear:5 end

# Datagrams.
datagrams_at "$container" :: 7000
ip addr add 192.0.2.11/24 dev lan0
udp() { # COMMAND...: through one that serves every address
	start $(flags 0.0.0.0 8080 10.0.0.2 7000 udp)
	"$@"
	stop
}
addresses() { who "$lan" 5001 8080 192.0.2.1 192.0.2.11 | cut -d ' ' -f 2 | paste -sd ' '; }
each 'the address that answers on every address' '192.0.2.1 192.0.2.11' '192.0.2.1 192.0.2.1' udp addresses
keys() { who "$lan" 5001 8080 192.0.2.1 192.0.2.11 | cut -d ' ' -f 1 | uniq | wc -l; }
each 'flows of a client who asks two addresses' 2 1 udp keys
empty() { burst "$lan" 192.0.2.1 8080 0; }
each 'an empty datagram' all 'datagram 0 of 1 has 0 bytes, and what came -1' udp empty

# Every other one is refused as if nobody listened, which the next call on the flow's socket tells. They grow, so none
# travels with the next. The real one loses some of the others, now and then.
at "$container" sysctl -qw net.ipv4.icmp_ratelimit=0 # or else it refuses a few, and drops the rest in silence
at "$container" nft 'add table inet refusal; add chain inet refusal in { type filter hook input priority 0; }
	add rule inet refusal in udp dport 7000 udp length & 1 == 1 reject'
refused() {
	: >"$tap_tmp/from"
	for _ in 1 2 3; do burst "$lan" 192.0.2.1 8080 $(seq 100) >/dev/null; done # which waits for one answer alone
	until_true sh -c "[ \"\$(wc -l <'$tap_tmp/from')\" = 150 ]"
	wc -l <"$tap_tmp/from"
}
is 'portpub: all datagrams that come after a refused one' "$(udp refused)" 150
at "$container" nft delete table inet refusal

# A thousand clients, each with a flow. What they cost is in kilobytes.
memory() {
	start $(flags 192.0.2.1 8080 10.0.0.2 7000 udp)
	at "$lan" "$HELPERS/datagrams" crowd 192.0.2.1 8080 1 <"$tap_tmp/stay" >/dev/null &
	exec 9>"$tap_tmp/stay"
	exec 9>&-
	wait $!
	before=$(dirty "$child")
	nsenter -t "$lan" -n "$HELPERS/datagrams" crowd 192.0.2.1 8080 1000 <"$tap_tmp/stay" >"$tap_tmp/crowd" &
	exec 9>"$tap_tmp/stay"
	until_true [ -s "$tap_tmp/crowd" ]
	cost=$(($(dirty "$child") - before))
	exec 9>&-
	wait $!
	[ $cost -lt 600 ] && cost='less than 600 kB'
	[ "${cost#less}" = "$cost" ] && [ $cost -gt 30000 ] && cost='more than 30 MB'
	stop
	echo "$(cat "$tap_tmp/crowd") answers, $cost"
}
mkfifo "$tap_tmp/stay"
each '1,000 UDP clients' '1000 answers, less than 600 kB' '1000 answers, more than 30 MB' memory

# The client closes first, so every connection leaves TIME_WAIT behind, at the port that the proxy connected from. What
# the real one does then takes a minute to show, and `make bench` shows it.
greeting "$container" 3003 stay
# connections N PORT: no client comes from the port of one before, which may be in TIME_WAIT itself.
connections() { at "$lan" "$HELPERS/crowd" file $1 192.0.2.1 8080 $2 $(($2 + $1)) >/dev/null; }
# effort PORT: processor time for 300 connections, in milliseconds.
effort() {
	start $(flags 192.0.2.1 8080 10.0.0.2 3003)
	before=$(cpu "$child")
	connections 300 $1
	echo $(($(cpu "$child") - before))
	stop
}
first=$(effort 10000)
start $(flags 192.0.2.1 8080 10.0.0.2 3003)
connections 16000 11000
stop
ok '14,000 connections are in TIME_WAIT' test "$(ss -Htn state time-wait 'dport = :3003' | wc -l)" -gt 14000
ours=$(effort 30000)
echo "# 300 connections: $first ms of processor time, and $ours when 14,000 are in TIME_WAIT"
below 'portpub: they do not make a connection dearer' "$ours" $((first * 3 + 20))
name=portpub proxy=$tap_tmp/docker-proxy

kill -0 "$dial" 2>/dev/null && wait "$dial"
has 'portpub: who dials a container that does not answer is told' "$(cat "$tap_tmp/dial")" reset
if [ "$real" ]; then
	is 'docker-proxy: is not' "$(grep -c reset "$tap_tmp/their_dial")" 0
	is 'docker-proxy: it is still trying' "$(ss -Htn state syn-sent 'dport = :99' | wc -l)" 1
	dockerd=$real_patient
	stop
else
	skip 'docker-proxy: is not' 'the real docker-proxy is not here'
fi
dockerd=$patient
stop
finish
