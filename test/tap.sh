# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
# shellcheck disable=SC2034 # what is set here is read by those who source it
# TAP for shell: source this, call ok/is/like for each claim, and end with finish.
set -u
PATH="$PATH:/usr/sbin:/sbin" # where nginx and others are
: "${PORTPUB:?the program under test}"
tap_count=0 tap_failed=0
tap_tmp=$(mktemp -d) && trap 'rm -rf "$tap_tmp"' EXIT
export PORTPUB_CONFIG= # what this machine is told is not for the tests

# run COMMAND...: $status, $out and $err of it.
run() {
	"$@" >"$tap_tmp/out" 2>"$tap_tmp/err"
	status=$?
	out=$(cat "$tap_tmp/out")
	err=$(cat "$tap_tmp/err")
}

# ok CLAIM COMMAND...: the command succeeds.
ok() {
	claim=$1
	shift
	tap_count=$((tap_count + 1))
	if "$@" >"$tap_tmp/ok" 2>&1; then
		echo "ok $tap_count - $claim"
	else
		tap_failed=$((tap_failed + 1))
		echo "not ok $tap_count - $claim"
		sed 's/^/# /' "$tap_tmp/ok"
	fi
}

# is CLAIM HAVE WANT
is() {
	tap_count=$((tap_count + 1))
	if [ "$2" = "$3" ]; then
		echo "ok $tap_count - $1"
	else
		tap_failed=$((tap_failed + 1))
		echo "not ok $tap_count - $1"
		printf '%s\n' "$2" | sed 's/^/# have: /'
		printf '%s\n' "$3" | sed 's/^/# want: /'
	fi
}

# has CLAIM TEXT PART: the part stands in the text.
has() {
	case $2 in
	*"$3"*) is "$1" yes yes ;;
	*) is "$1" "$2" "...$3..." ;;
	esac
}

# Under the sanitizers, and under valgrind (test/valgrind), and while coverage is counted, time and memory mean nothing.
is_sanitized() { grep -qaE '__asan_init|__gcov_|--track-fds' "$PORTPUB"; }
# Under valgrind the process is valgrind's, and so are some of its descriptors, and its limit of them.
is_in_valgrind() { grep -qae --track-fds "$PORTPUB"; }

skip() {
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $1 # SKIP $2"
}

# Every script whose tests cannot run at all here ends with this.
skip_all() {
	echo "1..0 # SKIP $1"
	exit 0
}

finish() {
	echo "1..$tap_count"
	[ "$tap_failed" -eq 0 ]
}
