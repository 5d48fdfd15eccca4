#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# docker-proxy.kernel = on: the container sees who asks, and when docker-proxy has ended, however that was, nothing of
# it stays in anybody's way.
# shellcheck disable=SC2046,SC2086,SC2119 # words are wanted; stop has arguments of its own
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../publish.sh"
. "${0%/*}/../dockerd.sh"
conf=$tap_tmp/portpub.conf
export PORTPUB_CONFIG="$conf"
on() { echo 'docker-proxy.kernel = on' >"$conf"; }
ids() { "$PORTPUB" list --json | jq -r '[.[].id] | join(" ")'; }
# crash: kill -9, as nobody is told.
crash() {
	kill -KILL "$child"
	wait "$dockerd"
}

serve "$container" 80 container
serve_udp "$container" 53 container
usual=$(flags 0.0.0.0 8080 10.0.0.2 80)

echo 'docker-proxy.kernel = off' >"$conf"
start $usual
is 'off: the container sees the bridge' "$(ask "$lan" http://192.0.2.1:8080/)" 'hello from container, 10.0.0.1'
is 'off: there is no table' "$(nft list tables) $(ids)" ' '
stop

on
start $usual
is 'on: ready is one write, and the end' "$(said "$tap_tmp/said") $(listens 8080)" "read 0\\n rest  tcp 0.0.0.0:8080 $child"
is 'the first to ask is seen as who it is' "$(ask "$lan" http://192.0.2.1:8080/)" 'hello from container, 192.0.2.2'
is 'this host is answered, too' "$(ask 0 http://127.0.0.1:8080/ | cut -d, -f1)" 'hello from container'
is 'it is published by what it is' "$(ids)" docker-tcp-0.0.0.0-8080
run "$PORTPUB" check
is 'records, kernel and keepers agree' "$status $out$err" '0 '
is 'another one of the port is told' "$(try $(flags 192.0.2.1 8080 10.0.0.2 80))" \
	'read 1\nlisten tcp4 192.0.2.1:8080: bind: address already in use rest  exit 1'
is '... and changes nothing' "$(ids) $(ask "$lan" http://192.0.2.1:8080/)" \
	'docker-tcp-0.0.0.0-8080 hello from container, 192.0.2.2'
nft flush ruleset
ok 'what somebody flushes is put back' until_true sh -c 'nft list table inet portpub | grep -q 8080'
stop INT
is 'SIGINT: it ends well, and nothing is left' "$ended $(left_over)" 'exit 0 '
start $usual
stop
is 'SIGTERM: the same' "$ended $(left_over)" 'exit 0 '

talker "$container" tcp 81 container
start $(flags 0.0.0.0 8081 10.0.0.2 81)
tcp "$lan" 40000 192.0.2.1 8081
before=$(says)
stop
is 'a connection of a container that lives on does so, too' "$before $ended $(says) $(left_over)" \
	'container exit 0 container '
exec 7>&-

start $(flags 0.0.0.0 5353 10.0.0.2 53 udp)
is 'datagrams come from who sends them' "$(ask_udp "$lan" 192.0.2.1 5353)" 'hello from container, 192.0.2.2'
stop
is 'nothing is left of UDP' "$ended $(left_over)" 'exit 0 '
talker "$container" udp 54 container
start $(flags 0.0.0.0 5354 10.0.0.2 54 udp)
before=$(udp "$lan" 40001 192.0.2.1 5354)
stop
is 'a flow of datagrams has ended, before anybody takes the port' \
	"$before $(udp "$lan" 40001 192.0.2.1 5354)" 'container refused'
start $(flags :: 8080 fd00::2 80)
is 'IPv6 is the same' "$(ask "$lan" 'http://[2001:db8::1]:8080/') $(ids)" 'hello from container, 2001:db8::2 docker-tcp-__-8080'
is 'but for ::1, which it carries itself' "$(ask 0 'http://[::1]:8080/' | cut -d, -f1)" 'hello from container'
stop
start $(flags :: 8080 10.0.0.2 80)
is 'what the kernel carries nothing of is forwarded alone' "$(ask "$lan" 'http://[2001:db8::1]:8080/') $(ids)" \
	'hello from container, 10.0.0.1 '
