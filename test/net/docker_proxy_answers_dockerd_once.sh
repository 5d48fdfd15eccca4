#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# One word on the status pipe, and the end of it: what dockerd's user reads when a port cannot be had. Whatever else
# is descriptor 3 is somebody's own.
# shellcheck disable=SC2046,SC2086,SC2119 # words are wanted; stop has arguments of its own
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../dockerd.sh"

serve "$container" 80 container
usual=$(flags 192.0.2.1 8080 10.0.0.2 80)

says() {
	for protocol in tcp udp; do
		start $(flags 192.0.2.1 8080 10.0.0.2 80 $protocol)
		is "$name: ready is one write, and the end, while $protocol is served" "$(said "$tap_tmp/said") $(listens 8080)" \
			"read 0\\n rest  $protocol 192.0.2.1:8080 $child"
		is "$name: another one of $protocol is told" "$(try $(flags 192.0.2.1 8080 10.0.0.2 80 $protocol))" \
			"read 1\\nlisten ${protocol}4 192.0.2.1:8080: bind: address already in use rest  exit 1"
		is "$name: also one of every address" "$(try $(flags 0.0.0.0 8080 10.0.0.2 80 $protocol))" \
			"read 1\\nlisten ${protocol}4 0.0.0.0:8080: bind: address already in use rest  exit 1"
		stop
		start $(flags '::' 8080 fd00::2 80 $protocol)
		is "$name: in IPv6 $protocol has brackets" "$(try $(flags '::' 8080 fd00::2 80 $protocol))" \
			"read 1\\nlisten ${protocol}6 [::]:8080: bind: address already in use rest  exit 1"
		stop
	done
	is "$name: an address of another host" "$(try $(flags 192.0.2.9 8080 10.0.0.2 80))" \
		'read 1\nlisten tcp4 192.0.2.9:8080: bind: cannot assign requested address rest  exit 1'
	# In a user namespace of its own it has no rights in this network namespace.
	by='unshare -U'
	is "$name: a port for the privileged" "$(try $(flags 192.0.2.1 80 10.0.0.2 80))" \
		'read 1\nlisten tcp4 192.0.2.1:80: bind: permission denied rest  exit 1'
	by=
}
both says

# Of these the real one says nothing, or goes on as if they were something else.
is 'portpub: a protocol that is none is told' "$(try $(flags 192.0.2.1 8080 10.0.0.2 80 dccp))" \
	'read 1\nunsupported protocol dccp rest  exit 1'
for wrong in '-host-ip 192.0.2.300' '-host-ip host' '-host-ip=' '-host-ip [::1]' '-container-ip 10.0.0.2.1' '-container-ip='; do
	flag=${wrong%%[ =]*} value=${wrong#"$flag"}
	is "portpub: $wrong is told" "$(try $usual $wrong)" "read 1\\n${flag#-}: ${value#?} is not an IP address rest  exit 1"
done
for wrong in '-host-port 65536' '-host-port -1' '-container-port 0' '-container-port 70000'; do
	flag=${wrong% *}
	is "portpub: $wrong is told" "$(try $usual $wrong)" "read 1\\n${flag#-}: ${wrong#* } is not a port rest  exit 1"
done
is 'portpub: a text is one line, and printable' "$(try $usual -host-ip "$(printf 'x\n\033[2J')")" \
	'read 1\nhost-ip: x\x0a\x1b[2J is not an IP address rest  exit 1'

# The real one then holds the port for ever.
for signals in blocked open ignored; do
	order="-g -s $signals"
	is "portpub: when dockerd has given up it ends, signals $signals" \
		"$(try $usual) $(listens 8080)" 'exit 1 '
done
order=

# by_hand FILE: with descriptor 3 on it, until it serves.
by_hand() {
	"$proxy" $usual 3<>"$1" &
	hand=$!
	pids="$pids $hand"
	until_true sh -c "[ \"\$(curl -s --max-time 3 http://192.0.2.1:8080/)\" ]"
}
# The real one writes into it, and closes it.
echo mine >"$tap_tmp/mine"
by_hand "$tap_tmp/mine"
is 'portpub: a file that is descriptor 3 is left alone' "$(cat "$tap_tmp/mine") $(readlink "/proc/$hand/fd/3")" \
	"mine $tap_tmp/mine"
run "$proxy" $usual 3<>"$tap_tmp/mine"
is 'portpub: errors go to standard error then' "$status $out$err $(cat "$tap_tmp/mine")" \
	'1 docker-proxy: listen tcp4 192.0.2.1:8080: bind: address already in use mine'
kill $hand
wait $hand
is 'portpub: it ends well' $? 0
by_hand /dev/null
is 'portpub: so is a device' "$(readlink "/proc/$hand/fd/3")" /dev/null
kill $hand
wait $hand
exec 3<&-
"$proxy" $usual 3<&- &
hand=$!
pids="$pids $hand"
ok 'portpub: and nothing there is nothing to answer' \
	until_true sh -c "[ \"\$(curl -s --max-time 3 http://192.0.2.1:8080/)\" ]"
kill $hand
wait $hand
finish
