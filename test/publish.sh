# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
# shellcheck disable=SC2034 # what is set here is read by those who source it
# For tests of what is published: source this after hosts.sh. Records go to a directory of the test's own.
: "${HELPERS:?the directory of the programs that help}"
# shellcheck disable=SC2154 # tap.sh makes the directory
export PORTPUB_RUNTIME_DIR="$tap_tmp/run"

# add ARGUMENTS..., rules alone; keep ARGUMENTS..., with a keeper; del ARGUMENTS...: said to whom it concerns; `run add ...`
# keeps what it says.
add() { "$PORTPUB" add --no-keeper "$@"; }
keep() { "$PORTPUB" add "$@"; }
del() { "$PORTPUB" del "$@"; }

# What the kernel has, and what is on disk, to compare before and after; counters aside.
kernel() { nft list ruleset | sed 's/packets [0-9]* bytes [0-9]*/packets N/'; }
disk() {
	find "$PORTPUB_RUNTIME_DIR" -mindepth 1 -printf '%P
' | sort
	find "$PORTPUB_RUNTIME_DIR" -type f ! -path '*/kept/*' -exec grep -H '' {} + | sort
}
sysctls() {
	for sysctl in ipv4/ip_forward ipv4/conf/br0/route_localnet ipv6/conf/all/forwarding \
		ipv6/conf/br0/force_forwarding ipv6/conf/lan0/force_forwarding ipv6/conf/lan0/accept_ra; do
		if [ -e /proc/sys/net/$sysctl ]; then echo "$sysctl $(cat /proc/sys/net/$sysctl)"; fi
	done
}
everything() { kernel && disk && sysctls; }

# Nothing of anybody's: no element, no record, no user of anything, no value to put back, no odd file.
left_over() {
	nft list ruleset | sed -n '/elements = /,/}/p' | head -n 20
	find "$PORTPUB_RUNTIME_DIR" -mindepth 2 ! -name lock ! -name 'anchor-[12]' \
		! -path '*/net*/active' ! -path '*/net*/adding' ! -path '*/net*/deleting' ! -path '*/net*/use' ! -path '*/net*/was' ! -path '*/net*/kept'
}

# hold MACHINE PROTOCOL ADDRESS PORT ...: $holder is the pid of the process that has these sockets.
hold() {
	where=$1
	shift
	: >"$tap_tmp/holds" # what another has said, who may be gone
	nsenter -t "$where" -n "$HELPERS/hold" "$@" >>"$tap_tmp/holds" &
	holder=$!
	pids="$pids $holder"
	until_true grep -q ready "$tap_tmp/holds"
}

# release PID: end it.
release() { kill "$1" && wait "$1" 2>/dev/null; }

# talker MACHINE PROTOCOL PORT NAME: $talker is the pid of somebody who answers "NAME: ..." there.
talker() {
	nsenter -t "$1" -n "$HELPERS/talk" serve "$2" "$3" "$4" >"$tap_tmp/talks$4$2$3" &
	pids="$pids $!" talker=$!
	until_true grep -q ready "$tap_tmp/talks$4$2$3"
}

# udp MACHINE SOURCE_PORT ADDRESS PORT: who answers a datagram, "refused" or "lost". One flow by its source port.
udp() { echo hello | at "$1" "$HELPERS/talk" udp "$2" "$3" "$4" | sed 's/: hello//'; }

# tcp MACHINE SOURCE_PORT ADDRESS PORT: a connection that stays, for `says`. The test has one at a time.
tcp() {
	mkfifo "$tap_tmp/in$2"
	nsenter -t "$1" -n "$HELPERS/talk" tcp "$2" "$3" "$4" >"$tap_tmp/out$2" <"$tap_tmp/in$2" & # in this order: the second waits for us
	pids="$pids $!" connection=$2
	exec 7>"$tap_tmp/in$2"
}

# says: who answers on it, "closed" or "lost".
says() {
	said=$(wc -l <"$tap_tmp/out$connection")
	echo hello >&7
	until_true sh -c "[ \$(wc -l <'$tap_tmp/out$connection') -gt $said ]"
	tail -n 1 "$tap_tmp/out$connection" | sed 's/: hello//'
}

# keepers: the pids of all that keep what is published here, whoever lives; told by the directory of their records.
keepers() {
	for pid in $(pgrep -x portpub-keeper); do
		if grep -qsz "^PORTPUB_RUNTIME_DIR=$PORTPUB_RUNTIME_DIR\$" "/proc/$pid/environ"; then echo "$pid"; fi
	done
}

# keeper ID: the pid of the one that keeps it, "null" where there is none.
keeper() { "$PORTPUB" list "$1" --json | jq '.[0].keeper.pid'; }

# Conditions, to wait for: so many keepers, and a process that is no more.
has_keepers() { [ "$(keepers | wc -l)" = "$1" ]; }
has_ended() { ! grep -qs "^State:[[:space:]]*[A-WY]" "/proc/$1/status"; }

# kill_keeper ID: kill -9, and wait until it has ended. $killed is the pid.
kill_keeper() {
	killed=$(keeper "$1")
	kill -KILL "$killed"
	until_true has_ended "$killed"
}

# A keeper outlives who has begun it, and so the test, unless the test sees to it.
# shellcheck disable=SC2046,SC2086 # words are wanted
trap 'kill -KILL $(keepers) 2>/dev/null; kill $pids 2>/dev/null; wait $pids 2>/dev/null; rm -rf "$tap_tmp"' EXIT
