# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
# shellcheck disable=SC2034 # what is set here is read by those who source it
# For tests of what is published: source this after hosts.sh. Records go to a directory of the test's own.
: "${HELPERS:?the directory of the programs that help}"
# shellcheck disable=SC2154 # tap.sh makes the directory
export PORTPUB_RUNTIME_DIR="$tap_tmp/run"

# add ARGUMENTS..., del ARGUMENTS...: said to whom it concerns; `run add ...` keeps what it says.
add() { "$PORTPUB" add --no-keeper "$@"; }
del() { "$PORTPUB" del "$@"; }

# What the kernel has, and what is on disk, to compare before and after; counters aside.
kernel() { nft list ruleset | sed 's/packets [0-9]* bytes [0-9]*/packets N/'; }
disk() { find "$PORTPUB_RUNTIME_DIR" -mindepth 1 -type d -printf '%P\n' -o -printf '%P: ' -exec cat {} \; -printf '\n' | sort; }
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
	find "$PORTPUB_RUNTIME_DIR" -mindepth 2 ! -name lock \
		! -path '*/net*/active' ! -path '*/net*/adding' ! -path '*/net*/deleting' ! -path '*/net*/use' ! -path '*/net*/was'
}

# hold MACHINE PROTOCOL ADDRESS PORT ...: $holder is the pid of the process that has these sockets.
hold() {
	where=$1
	shift
	nsenter -t "$where" -n "$HELPERS/hold" "$@" >"$tap_tmp/holds" &
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
