# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # what is set here is read by those who source it; hosts.sh has the machines
# For tests of what the forwarder carries: source this after hosts.sh.
: "${HELPERS:?the directory of the programs that help}"
export PORTPUB_RUNTIME_DIR="$tap_tmp/run"

# need PROGRAM...: without them there is nobody to bear witness. `make deps` installs them; under CI they are there.
need() {
	for program in "$@"; do
		if command -v "$program" >/dev/null; then
			continue
		elif [ "${CI:-}" = true ]; then
			is 'what bears witness is installed' "no $program" "$program"
			finish
			exit 1
		fi
		skip_all "$program is not installed"
	done
}

# serves MACHINE COMMAND...: a server of somebody else's; $server is its pid, $tap_tmp/server what it says.
serves() {
	where=$1
	shift
	nsenter -t "$where" -n "$@" >"$tap_tmp/server" 2>&1 </dev/null &
	server=$!
	pids="$pids $server"
}

# listens MACHINE PORT: a condition to wait for.
listens() { at "$1" ss -Htln "sport = :$2" | grep -q .; }

sum() { sha256sum "$@" | cut -d ' ' -f 1; }

# forward ARGUMENTS...: $engine is the pid of a forwarder on this host, $says what it has printed.
forward() {
	says="$tap_tmp/forwards"
	: >"$says"
	# shellcheck disable=SC2086 # words are wanted
	${within:-} "$PORTPUB" run --via userspace "$@" >"$says" 2>"$says.err" &
	engine=$!
	pids="$pids $engine"
	{ until_true [ -s "$says" ] && until_true is_waiting "$engine"; } || cat "$says.err" >&2
}

# stop: SIGTERM for the forwarder; $status is how it ended.
stop() {
	kill -TERM "$engine"
	wait "$engine"
	status=$?
}

# answering MACHINE PORT STEP...: whoever connects there gets these steps (wire.c); $heard is what they print.
answering() {
	where=$1 heard="$tap_tmp/wire$2"
	shift
	nsenter -t "$where" -n "$HELPERS/wire" serve "$@" >"$heard" &
	answerer=$!
	pids="$pids $answerer"
	until_true grep -q ready "$heard"
}

# greeting MACHINE PORT stay|go: crowd.c; $greeter is the pid.
greeting() {
	nsenter -t "$1" -n "$HELPERS/crowd" serve "$2" "$3" >"$tap_tmp/crowd$2" &
	greeter=$!
	pids="$pids $greeter"
	until_true grep -q ready "$tap_tmp/crowd$2"
}

# calls MACHINE ADDRESS PORT STEP...: what the client saw, in one line.
calls() {
	who=$1
	shift
	at "$who" "$HELPERS/wire" "$@" | paste -sd ' '
}

# hears CLAIM WANT: what the one who answers prints, in one line.
hears() {
	until_true sh -c "[ \"\$(tail -n +2 '$heard' | paste -sd ' ')\" = '$2' ]"
	is "$1" "$(tail -n +2 "$heard" | paste -sd ' ')" "$2"
}

# datagrams_at MACHINE ADDRESS PORT: a server there; $tap_tmp/from has the ports that datagrams came from.
datagrams_at() {
	: >"$tap_tmp/from"
	nsenter -t "$1" -n "$HELPERS/datagrams" serve "$2" "$3" >>"$tap_tmp/from" &
	datagrams=$!
	pids="$pids $datagrams"
	until_true grep -q ready "$tap_tmp/from"
}

# burst MACHINE ADDRESS PORT SIZE..., and train, reverse, crowd, drip, listen: see datagrams.c.
for verb in burst train reverse crowd drip listen; do
	eval "$verb() {
		pid=\$1
		shift
		at \$pid \"\$HELPERS/datagrams\" $verb \"\$@\" </dev/null
	}"
done

# who MACHINE SOURCE_PORT PORT ADDRESS...: "PORT ADDRESS" for each: from where the server was asked, and who answered.
who() {
	pid=$1
	shift
	at "$pid" "$HELPERS/datagrams" ask "$@"
}

# counted NAME...: "name number ..." of the forwarder, see counters.c.
counted() { "$HELPERS/counters" "$engine" "$@"; }
# comes_to NAME NUMBER: it counts as far as that.
comes_to() { until_true sh -c "[ \"\$('$HELPERS/counters' $engine $1)\" = ' $1 $2' ]"; }

# cpu PID: milliseconds of processor time it has had.
cpu() { cat "/proc/$1"/task/*/schedstat | awk '{ sum += $1 } END { print int(sum / 1000000) }'; }

descriptors() { find "/proc/$1/fd" -mindepth 1 | wc -l; }
dirty() { awk '/^Private_Dirty/ { print $2 }' "/proc/$1/smaps_rollup"; }

# below CLAIM HAVE LIMIT
below() {
	if [ "$2" -lt "$3" ]; then is "$1" yes yes; else is "$1" "$2" "less than $3"; fi
}

# Conditions, to wait for: so many descriptors, so many pipes, so many kB of memory at most.
has_descriptors() { [ "$(descriptors "$engine")" = "$1" ]; }
has_sockets() { [ "$(find "/proc/$engine/fd" -lname 'socket:*' | wc -l)" = "$1" ]; }
pipes() { find "/proc/$1/fd" -lname 'pipe:*' -printf '%l\n' | sort -u | wc -l; }
has_pipes() { [ "$(pipes "$engine")" = "$1" ]; }
at_most() { is_sanitized || [ "$(dirty "$engine")" -le "$1" ]; }

# rests CLAIM: nothing that is there now costs it more than a twenty-fifth of a processor.
rests() {
	before=$(cpu "$engine")
	sleep 0.5
	below "$1" $(($(cpu "$engine") - before)) 20
}
