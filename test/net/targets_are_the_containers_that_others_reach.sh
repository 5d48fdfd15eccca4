#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# `targets` lists every network namespace but our own, with what others can reach in it, and no more.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
: "${HELPERS:?the directory of the programs that help}"

# hold MACHINE PROTOCOL ADDRESS PORT ...: $holder is the pid of the process that does.
hold() {
	where=$1
	shift
	nsenter -t "$where" -n "$HELPERS/hold" "$@" >"$tap_tmp/holds$where" &
	holder=$!
	pids="$pids $holder"
	until_true grep -q ready "$tap_tmp/holds$where"
}

# of PID FILTER: what --json says of the container of that process. Also of those above us, if we are root.
of() {
	"$PORTPUB" targets --json 2>/dev/null | jq -c ".[] | select(.pid == $1) | $2"
}
listening='[.listening[] | "\(.address):\(.port)/\(.protocol)"] | join(" ")'
ours="[.[].pid | select(. == ($container, $neighbour, $lan, $$))] | sort | map(tostring) | join(\" \")"

is 'an idle container is listed' "$(of "$container" '[.listening, .closed]')" '[[],null]'
hold "$container" tcp '' 80 tcp 127.0.0.1 81 tcp ::1 82 tcp 10.0.0.2 83 tcp :: 84 tcp 0.0.0.0 85 tcp 0.0.0.0 85 \
	udp '' 53 udp 127.0.0.11 54 udp 224.0.0.251 5353 udp 0.0.0.0 40000 tcp 0.0.0.0 40000 tcp 127.0.0.1 80
worker=$holder
at "$neighbour" sh -c 'echo 20000 30000 >/proc/sys/net/ipv4/ip_local_port_range'
hold "$neighbour" tcp 0.0.0.0 80 udp 0.0.0.0 25000 udp 0.0.0.0 40000
hold $$ tcp '' 99

run "$PORTPUB" targets --json
is 'it succeeds' "$status" 0
is 'every container is listed once, and not the host' "$(echo "$out" | jq -r "$ours")" \
	"$(printf '%s\n' "$container" "$neighbour" "$lan" | sort -n | paste -sd ' ')"
is 'what the host listens on is not listed' "$(echo "$out" | jq '[.[].listening[] | select(.port == 99)] | length')" 0
is 'it has the addresses that others reach, not those of loopback or of a link' \
	"$(of "$container" .addresses)" '["10.0.0.2","fd00::2"]'
is 'listeners have their address; loopback, multicast and the kernel'"'"'s choice of UDP ports are left out' \
	"$(of "$container" "$listening")" \
	'":80/tcp 10.0.0.2:83/tcp :::84/tcp 0.0.0.0:85/tcp 0.0.0.0:40000/tcp :53/udp"'
is 'the range of UDP ports that are clients is that of the container' \
	"$(of "$neighbour" "$listening")" '"0.0.0.0:80/tcp 0.0.0.0:40000/udp"'
is 'a listener has its process' "$(of "$container" '.listening[0].process')" "{\"name\":\"hold\",\"pid\":$worker}"
is 'the process that stands for it gives the name' "$(of "$lan" .name)" '"sleep"'
is 'the host reaches it by both addresses: routes are asked for at home' \
	"$(of "$container" .reachable)" '{"ipv4":"10.0.0.2","ipv6":"fd00::2"}'
ip addr add fd00::2/128 dev lo
is 'an address that the host has, too, does not lead there' \
	"$(of "$container" .reachable)" '{"ipv4":"10.0.0.2","ipv6":null}'
ip addr del fd00::2/128 dev lo

keys() { sed -n '/^\.Sh TARGETS/,/^\.Sh/s/^\.It Li //p' "${0%/*}/../../man/portpub.8" | sed 's/ , /\n/' | sort | paste -sd ' '; }
is 'the keys of a container stand in the manual, and no other' "$(of "$container" 'keys | join(" ")')" "\"$(keys)\""

run "$PORTPUB" targets
has 'the table has the first listener beside the first address' "$out" \
	"$(printf '%s  10.0.0.2     80/tcp hold (pid %s)' "$container" "$worker")"
has 'and the second below' "$out" "$(printf '  fd00::2      10.0.0.2:83/tcp hold (pid %s)' "$worker")"
ok 'it fits a terminal' test "$(echo "$out" | awk '{if (length > n) n = length} END {print n}')" -le 80

# A container that is known by no address: its network is its own, as it is rootless.
machine && island=$machine
hold "$island" tcp '' 80
is 'a container without an address is listed, and not reachable' \
	"$(of "$island" '[.addresses, (.listening | length), .reachable]')" '[[],1,null]'
at "$island" ip link add eth0 type bridge
at "$island" ip link set eth0 up
at "$island" ip addr add 10.0.2.100/24 dev eth0
is 'nor is one that only its own namespace knows' "$(of "$island" '[.addresses, .reachable]')" '[["10.0.2.100"],null]'
ip route add default via 192.0.2.2
is 'nor by the default route, which leads elsewhere' "$(of "$island" .reachable)" null

unshare -np --fork sleep 300 &
outer=$!
init_of() { inner=$(cat "/proc/$outer/task/$outer/children") && [ -n "$inner" ]; }
until_true init_of
is 'the init of a container stands for it, not who started it' \
	"$(of "$outer" .pid)/$(of "${inner% }" .pid)" "/${inner% }"
kill -KILL "${inner% }" # an init heeds nothing less; who started it ends with it
wait "$outer"

# Who has a user namespace, but not the network namespace that it is in, may go and not come back.
# shellcheck disable=SC2016 # the inner shell expands it
run unshare -Ur sh -c 'unshare -n sleep 300 & echo $!
	until [ "$(readlink /proc/$!/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.05; done
	"$PORTPUB" targets --json; echo $?; kill $!'
closed=$(echo "$out" | head -n 1)
is 'a container that may not be entered is listed and closed' \
	"$(echo "$out" | sed '1d;$d' | jq -c ".[] | select(.pid == $closed) | [.name, .addresses, .listening, .reachable, .closed]")" \
	'["sleep",[],[],null,"Operation not permitted"]'
is 'and is no failure' "$(echo "$out" | tail -n 1)" 0

kill "$lan"
until_true sh -c "! kill -0 $lan"
is 'a container whose processes have ended is not listed' "$(of "$lan" .pid)" ''
run "$PORTPUB" targets web
is 'it takes no arguments' "$status $err" '2 portpub: targets takes no arguments'
finish
