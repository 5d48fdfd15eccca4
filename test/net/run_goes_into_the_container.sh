#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# `portpub run --pid` and `--netns` bind the ports in the host's network namespace and connect from inside the
# container's, as one process: no route leads there, and its loopback is its own.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../forward.sh"

# A container that nothing leads to, with something on its loopback, and something else that is open to others.
machine && alone=$machine
at "$alone" ip link add v0 type veth peer name v1
at "$alone" ip link set v0 up
answering "$alone" 3000 say:hello fin end
answering "$alone" 3001 say:hello fin end
datagrams_at "$alone" :: 7000
answering $$ 3000 say:host fin end
hello() { calls "$1" "$2" "$3" hear:5 end; }

run "$PORTPUB" run --via userspace --pid "$alone" 4000:3000
is 'a container without an address but loopback has to be told' "$status $out" '1 '
has 'what to say' "$err" 'say --to 127.0.0.1'

forward --pid "$alone" --to 127.0.0.1,::1 4000:3000 127.0.0.1:4001:3001 7000:7000/udp
is '--pid: 127.0.0.1 is the container'"'"'s' "$(hello "$lan" 192.0.2.1 4000)" 'connected hello eof'
is 'and so is ::1' "$(hello "$lan" 2001:db8::1 4000)" 'connected hello eof'
is 'on 127.0.0.1 of this host' "$(hello $$ 127.0.0.1 4001)" 'connected hello eof'
is 'which nobody outside has' "$(hello "$lan" 192.0.2.1 4001)" 'Connection refused'
is 'datagrams, too' "$(burst "$lan" 192.0.2.1 7000 0 1 1400x20)$(burst "$lan" 2001:db8::1 7000 0 1 1400x20)" allall
is 'the ports are the host'"'"'s' "$(ss -Hltn 'sport = :4000' | wc -l)$(at "$alone" ss -Hltn 'sport = :4000' | wc -l)" 10
is 'the process is in the container' "$(readlink "/proc/$engine/ns/net")" "$(readlink "/proc/$alone/ns/net")"
is 'it is one, of one thread' "$(awk '/^Threads/ { print $2 }' "/proc/$engine/status")$(cat "/proc/$engine/task/$engine/children")" 1
is 'and passes no descriptors: it has no sockets but those of its ports and of two flows' "$(find "/proc/$engine/fd" -lname 'socket:*' | wc -l)" 5
stop
is 'it ends with 0' "$status" 0
is 'and the ports are free' "$(hello "$lan" 192.0.2.1 4000)" 'Connection refused'

at "$alone" ip addr add 10.9.9.9/32 dev v0
at "$alone" ip addr add fd09::9/128 dev v0 nodad
serve_udp "$alone" 7002 own 10.9.9.9
: >"$tap_tmp/netns"
mount --bind "/proc/$alone/ns/net" "$tap_tmp/netns"
for named in "--pid $alone" "--netns $tap_tmp/netns" "--netns /proc/$alone/ns/net"; do
	# shellcheck disable=SC2086 # words are wanted
	forward $named 7002:7002/udp
	is "${named%% *}: without --to it is the container's own address" "$(ask_udp "$lan" 192.0.2.1 7002)" 'hello from own, 10.9.9.9'
	stop
done
umount "$tap_tmp/netns"

# Found by what it listens on, as add does; reached from inside where there is no way.
answering "$alone" 3500 say:alone fin end
forward 4000:3500
has 'a container that is not named is found' "$(cat "$says.err")" "portpub: to sleep (pid $alone)"
is 'and served' "$(calls "$lan" 192.0.2.1 4000 hear:5 end)" 'connected alone eof'
stop
answering "$container" 3600 say:there fin end
forward 4000:3600
is 'one that this host reaches is not gone into' "$(readlink "/proc/$engine/ns/net")" "$(readlink "/proc/$$/ns/net")"
is 'and served' "$(calls "$lan" 192.0.2.1 4000 hear:5 end)" 'connected there eof'
stop
answering "$neighbour" 3600 say:there fin end
run "$PORTPUB" run --via userspace 4000:3600
is 'two that listen are an error' "$status $out" '1 '
has 'that lists them' "$err" "$neighbour"
run "$PORTPUB" run --via userspace 4000:3601
is 'none is one, too' "$status $out" '1 '
has 'that lists what there is' "$err" "$alone"

# What is none.
refused() {
	claim=$1 code=$2 part=$3
	shift 3
	run timeout 5 "$PORTPUB" run --via userspace "$@" 4000:3000
	is "$claim is refused" "$status $out" "$code "
	has "$claim: it says so" "$err" "$part"
}
mkfifo "$tap_tmp/fifo"
refused 'a process that is not there' 1 'there is no process 99999999' --pid 99999999
refused 'our own namespace by a process' 2 'no container' --pid $$
refused 'our own namespace by a path' 2 'no container' --netns "/proc/$$/ns/net"
refused 'another kind of namespace' 2 'no network namespace' --netns "/proc/$alone/ns/mnt"
refused 'a FIFO' 2 'no network namespace' --netns "$tap_tmp/fifo"
refused 'a path to nothing' 1 'No such file' --netns "$tap_tmp/nothing"
refused 'both names' 2 'choose one' --pid "$alone" --netns "/proc/$alone/ns/net"

# An ordinary user, and a container in a user namespace of their own.
unshare -U --map-user=1000 --map-group=1000 sleep 300 &
user=$!
pids="$pids $user"
until_true grep -q 1000 "/proc/$user/uid_map"
ordinary="nsenter -t $user -U --preserve-credentials"
# shellcheck disable=SC2086 # words are wanted
as_ordinary() { $ordinary "$@"; }
$ordinary unshare -Urn sleep 300 & # not by a function: the pid must be its own
theirs=$!
pids="$pids $theirs"
until_true sh -c "[ \"\$(readlink /proc/$theirs/ns/net)\" != \"\$(readlink /proc/self/ns/net)\" ]"
until_true nsenter -t "$theirs" -U -n --preserve-credentials ip link set lo up
nsenter -t "$theirs" -U -n --preserve-credentials "$HELPERS/wire" serve 3000 say:theirs fin end >"$tap_tmp/theirs" &
pids="$pids $!"
until_true grep -q ready "$tap_tmp/theirs"
within=$ordinary forward --pid "$theirs" --to 127.0.0.1 4000:3000
is 'an ordinary user has no rights at all' "$(as_ordinary grep CapEff /proc/self/status)" "$(printf 'CapEff:\t%016x' 0)"
is 'and may do so with a container of their own' "$(calls "$lan" 192.0.2.1 4000 hear:6 end)" 'connected theirs eof'
is 'in one process' "$(awk '/^Threads/ { print $2 }' "/proc/$engine/status")$(cat "/proc/$engine/task/$engine/children")" 1
stop
is 'that ends with 0' "$status" 0
run as_ordinary "$PORTPUB" run --via userspace --pid "$alone" 4000:3000
is 'but not with one of others' "$status $out" '4 '
has 'which it says' "$err" "may not look at the network namespace of process $alone"
run as_ordinary "$PORTPUB" run --via userspace --pid "$theirs" --to 127.0.0.1 80:3000
is 'nor with a port for root' "$status $out" '4 '
has 'and says what would allow it' "$err" 'net.ipv4.ip_unprivileged_port_start=80'
finish
