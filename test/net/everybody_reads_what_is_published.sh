#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# An ordinary user reads root's records, unless there are ones of their own; without the lock, while others change
# them. What cannot be read is not taken for nothing.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../publish.sh"

mount -t tmpfs none /run
export PORTPUB_RUNTIME_DIR=/run/portpub
publish() { add "$@" >/dev/null 2>&1; }
# In a user namespace of its own, without rights here; files that are for root alone are made so for everybody.
ordinary() { unshare -U env -u PORTPUB_RUNTIME_DIR -u XDG_RUNTIME_DIR "$@"; }
own() { unshare -U env -u PORTPUB_RUNTIME_DIR XDG_RUNTIME_DIR="$tap_tmp/user" "$@"; }
none='portpub: no place for records: XDG_RUNTIME_DIR is not set, nor is PORTPUB_RUNTIME_DIR'

for command in list 'list web' check 'who 80'; do
	# shellcheck disable=SC2086 # words are wanted
	run ordinary "$PORTPUB" $command
	is "without a place nobody knows: $command" "$status $out$err" "1 $none"
done
run own "$PORTPUB" list
is 'with one there is nothing in it' "$status $out$err" '0 '
run own "$PORTPUB" who 80
is 'and nobody has a port' "$status $err" '1 portpub: nobody has port 80'
hold $$ tcp '' 90
run ordinary "$PORTPUB" who 90
is 'a process is told all the same' "$status ${out%% a process*} $err" "0 90/tcp in use by $none"

umask 077
publish --to 10.0.0.2 --id web 80:80
publish --to 10.0.0.2 --id dns 53:53/udp
umask 022
dir=$(find /run/portpub -name active) dir=${dir%/active}
chmod 000 "$dir/lock" # as it is for others
for user in ordinary own; do
	is "list, to a user: $user" "$($user "$PORTPUB" list | awk 'NR > 1 {print $1}' | paste -sd ' ')" 'dns web'
	is "list web, to a user: $user" "$($user "$PORTPUB" list web --json | jq -r '.[].id')" web
	run $user "$PORTPUB" who 80/tcp
	is "who, to a user: $user" "$status $(echo "$out" | wc -l) $err" '0 1 '
	run $user "$PORTPUB" check
	is "check needs the kernel: $user" "$status" 4
	run $user "$PORTPUB" add --no-keeper --to 10.0.0.2 81:81
	is "and so does what changes something: $user" "$status" 4
done
is 'which makes nothing' "$(ls "$tap_tmp/user" 2>/dev/null)" ''

# While they change: each record is there, once and whole.
changing() {
	while [ ! -e "$tap_tmp/stop" ]; do
		publish --to 10.0.0.3 --id web --replace 80:80
		publish --to 10.0.0.2 --id other 82:82
		publish --to 10.0.0.2 --id web --replace 80:80 81:81
		del other
	done
}
chmod 600 "$dir/lock"
changing &
changing=$!
wrong='' seen=''
chmod 000 "$dir/lock" # which root of this namespace opens all the same
for _ in $(seq 200); do
	run ordinary "$PORTPUB" list --json
	ids=$(echo "$out" | jq -r '[.[].id] | join(" ")')
	case $ids in
	'dns web' | 'dns other web') ;;
	*) wrong="$wrong; $ids" ;;
	esac
	case $seen in
	*"$ids,"*) ;;
	*) seen="$seen$ids," ;;
	esac
	[ "$status$err" = 0 ] || wrong="$wrong; $status $err"
done
for _ in $(seq 50); do
	run "$PORTPUB" check # which waits for the lock
	[ "$status$out$err" = 0 ] || wrong="$wrong; check: $status $out$err"
done
touch "$tap_tmp/stop"
wait "$changing"
is 'a list without the lock is of what is published' "$wrong" ''
is 'while it changes' "$(echo "$seen" | tr , '\n' | grep -c .)" 2

chmod 000 "$dir"
for command in list 'list web' 'who 80'; do
	# shellcheck disable=SC2086
	run ordinary "$PORTPUB" $command
	is "what may not be read is said: $command" "$status $out$err" "4 portpub: cannot open $dir: Permission denied"
done
chmod 755 "$dir"
mkdir -p "$tap_tmp/user/portpub/${dir##*/}"
is 'records of their own are read first' "$(own "$PORTPUB" list; ordinary "$PORTPUB" list | wc -l)" 4
del --all
finish
