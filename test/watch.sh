# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # what is set here is read by those who source it; hosts.sh has the machines
# For tests of what outlives a flush: source this after publish.sh and forward.sh.

# watch: $watcher is the pid of one that has made its first pass; $told is what it says.
watches=0
watch() {
	watches=$((watches + 1))
	told="$tap_tmp/told$watches"
	NOTIFY_SOCKET="$manager" "$PORTPUB" watch >"$told" 2>&1 &
	watcher=$! engine=$! # for is_sanitized
	pids="$pids $watcher"
	until_true sh -c "[ \$(grep -c READY=1 '$tap_tmp/notified') = $watches ]" || cat "$told" >&2
}

# ends SIGNAL: send it to the watcher; $status is how it ended, 137 where that took SIGKILL.
is_over() { ! kill -0 "$watcher" || grep -q "^State:.*zombie" "/proc/$watcher/status"; }
ends() {
	kill "-$1" "$watcher"
	until_true is_over || kill -KILL "$watcher"
	wait "$watcher"
	status=$?
}

# crowd_asks PORT: 64 clients outside, who exchange a byte with the container all the time.
crowd_asks() {
	rm -f "$tap_tmp/go" "$tap_tmp/crowd"
	: >"$tap_tmp/crowd"
	nsenter -t "$lan" -n "$HELPERS/keepalive" ask 64 192.0.2.1 "$1" "$tap_tmp/go" >"$tap_tmp/crowd" 2>&1 &
	asking=$!
	pids="$pids $asking"
	until_true grep -q ready "$tap_tmp/crowd"
}

# crowd_ends: $broken is what came of them.
crowd_ends() {
	: >"$tap_tmp/go"
	wait "$asking"
	broken=$(grep broken "$tap_tmp/crowd")
	echo "# $(grep worst "$tap_tmp/crowd")"
}

# Is all back? A condition to wait for.
is_clean() { "$PORTPUB" check >/dev/null 2>&1; }
all_back() { until_true is_clean; }

manager=${manager:-$tap_tmp/notify}
"$HELPERS/notified" "$manager" >"$tap_tmp/notified" &
pids="$pids $!"
until_true grep -q listening "$tap_tmp/notified"
