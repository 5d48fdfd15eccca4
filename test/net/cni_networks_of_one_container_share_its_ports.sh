#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Ports that somebody has: another network of the same container, another container, a container that is gone, a socket.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../publish.sh"
. "${0%/*}/../cni.sh"

serve "$container" 80 web
serve "$neighbour" 80 other
web='{"interface": 1, "address": "10.0.0.2/24"}' other='{"interface": 1, "address": "10.0.0.3/24"}'
answer() { ask "$lan" "http://192.0.2.1:$1/" | cut -d, -f1; }
# attach NETWORK CONTAINER ADDRESSES PORTS; detach NETWORK CONTAINER
attach() {
	network=$1 ips=$3 ports=$4
	run cni ADD "$2" eth0 "${5-/proc/$container/ns/net}"
}
detach() {
	network=$1
	run cni DEL "$2" eth0 ''
}
two="$(mapping 8080 80), $(mapping 8081 80)"

# One container, two networks. The addresses tell which of them has the port.
attach a web "$web" "$two"
attach b web "$other" "$two"
is 'a second network of the container takes the same ports without an error' "$status $err" '0 '
is 'the first has them' "$(answer 8080) $(answer 8081)" 'hello from web hello from web'
run cni CHECK web
is 'CHECK of the second agrees' "$status $out" '0 '
network=a ips=$web
run cni CHECK web
is 'and of the first' "$status $out" '0 '
detach a web
is 'when the first goes, the second has them' "$status $(answer 8080) $(answer 8081)" '0 hello from other hello from other'
is 'check agrees' "$("$PORTPUB" check)" ''
attach a web "$web" "$two"
detach b web
is 'and back' "$(answer 8080)" 'hello from web'
detach a web
is 'in the end nothing is left' "$(left_over)" ''

attach a web "$web" "$(mapping 8080 80)"
attach b web "{\"interface\": 1, \"address\": \"10.0.0.3/24\"}, {\"interface\": 1, \"address\": \"fd00::3/64\"}" "$(mapping 8080 80)"
is 'a family that only the second has is the second'"'"'s' "$(answer 8080) $(ask "$lan" 'http://[2001:db8::1]:8080/' | cut -d, -f1)" \
	'hello from web hello from other'
run cni CHECK web
is 'CHECK agrees with that' "$status $out" '0 '
detach a web
is 'and both are, when the first goes' "$(answer 8080) $(ask "$lan" 'http://[2001:db8::1]:8080/' | cut -d, -f1)" \
	'hello from other hello from other'
detach b web
is 'nothing is left of that' "$(left_over)" ''

attach a web "$web" "$two"
attach b web "$other" "$two"
detach b web
detach a web
is 'what waits may go first' "$(left_over)" ''
attach a web "$web" "$two"
attach b web "$other" "$two"
attach a web "$web" "$two"
is 'a second ADD of the first changes nothing' "$status $(answer 8080)" '0 hello from web'
attach a web "$web" "$(mapping 8080 80)"
is 'and one with fewer ports leaves what it had' "$status $(answer 8081 | sed 's/curl.*/nobody/')" '0 nobody'
detach a web
detach b web

# The same, all at once.
wrong=
for round in $(seq 10); do
	running=
	for n in 1 2 3 4; do
		(attach "n$n" web "$web" "$two" && echo "$status" >"$tap_tmp/status$n") 2>/dev/null &
		running="$running $!"
	done
	# shellcheck disable=SC2086 # words are wanted
	wait $running
	[ "$(cat "$tap_tmp"/status? | tr -d '\n')" = 0000 ] || wrong="$wrong; $(cat "$tap_tmp"/status?)"
	[ "$("$PORTPUB" list --json | jq '[.[].publications[].host_port] | length')" = 2 ] || wrong="$wrong; round $round: $("$PORTPUB" list)"
	running=
	for n in 1 2 3; do
		(detach "n$n" web) &
		running="$running $!"
	done
	# shellcheck disable=SC2086
	wait $running
	[ "$(answer 8080)" = 'hello from web' ] || wrong="$wrong; round $round: the last one has not got it"
	detach n4 web
	[ -z "$(left_over)" ] || wrong="$wrong; round $round: $(left_over)"
