#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What carries bytes carries them in the sandbox, too, and whoever takes it over gets nothing else out of it.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../forward.sh"

mb=1048576

# sandbox: $engine is the pid of a keeper in it; $in_force what it says of it.
is_confined() {
	in_force=$("$PORTPUB" list web --json | jq -r '[.[0].keeper.sandbox | to_entries[] | select(.value) | .key] | join(" ")')
	[ -n "$in_force" ]
}
sandbox() {
	forward --id web --replace --to 10.0.0.2 4000-4003:3000-3003 7000:7000/udp
	until_true is_confined
}
has_part() { [ "${in_force#*"$1"}" != "$in_force" ]; }

# gets CLAIM WANT CALL ARGUMENT...: what it returns to the forwarder.
gets() {
	claim=$1 want=$2
	shift 2
	is "$claim" "$("$HELPERS/inject" "$engine" "$@")" "$want"
}
status_of() { awk -v "of=$1:" '$1 == of { print $2 }' "/proc/$engine/status"; }

sandbox
sanitized=no
is_sanitized && sanitized=yes
has 'it has no capability' "$in_force" 'no_new_privs capabilities locked'
if [ $sanitized = yes ]; then
	has 'what watches the program is let be' "$in_force." 'locked.'
else
	has 'it has no other system calls' "$in_force" ' seccomp'
	is 'the kernel says so' "$(status_of Seccomp)" 2
fi
for set in CapInh CapPrm CapEff CapBnd CapAmb; do
	is "the kernel says so: $set" "$(status_of $set)" 0000000000000000
done
is 'the kernel says so: NoNewPrivs' "$(status_of NoNewPrivs)" 1

# What it is for.
before=$(pipes "$engine")
answering "$container" 3000 both:$((32 * mb)) fin end
is '32 MB both ways at once' "$(calls "$lan" 192.0.2.1 4000 both:$((32 * mb)) fin end)" "connected $((32 * mb)) bytes eof"
answering "$container" 3003 wait:"$tap_tmp/read" recv:$((24 * mb)) end
nsenter -t "$lan" -n "$HELPERS/wire" 192.0.2.1 4003 send:$((24 * mb)) fin end >"$tap_tmp/bulk" &
pids="$pids $!"
until_true sh -c "ss -Htn sport = :4003 | awk '\$2 > 100000 { waits = 1 } END { exit !waits }'"
touch "$tap_tmp/read"
hears '24 MB that have waited' "$((24 * mb)) bytes eof"
ok 'go through a pipe' test "$(pipes "$engine")" -gt "$before"
datagrams_at "$container" :: 7000
is 'datagrams of every size' "$(burst "$lan" 192.0.2.1 7000 1x20 1400x20 60000)" all
is 'trains of them' "$(train "$lan" 192.0.2.1 7000 1000 20000)" all
greeting "$container" 3002 stay
at "$lan" "$HELPERS/crowd" file 20 192.0.2.1 4002 20000 29999 >/dev/null
span=$(ss -Htn state time-wait dport = :3002 | awk '{ sub(".*:", "", $3); print $3 }' | sort -n | sed -n '1p; $p' | paste -sd ' ')
below 'ports to connect from are looked for where they are' $((${span#* } - ${span% *})) 1000

# Whoever has taken it over. What watches the program has files and calls left to it.
"$HELPERS/inject" "$engine" getppid >"$tap_tmp/parent"
unknown=$?
if [ $sanitized = yes ] || [ $unknown = 77 ]; then
	stop
	is 'it ends with 0' "$status" 0
	finish
	exit
fi
is 'a call that is allowed is made' "$(cat "$tap_tmp/parent")" $$
if has_part landlock; then
	gets 'a file cannot be opened' EACCES openat -100 text:/etc/passwd 0
	gets 'nor made' EACCES openat -100 "text:$tap_tmp/new" 0101 0600
	gets 'nor its memory written' EACCES openat -100 text:/proc/self/mem 2
else
	skip 'no file can be opened' 'no Landlock in this kernel'
fi
records=$(echo "$PORTPUB_RUNTIME_DIR"/net*)
file=$("$HELPERS/inject" "$engine" openat -100 "text:$records/mine" 0101 0600)
ok 'one of the records is made' test -f "$records/mine"
gets 'and closed' 0 close "$file"
gets 'there is no way to a local socket' ENOSYS socket 1 1 0
gets 'nor to another netlink' ENOSYS socket 16 3 16
gets 'nor to a process' ENOSYS clone 17 0
gets 'nor to a namespace' ENOSYS unshare 0x10000000
gets 'nor to a mount' ENOSYS mount 0 0 0 0
gets 'nor to a capability' ENOSYS capset 0 0
gets 'nor to another user' ENOSYS setuid 0
gets 'nor to the end of another process' ENOSYS kill $$ 9
answering "$container" 3001 say:hello fin end
is 'it has gone on meanwhile' "$(calls "$lan" 192.0.2.1 4001 hear:5 end)" 'connected hello eof'
stop
is 'it ends with 0' "$status" 0

sandbox
gets 'to run a program is the end of it' 'killed 31' execve text:/bin/true 0 0
wait "$engine"
is 'by SIGSYS' $? 159
sandbox
gets 'as it is to look into another process' 'killed 31' ptrace 16 $$ 0 0
finish
