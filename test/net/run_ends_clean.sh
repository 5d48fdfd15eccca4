#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# `portpub run` is a keeper in the foreground: it ends by a signal, with its container or its lease, and takes along all
# that it has published.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../publish.sh"

serve "$container" 80 container
talker "$container" tcp 90 container
first=$(sysctls)
export NOTIFY_SOCKET="$tap_tmp/notify"
"$HELPERS/notified" "$NOTIFY_SOCKET" >"$tap_tmp/notified" &
pids="$pids $!"
until_true grep -q listening "$tap_tmp/notified"
begun=0
# runs ARGUMENTS...: $runner is its pid, $tap_tmp/runs what it says.
runs() {
	: >"$tap_tmp/runs"
	"$PORTPUB" run --id web "$@" >>"$tap_tmp/runs" 2>"$tap_tmp/runs.err" &
	runner=$!
	begun=$((begun + 1))
	pids="$pids $runner"
	until_true [ -s "$tap_tmp/runs" ] || cat "$tap_tmp/runs.err" >&2
}
# The service manager has been told of all that have begun, and that the last of them ends.
told() { [ "$(grep -c READY=1 "$tap_tmp/notified") $(tail -n 1 "$tap_tmp/notified")" = "$begun STOPPING=1" ]; }
# ended CLAIM: with 0, and nothing is left.
ended() {
	wait "$runner"
	is "$1: with 0, and nothing is left" "$? $(left_over)$(ss -Hltun)$("$PORTPUB" list)" '0 '
	is "$1: the sysctls are as they were" "$(sysctls)" "$first"
	ok "$1: the service manager is told" until_true told
}

for signal in TERM INT; do
	runs --to 10.0.0.2 80:80 127.0.0.1:81:80 90:90
	is 'it says what it has published' "$(paste -sd ' ' "$tap_tmp/runs")" '80:80/tcp 127.0.0.1:81:80/tcp 90:90/tcp'
	is 'which is served, by both paths' "$(ask "$lan" http://192.0.2.1/) $(ask 0 'http://[::1]/')" 'hello from container, 192.0.2.2 hello from container, 10.0.0.1'
	is 'it is listed as its own keeper' "$(keeper web)$("$PORTPUB" check)" "$runner"
	kill -$signal $runner
	ended "by SIG$signal"
done

runs --to 10.0.0.2 --json 80:80
is 'in JSON, as list has it' "$(jq -c '[.id, .publications[0].host_port, ([.paths[].path] | unique)]' "$tap_tmp/runs")" '["web",80,["kernel","userspace"]]'
run "$PORTPUB" del web
is 'del ends it' "$status $err" '0 '
ended 'by del'
runs --to 10.0.0.2 80:80
kill -STOP $runner
run timeout 15 "$PORTPUB" del web
wait $runner
is 'one that is stopped is killed' "$status $err $? $(left_over)$(ss -Hltun)" '0  137 '
runs --to 10.0.0.2 80:80
lock=$(find "$PORTPUB_RUNTIME_DIR" -name lock)
exec 9<"$lock"
flock 9
kill -TERM $runner
waits() { [ -z "$(ss -Hltn)" ] && is_waiting $runner; }
until_true waits
/bin/kill -q 2 -s USR1 $runner
ok 'one that waits to remove what somebody removes hears of it' until_true has_ended $runner
exec 9<&-
wait $runner
is 'and ends with 0' $? 0
del web

# Those who are served finish.
for how in 'TERM --drain 20s' USR1; do
	signal=${how%% *} drain=${how#"$signal"}
	# shellcheck disable=SC2086 # words are wanted
	runs --to 10.0.0.2 $drain --via userspace 90:90
	tcp "$lan" 5000 192.0.2.1 90
	is "$how: somebody is served" "$(says)" container
	kill -"$signal" $runner
	until_true sh -c "[ -z \"\$(ss -Hltn 'sport = :90')\" ]"
	is "$how: and goes on" "$(says)" container
	is "$how: nobody else is" "$(ask "$lan" http://192.0.2.1:90/)" 'curl: 7'
	exec 7>&-
	rm "$tap_tmp/in5000"
	ended "$how: with the last connection"
done

# With its container, or its lease.
nsenter -t "$container" -n sleep 300 &
main=$!
pids="$pids $main"
until_true sh -c "[ \"\$(readlink /proc/$main/ns/net)\" = \"\$(readlink /proc/$container/ns/net)\" ]"
runs --pid $main 80:80
release $main
ended 'with its container'
runs --to 10.0.0.2 --ttl 1s 80:80
ended 'with its lease'

# Told on standard error, which stays what it is.
runs --to 10.0.0.2 --status-fd 2 80:80
until_true grep -qx 0 "$tap_tmp/runs.err"
is 'it tells its status' "$(tail -n 1 "$tap_tmp/runs.err")" 0
is 'where it says more' "$(readlink "/proc/$runner/fd/2")" "$tap_tmp/runs.err"
kill -TERM $runner
ended 'then by SIGTERM'

# Killed, it is like any keeper that was.
runs --to 10.0.0.2 80:80
kill -KILL $runner
wait $runner 2>/dev/null
is 'when it is killed the kernel goes on' "$(ask "$lan" http://192.0.2.1/)" 'hello from container, 192.0.2.2'
run "$PORTPUB" check
is 'and check tells' "$status $out" '1 the keeper of web has ended: portpub restore begins another'
runs --to 10.0.0.2 --replace 80:80
is 'another takes its place' "$(keeper web) $("$PORTPUB" check)" "$runner "
run timeout 5 "$PORTPUB" run --to 10.0.0.2 --id other 80:80
is 'and a second one is refused' "$status $out $err" '3  portpub: 80:80/tcp: already published by web'
first_one=$runner
runs --to 10.0.0.2 --replace 80:80
wait $first_one
is 'but one in its place is not' "$? $(keeper web) $(ask 0 'http://[::1]/')" "0 $runner hello from container, 10.0.0.1"
kill -TERM $runner
ended 'at last'

# What cannot be published after all is undone, and said: here the record is not to be had where it belongs.
active=$(find "$PORTPUB_RUNTIME_DIR" -type d -name active)
mount --bind "$active" "$active"
for how in 'run' 'add'; do
	run timeout 20 "$PORTPUB" $how --id web --to 10.0.0.2 80:80
	is "$how: exit status 1, and no answer" "$status $out" '1 '
	is "$how: the error says why" "${err##*: }" 'Invalid cross-device link'
	is "$how: nothing is left" "$(left_over)$(ss -Hltun)$(keepers)" ''
done
umount "$active"
finish