done
is 'four networks at once: each succeeds, one has the ports, and the last one keeps them' "$wrong" ''

# One comes while the other goes: it must not wait for who is gone already.
wrong=
for round in $(seq 40); do
	attach a web "$web" "$two"
	(detach a web) &
	leaving=$!
	(attach b web "$other" "$two") 2>/dev/null
	wait $leaving
	[ "$("$PORTPUB" list --json | jq -c '[.[].publications[].host_port]')" = '[8080,8081]' ] || wrong="$wrong; round $round: $("$PORTPUB" list --json)"
	detach b web
done
is 'one that comes while the other goes has the ports in the end' "$wrong" ''

# Another container.
attach a web "$web" "$(mapping 8080 80)"
everything >"$tap_tmp/before"
attach a other "$other" "$(mapping 9090 80), $(mapping 8080 80)"
is 'a port of another container is an error' "$status $(code)" '1 999'
has 'that names it' "$(message)" '8080/tcp is already published by cni-web-'
has 'and the container' "$(message)" '(container web)'
everything | diff "$tap_tmp/before" - >"$tap_tmp/diff"
is 'and nothing has changed' "$(cat "$tap_tmp/diff")" ''
keys='"onConflict": "keep"'
attach a other "$other" "$(mapping 9090 80), $(mapping 8080 80)"
is 'keep: it stays there, and the rest is published' "$status $(answer 8080) $(answer 9090)" '0 hello from web hello from other'
has 'with a warning' "$err" '1 ports are left to cni-web-'
detach a other
attach a other "$other" "$(mapping 8080 80)"
is 'keep: where nothing is left, nothing is published' "$status $("$PORTPUB" list --json | jq length)" '0 1'
keys='"onConflict": "replace"'
attach a web "$web" "$two"
attach a other "$other" "$(mapping 9090 80), $(mapping 8080 80)"
is 'replace: it is taken' "$status $(answer 8080) $(answer 8081) $(answer 9090)" '0 hello from other hello from web hello from other'
run add --to 10.0.0.2 --id taken 127.0.0.1:7070:80
attach a web "$web" "$(mapping 8080 80), $(mapping 7070 80)"
is 'replace: of what the operator has published, too' "$status $("$PORTPUB" who 7070 | grep -c taken)" '0 0'
detach a other
detach a web
is 'nothing is left of these' "$(left_over)" ''
# What has been displaced comes back when the rest cannot be had: nobody may displace an element without a record.
attach a web "$web" "$(mapping 8080 80)"
nft add element inet portpub any4 '{ tcp . 9090 : 10.0.0.9 . 80 }'
attach a other "$other" "$(mapping 8080 80), $(mapping 9090 80)"
is 'replace that fails: what was taken comes back' "$status $(answer 8080)" '1 hello from web'
nft delete element inet portpub any4 '{ tcp . 9090 }'
detach a web
keys=

# A container that is gone.
nsenter -t "$container" -n sleep 300 &
gone=$!
pids="$pids $gone"
until_true sh -c "[ \"\$(readlink /proc/$gone/ns/net)\" = \"\$(readlink /proc/$container/ns/net)\" ]"
attach a dead "$other" "$two" "/proc/$gone/ns/net"
is 'a container is there' "$status $(answer 8080)" '0 hello from other'
attach a web "$web" "$(mapping 8080 80)"
is 'it holds its ports' "$status" 1
release "$gone"
attach a web "$web" "$(mapping 8080 80)"
is 'whose network namespace is gone has no ports' "$status $(answer 8080) $("$PORTPUB" list --json | jq length)" '0 hello from web 1'
has 'which is said' "$err" 'gone'
detach a dead
is 'its DEL takes nothing from the new one' "$status $(answer 8080)" '0 hello from web'
detach a web
touch "$tap_tmp/netns"
mount --bind "/proc/$neighbour/ns/net" "$tap_tmp/netns"
attach a dead "$other" "$two" "$tap_tmp/netns"
umount "$tap_tmp/netns"
attach a web "$web" "$(mapping 8080 80)"
is 'nor has one whose path is an empty file now' "$status $(answer 8080)" '0 hello from web'
detach a web

