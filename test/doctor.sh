# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
# A patient for the doctor, and what to hold it to: source this after tap.sh and hosts.sh.
export PORTPUB_RUNTIME_DIR="${tap_tmp:?}/run"
PATH=${PORTPUB%/*}:$PATH

# publish ID SPEC...: to the container, by both families.
publish() {
	id=$1
	shift
	ok "$id is published: $*" "$PORTPUB" add --no-keeper --replace --id "$id" --to 10.0.0.2,fd00::2 "$@"
}

# well CLAIM NAME...: the doctor finds nothing wrong.
well() {
	claim=$1
	shift
	run "$PORTPUB" doctor "$@"
	# shellcheck disable=SC2154 # run sets it
	is "$claim" "$status$(echo "$out$err" | sed -n 's/^  problem: /, /p')" 0
}

# sick CLAIM NAME CAUSE: the doctor names the cause, and exits with 1.
sick() {
	run "$PORTPUB" doctor "$2"
	has "$1" "$status, $(echo "$out" | sed -n 's/^  problem: //p')" "$3"
	is "$1: exit status" "$status" 1
}

# cure: do as it says.
cure() {
	echo "$out" | sed -n 's/^  fix: //p' >"$tap_tmp/cure"
	ok "what it says can be done: $(paste -sd ';' "$tap_tmp/cure")" sh -c "test -s $tap_tmp/cure && sh -e $tap_tmp/cure"
}

# lacks CLAIM HAVE PART: PART is not in HAVE.
lacks() {
	case $2 in
	*"$3"*) is "$1" "$2" "anything without: $3" ;;
	*) is "$1" '' '' ;;
	esac
}
