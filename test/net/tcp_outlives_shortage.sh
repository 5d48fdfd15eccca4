#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Where descriptors, places, memory or local ports run out, whoever is served stays served, the others wait without
# costing anything, and get their turn.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../forward.sh"

greeting "$container" 3000 stay

# crowd NAME N PORT: N clients at once, who leave when "$tap_tmp/NAME.go" is there; $saw is what they print.
crowd() {
	saw="$tap_tmp/$1"
	rm -f "$saw"
	nsenter -t "$lan" -n "$HELPERS/crowd" hold "$2" 192.0.2.1 "$3" "$saw.go" >"$saw" &
	crowd=$!
	pids="$pids $crowd"
	until_true [ -s "$saw" ]
}
greeted() { head -n 1 "$saw" | sed 's/greeted \([0-9]*\),.*/\1/'; }
# leave: they go as they are served; what they have seen.
leave() {
	touch "$saw.go"
	until_true sh -c "[ \$(wc -l <'$saw') = 2 ]"
	tail -n 1 "$saw"
}

# befriend: somebody is served before there is a shortage; still CLAIM: and is served during it.
befriend() {
	friend="$tap_tmp/friend"
	rm -f "$friend.go"
	nsenter -t "$lan" -n "$HELPERS/wire" 192.0.2.1 4002 say:a hear:1 wait:"$friend.go" say:b hear:1 fin end >"$friend" &
	pids="$pids $!"
	until_true grep -q 1 "$friend"
}
still() {
	touch "$friend.go"
	until_true grep -q eof "$friend"
	is "$1" "$(paste -sd ' ' "$friend")" 'connected 1 2 eof'
}
answering "$container" 3002 hear:1 say:1 hear:1 say:2 end fin

# Descriptors.
if is_in_valgrind; then
	skip 'out of descriptors, it serves those it can' 'valgrind takes a client out of the queue, and ends it'
else
	within='prlimit --nofile=60:60' forward --to 10.0.0.2,fd00::2 4000:3000 4001:3000 4002:3002
	befriend
	crowd many 100 4000
	served=$(greeted)
	ok 'out of descriptors, it serves those it can' test "$served" -ge 15
	has 'and nobody is reset' "$(cat "$saw")" "waiting $((100 - served)), reset 0"
	rests 'those who wait cost no processor time'
	still 'who was there before does not notice'
	ok 'it has used the descriptors' test "$(descriptors "$engine")" -ge 56
	is 'as some leave others get their turn' "$(leave)" 'greeted 100, waiting 0, reset 0'
	is 'who comes later is served' "$(calls "$lan" 192.0.2.1 4001 hear:1 fin end)" 'connected ! eof'
	stop
	is 'it ends as it should' "$status" 0

	# Many ports, with a client at each.
	within='prlimit --nofile=250:250' forward --to 10.0.0.2 $(seq -f "%.0f:3000" 20000 20199)
	for port in $(seq 20000 20049); do
		nsenter -t "$lan" -n "$HELPERS/wire" 192.0.2.1 "$port" wait:"$tap_tmp/all" hear:1 >"$tap_tmp/$port" &
		last=$!
		pids="$pids $last"
	done
	until_true sh -c "[ \$(cat '$tap_tmp'/200* | wc -l) = 50 ]"
	rests 'clients who wait at many ports cost little'
	touch "$tap_tmp/all"
	ok 'all of them are served' until_true sh -c "[ \$(grep -l '!' '$tap_tmp'/200* | wc -l) = 50 ]"
	stop
fi

# Places.
forward --to 10.0.0.2 --max-conns 10 4000:3000
files=$(descriptors "$engine")
crowd places 40 4000
is 'as many at once as was said' "$(greeted)" 10
rests 'those who wait for a place cost no processor time'
ok 'one of them resets' at "$lan" "$HELPERS/wire" 192.0.2.1 4000 say:hello rst
is 'places that are left are taken' "$(leave)" 'greeted 40, waiting 0, reset 0'
ok 'and all are left at last' until_true has_descriptors "$files"
stop