stop
order='-l tcp:0.0.0.0:8080'
start $usual -use-listen-fd
is 'so is a socket that dockerd has bound' "$(ask "$lan" http://192.0.2.1:8080/) $(ids)" \
	'hello from container, 192.0.2.2 docker-tcp-0.0.0.0-8080'
stop
order='-l tcp::::8080'
start $(flags :: 8080 10.0.0.2 80) -use-listen-fd
is 'and one of both families, of which the kernel carries one' \
	"$(ask "$lan" http://192.0.2.1:8080/) $(ask "$lan" 'http://[2001:db8::1]:8080/') $(ids)" \
	'hello from container, 192.0.2.2 hello from container, 10.0.0.1 docker-tcp-8080'
stop
order='-g'
is 'when dockerd has given up nothing is left' "$(try $usual) $(left_over)" 'exit 1 '
order=

start $usual
crash
is 'kill -9: the rules are still there' "$(ids) $(ask "$lan" http://192.0.2.1:8080/)" \
	'docker-tcp-0.0.0.0-8080 hello from container, 192.0.2.2'
start $(flags 0.0.0.0 8080 10.0.0.3 80)
is 'until the next one takes the port over' "$(said "$tap_tmp/said") $(ids) $("$PORTPUB" list --json | jq -r '.[].targets[].address')" \
	'read 0\n rest  docker-tcp-0.0.0.0-8080 10.0.0.3'
crash
start $(flags 192.0.2.1 8080 10.0.0.2 80)
is 'or one at another address needs it' "$(said "$tap_tmp/said") $(ids)" 'read 0\n rest  docker-tcp-192.0.2.1-8080'
crash
run "$PORTPUB" restore
is 'or restore, which begins no keeper for it' "$status $out $err $(left_over)" \
	'0 nothing was missing portpub: removed docker-tcp-192.0.2.1-8080, whose container has ended '
start $usual
crash
unshare --pid --fork --mount-proc "$PORTPUB" gc
is 'who does not know its process by that number leaves it alone' "$(ids)" docker-tcp-0.0.0.0-8080
run "$PORTPUB" gc
is 'or gc' "$status $out $err $(left_over)" \
	'0  portpub: removed docker-tcp-0.0.0.0-8080, whose container has ended '
is '... all of them have ended' "$(keepers)" ''

# As after a kill -9 of dockerd: the next one is started before the last one has the lock to put things in order.
start $usual
old=$child
exec 8<"$(echo "$PORTPUB_RUNTIME_DIR"/*/lock)"
flock 8
kill -INT "$old"
until_true sh -c "! ss -Hltn 'sport = :8080' | grep -q ."
kill -STOP "$old"
until_true grep -q "^State:.T" "/proc/$old/status" # or else it may get the lock yet
exec 8<&-
began=$(date +%s%3N)
start $usual
took=$(($(date +%s%3N) - began))
kill -CONT "$old"
is 'one whose port is asked for again while it ends is in nobody'"'"'s way' \
	"$(said "$tap_tmp/said" | cut -c1-13) $(ask "$lan" http://192.0.2.1:8080/)" 'read 0\n rest hello from container, 192.0.2.2'
ok "... and is not waited for (all in all $took ms)" [ "$took" -lt 900 ]
ok '... and ends' until_true has_ended "$old"
is '... without taking anything away' "$(ids) $(ask "$lan" http://192.0.2.1:8080/)" \
	'docker-tcp-0.0.0.0-8080 hello from container, 192.0.2.2'
stop

run add --id web 8080:80 --to 10.0.0.3,fd00::3
is 'what is published by another is taken' "$(try $usual)" \
	'read 1\naddress already in use: host port 0.0.0.0:8080/tcp is already published by web rest  exit 1'
run del web
by='unshare -U'
start $usual
is 'without the right to make rules it does without' "$(ask "$lan" http://192.0.2.1:8080/) $(ids)" \
	'hello from container, 10.0.0.1 '
stop
by=
echo 'docker-proxy.kernle = on' >"$conf"
is 'a configuration that is wrong is told to dockerd' "$(try $usual)" \
	"read 1\\n$conf:1: docker-proxy.kernle = on: no such key: there are default-address, via and docker-proxy.kernel rest  exit 1"
is 'at the end there is nothing' "$(left_over)$(keepers)" ''
finish
