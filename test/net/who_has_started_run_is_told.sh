#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# `portpub run` tells whoever has started it how it goes: a service manager when it is ready and when it begins to end, a
# descriptor whether it is published; and ends with its parent where that is wanted.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../publish.sh"

serve "$container" 80 container
talker "$container" tcp 90 container

# A service manager, whose socket is in the file system, or in this network namespace alone.
notified() {
	: >"$tap_tmp/notified"
	"$HELPERS/notified" "$1" >>"$tap_tmp/notified" &
	manager=$!
	pids="$pids $manager"
	until_true grep -q listening "$tap_tmp/notified"
}
told() { sed 1d "$tap_tmp/notified" | paste -sd ' '; }
has_told() { [ "$(told)" = "$1" ]; }
# runs ARGUMENTS...: $runner is its pid; it has answered.
runs() {
	: >"$tap_tmp/runs"
	"$PORTPUB" run --id web "$@" >>"$tap_tmp/runs" 2>"$tap_tmp/runs.err" &
	runner=$!
	pids="$pids $runner"
	until_true [ -s "$tap_tmp/runs" ] || cat "$tap_tmp/runs.err" >&2
}

for place in "$tap_tmp/manager" @manager; do
	of=${place##*/}
	notified "$place"
	export NOTIFY_SOCKET="$place"
	for how in '--to 10.0.0.2' "--via userspace --pid $container"; do
		: >"$tap_tmp/notified"
		echo listening >>"$tap_tmp/notified"
		# shellcheck disable=SC2086 # words are wanted
		runs $how --drain 20s 80:80 90:90
		ok "$of, $how: it is ready when all is published" until_true has_told READY=1
		is "$of, $how: which it is" "$(ask 0 'http://[::1]/' | sed 's/,.*//')" 'hello from container'
		tcp $$ 5000 ::1 90
		is "$of, $how: somebody is served" "$(says)" container
		kill -TERM $runner
		ok "$of, $how: it stops while they finish" until_true has_told 'READY=1 STOPPING=1'
		is "$of, $how: which they do" "$(says)" container
		exec 7>&-
		rm "$tap_tmp/in5000"
		wait $runner
		is "$of, $how: it is said once" "$? $(told)" '0 READY=1 STOPPING=1'
	done
	: >"$tap_tmp/notified"
	echo listening >>"$tap_tmp/notified"
	runs --to 10.0.0.2 --ttl 1s 80:80
	wait $runner
	is "$of: it stops with its lease, too" "$? $(told)" '0 READY=1 STOPPING=1'
	release $manager
	runs --to 10.0.0.2 80:80
	kill -TERM $runner
	wait $runner
	is "$of: where nobody listens it is quiet" "$? $(grep -c -i notif "$tap_tmp/runs.err")" '0 0'
done
unset NOTIFY_SOCKET

# A descriptor: told, and closed, so that who reads it comes to the end.
mkfifo "$tap_tmp/status"
cat "$tap_tmp/status" >"$tap_tmp/read" &
reader=$!
"$PORTPUB" run --id web --to 10.0.0.2 --status-fd 8 80:80 8>"$tap_tmp/status" >/dev/null 2>&1 &
runner=$!
pids="$pids $runner $reader"
ok 'whoever reads the descriptor comes to its end while it runs' until_true has_ended $reader
is 'and reads that it is published' "$(od -An -c "$tap_tmp/read" | tr -d ' ') $(keeper web)" "0\\n $runner"
run sh -c '"$PORTPUB" run --to 10.0.0.2 --status-fd 8 80:80 8>"$0"' "$tap_tmp/failed"
is 'a port that is taken is told there, too' "$status $(cat "$tap_tmp/failed")" "3 1
${err#portpub: }"
kill -TERM $runner
wait $runner
for wrong in '' x 12x -1 99 99999999999; do
	run "$PORTPUB" run --to 10.0.0.2 --status-fd "$wrong" 80:80
	is "--status-fd '$wrong' is refused" "$status $out" '2 '
done

# Its parent: a shell that waits for it, and is killed. An ordinary user becomes another one in between.
dies() {
	promise=$1
	shift
	: >"$tap_tmp/runs"
	sh -c '"$@" & echo $! >"$0"; wait' "$tap_tmp/child" "$@" >>"$tap_tmp/runs" 2>/dev/null &
	parent=$!
	pids="$pids $parent"
	until_true grep -q /tcp "$tap_tmp/runs"
	child=$(cat "$tap_tmp/child")
	kill -KILL $parent
	wait $parent 2>/dev/null
	ok "$promise: it ends with its parent" until_true has_ended "$child"
	is "$promise: and nothing is left" "$("$PORTPUB" list)$(left_over)$(ss -Hltn)" ''
}
dies 'by rules' "$PORTPUB" run --die-with-parent --to 10.0.0.2 80:80
dies 'inside a container' "$PORTPUB" run --die-with-parent --via userspace --pid "$container" 80:80
unshare -U --map-user=1000 --map-group=1000 sleep 300 &
user=$!
pids="$pids $user"
until_true grep -q 1000 "/proc/$user/uid_map"
nsenter -t $user -U --preserve-credentials unshare -Urn sleep 300 &
theirs=$!
pids="$pids $theirs"
until_true sh -c "[ \"\$(readlink /proc/$theirs/ns/net)\" != \"\$(readlink /proc/self/ns/net)\" ]"
dies 'inside that of an ordinary user' nsenter -t $user -U --preserve-credentials \
	"$PORTPUB" run --die-with-parent --pid $theirs --to 127.0.0.1 4000:80
finish