# A place that is left is taken at once, and not when it is looked for the next time.
forward --to 10.0.0.2 --max-conns 1 4002:3005
answering "$container" 3005 say:1 end
for _ in 1 2 3 4 5 6 7 8 9; do
	rm -f "$tap_tmp/leaves"
	nsenter -t "$lan" -n "$HELPERS/wire" 192.0.2.1 4002 hear:1 wait:"$tap_tmp/leaves" rst >"$tap_tmp/first" &
	first=$!
	until_true grep -q 1 "$tap_tmp/first"
	nsenter -t "$lan" -n "$HELPERS/wire" 192.0.2.1 4002 hear:1 rst >"$tap_tmp/second" &
	second=$!
	until_true grep -q connected "$tap_tmp/second"
	touch "$tap_tmp/leaves"
	wait $first
	began=$(date +%s%N)
	wait $second
	echo $((($(date +%s%N) - began) / 1000000)) >>"$tap_tmp/waits"
done
is_sanitized || below 'who waits for a place has it as soon as it is left' "$(sort -n "$tap_tmp/waits" | sed -n 5p)" 35
stop

# Memory: what it has, and a little more.
forward --to 10.0.0.2 4000:3000 4002:3002
if is_sanitized; then
	skip 'out of memory, nobody is reset' 'the sanitizers need memory without limit'
else
	until_true at_most 200
	befriend
	limit=$(awk '/^VmSize/ { print ($2 + 150) * 1024 }' "/proc/$engine/status")
	prlimit --pid "$engine" --as="$limit:$limit"
	crowd memory 2500 4000
	ok 'out of memory, it serves those it can' test "$(greeted)" -ge 100
	ok 'and no others' test "$(greeted)" -lt 2500
	has 'and nobody is reset' "$(cat "$saw")" 'reset 0'
	rests 'those who wait cost no processor time'
	still 'who was there before does not notice'
	is 'memory that comes back is used' "$(leave)" 'greeted 2500, waiting 0, reset 0'
fi
stop
is 'it ends as it should' "$status" 0

# Local ports: many, and all of them in TIME_WAIT. Nobody else waits while they are looked through.
answering "$container" 3004 hear:1 say:1 end
greeting "$container" 3003 stay
echo '32768 60999' >/proc/sys/net/ipv4/ip_local_port_range
at "$lan" sh -c 'echo 1024 65535 >/proc/sys/net/ipv4/ip_local_port_range'
forward --to 10.0.0.2 4000:3003 4002:3004
has 'as many as there are ports are served' \
	"$(at "$lan" "$HELPERS/crowd" file 28228 192.0.2.1 4000 10000 59999)" '28228 greeted'
crowd timewait 50 4000
below 'then there is hardly any' "$(greeted)" 25
has 'and nobody is refused' "$(cat "$saw")" 'reset 0'
rests 'to look through many ports again and again costs little'
is 'who goes elsewhere is served' "$(calls "$lan" 192.0.2.1 4002 say:1 hear:1 fin end)" 'connected 1 eof'
stop

# Local ports. The container closes first, which leaves its side in TIME_WAIT, and the ports free.
answering "$container" 3001 say:! wait:"$tap_tmp/close"
echo '40000 40099' >/proc/sys/net/ipv4/ip_local_port_range
for to in 10.0.0.2 fd00::2; do
	rm -f "$tap_tmp/close" "$tap_tmp/ports.go"
	forward --to "$to" 4000:3001
	crowd ports 130 4000
	is "as many at once as there are local ports towards $to" "$(greeted)" 100
	has 'and nobody is refused' "$(cat "$saw")" 'waiting 30, reset 0'
	rests 'those who wait for a port cost little'
	touch "$tap_tmp/close"
	until_true sh -c "[ -z \"\$(nsenter -t $container -n ss -Htn state established sport = :3001)\" ]"
	is 'they get it when it is free' "$(leave)" 'greeted 130, waiting 0, reset 0'
	stop
done
finish