# Two ADDs, of which one stops behind each of its effects while the other is on its way.
"$HELPERS/kill_at" 1 true >/dev/null 2>&1
traced=$?
# told FIRST NAME ADDRESSES PORTS: ADD; the file FIRST has the name if it has succeeded.
told() {
	ips=$3 ports=$4
	if cni ADD "$2" >"$tap_tmp/said-$1" 2>&1; then echo "$2" >"$tap_tmp/$1"; else : >"$tap_tmp/$1"; fi
}
cat >"$tap_tmp/stops" <<STOPS
#!/bin/sh
echo \$\$ >"$tap_tmp/tracer"
exec "$HELPERS/kill_at" -s \$step "$PORTPUB"
STOPS
chmod 755 "$tap_tmp/stops"
has_stopped() {
	stopped=
	[ ! -e "$tap_tmp/first" ] || return 0
	stopped=$(pgrep -P "$(cat "$tap_tmp/tracer")") && grep -q '^State:.T' "/proc/$stopped/status"
}
# Has it ended, or does it wait for the lock?
has_been() { [ -e "$tap_tmp/second" ] || grep -q -e "-> FLOCK.*:$(stat -c %i "$PORTPUB_RUNTIME_DIR"/*/lock) " /proc/locks; }
# meanwhile FIRST ADDRESSES PORTS SECOND ADDRESSES PORTS
meanwhile() {
	rm -f "$tap_tmp/first" "$tap_tmp/second" "$tap_tmp/tracer"
	(plugin=$tap_tmp/stops ASAN_OPTIONS=detect_leaks=0 && export ASAN_OPTIONS && told first "$1" "$2" "$3") & # leaks take ptrace for themselves
	first=$!
	until_true has_stopped
	told second "$4" "$5" "$6" &
	second=$!
	until_true has_been
	[ -z "$stopped" ] || kill -CONT "$stopped"
	wait $first $second
}
published() { "$PORTPUB" list --json | jq -r 'sort_by(.id) | .[] | .id[4:9] + "\(.publications | map(.host_port))" | sub("-.*\\["; " [")'; }

# One that comes back under its name, at any step of another that finds it gone, and wants its port.
wrong=
for step in $(seq 40); do # so many until it has the port, if it gets it
	[ $traced != 125 ] || break
	export step
	ln -s "/proc/$neighbour/ns/net" "$tap_tmp/link"
	attach a dead "$other" "$(mapping 8080 80)" "$tap_tmp/link"
	rm "$tap_tmp/link"
	meanwhile web "$web" "$(mapping 8080 80)" dead "$web" "$(mapping 8080 80)"
	have=$(cat "$tap_tmp/first" "$tap_tmp/second" | sed 's/$/ [8080]/') want=$(published)
	[ "$have" = "$want" ] || wrong="$wrong; step $step: $(echo "$have" | paste -sd ' ') instead of $want"
	detach a web
	detach a dead
done
if [ $traced = 125 ]; then
	skip 'who is told that it has a port has it' 'no ptrace here'
else
	is 'who is told that it has a port has it, at whatever step of another' "$wrong" ''
fi

# One that is added anew with another port, at any step of another that takes its first.
wrong='' keys='"onConflict": "replace"'
for step in $(seq 60); do
	[ $traced != 125 ] || break
	attach a web "$web" "$two"
	meanwhile dead "$other" "$(mapping 8080 80)" web "$web" "$(mapping 8082 80)"
	have=$(published | paste -sd ' ')
	[ "$have" = 'dead [8080] web [8082]' ] || wrong="$wrong; step $step: $have"
	detach a web
	detach a dead
done
keys=
if [ $traced = 125 ]; then
	skip 'who is added anew while another takes its port' 'no ptrace here'
else
	is 'who is added anew while another takes its port has what it asks for' "$wrong" ''
fi

# Sockets.
hold $$ tcp 0.0.0.0 8080
attach a web "$web" "$(mapping 8080 80)"
is 'a socket that listens is a warning' "$status $(answer 8080)" '0 hello from web'
has 'that names its process' "$err" 'in use by hold'
release "$holder"
hold $$ tcp 0.0.0.0 8080
is 'and nothing of ours keeps others from listening after ADD' "$(kill -0 "$holder" && echo there)" there
release "$holder"
detach a web
is 'nothing is left at all' "$(left_over)" ''
finish
