# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # what is set here is read by those who source it, and what is read is set by others
# For tests of commands that are killed at any step: source this after publish.sh.
export ASAN_OPTIONS=detect_leaks=0 # which needs ptrace for itself

"$HELPERS/kill_at" 1 true >/dev/null 2>&1
[ $? != 125 ] || skip_all 'no ptrace here'
quiet() { "$@" >/dev/null 2>&1; }
held() { ss -Hltun | awk '{ print $1, $5 }' | sort; }
# Without the time of day, in any order, as the kernel has its elements, and whichever of the anchors it is; with all
# sockets, and the count of keepers.
state() {
	everything | sed -E 's/"created":[0-9]+/"created":T/; s/elements = \{//; s/[,}]?$//; s/portpub-anchor-2/portpub-anchor/; s/^[\t ]*//; s/ *$//' | sort
	held
	keepers | wc -l
}
# soon COMMAND...: it is true within seconds.
soon() {
	for _ in $(seq 100); do
		if "$@"; then return; fi
		sleep 0.05
	done
	return 1
}
difference() { # to what it is more like
	for way in without with; do diff "$tap_tmp/$way" "$tap_tmp/have" >"$tap_tmp/$way.diff"; done
	[ "$(wc -l <"$tap_tmp/without.diff")" -gt "$(wc -l <"$tap_tmp/with.diff")" ] || way=without
	cat "$tap_tmp/$way.diff"
}
is_one_of() { state >"$tap_tmp/have"; cmp -s "$tap_tmp/have" "$tap_tmp/without" || cmp -s "$tap_tmp/have" "$tap_tmp/with"; }

# killed SETUP COMMAND NEXT: for each step, from an empty host: SETUP, COMMAND killed there, NEXT. What there is
# then is what NEXT leaves after SETUP without COMMAND, or after COMMAND in full. $known is what check may say, and $ends
# the exit status of COMMAND where it is not 0.
killed() {
	setup=$1 command=$2 next=$3
	wrong='' kills=0
	for way in without with; do
		eval "$setup"
		[ $way = without ] || eval "quiet $command"
		eval "quiet $next"
		soon settled
		state >"$tap_tmp/$way"
		quiet del --all
		soon has_keepers 0
	done
	for k in $(seq 200); do
		eval "$setup"
		eval "quiet \"\$HELPERS/kill_at\" ${family:-} $k $command"
		status=$?
		eval "quiet $next" || wrong="$wrong; killed at $k, then: exit status $?"
		if [ "$status" = 137 ]; then
			kills=$((kills + 1))
			soon is_one_of || # one that ends by itself may take a moment
				wrong="$wrong
killed at $k: $(difference)"
		fi
		"$PORTPUB" check >"$tap_tmp/check" 2>&1 || [ "$(cat "$tap_tmp/check")" = "${known:-}" ] || wrong="$wrong
killed at $k, check: $(cat "$tap_tmp/check")"
		quiet del --all
		soon has_keepers 0
		left=$(left_over; held; keepers)
		[ -z "$left" ] || wrong="$wrong
killed at $k, left: $left"
		# shellcheck disable=SC2046 # words are wanted
		kill -KILL $(keepers) 2>/dev/null
		[ "$status" = 137 ] || break
	done
	[ "$status" = "${ends:-0}" ] || wrong="$wrong; it never came to its end: $status"
	[ $kills -gt 5 ] || wrong="$wrong; only $kills steps"
}
# A keeper that was replaced ends by itself, a moment later.
settled() { has_keepers "$("$PORTPUB" list --json | jq '[.[] | select(.keeper != null)] | length')"; }

# Two containers, and the commands that publish the one, and the other in its place. What the first publication of a host
# changes for good is changed before anything is compared.
to1='--to 10.0.0.2,fd00::2' to2='--to 10.0.0.3'
one="add $to1 --id web 80:80 127.0.0.1:81:81 53:53/udp"
two="add $to2 --id web --replace 80:8080 192.0.2.1:82:82"
# shellcheck disable=SC2086 # words are wanted
quiet keep $to1 80:80
quiet del --all
start=$(sysctls)
