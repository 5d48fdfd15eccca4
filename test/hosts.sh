# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
# A private host with a bridge br0, a container and a neighbour on it, and a machine outside: source this
# after tap.sh. It starts the script again under unshare, so nothing needs root and nothing is left over.
#
#	lan 192.0.2.2 --- 192.0.2.1 host br0 10.0.0.1 --- 10.0.0.2 container
#	    2001:db8::2   2001:db8::1        fd00::1  \-- fd00::2
#	                                               \- 10.0.0.3, fd00::3 neighbour
: "${HELLO:?the HTTP server that stands for the container}"

if [ -z "${HOSTS_INSIDE:-}" ]; then
	# shellcheck disable=SC2093,SC2154 # exec does not come back; tap.sh made the directory
	for how in -Urnm -nm; do # root can do without a user namespace
		unshare $how true 2>/dev/null || continue
		rm -rf "$tap_tmp" # the script that starts anew makes its own
		HOSTS_INSIDE=1 exec unshare $how "$0"
	done
	skip_all 'no user namespaces here; needs root'
fi

pids=
# shellcheck disable=SC2086,SC2154 # words are wanted; tap.sh makes the directory
trap 'kill $pids 2>/dev/null; wait $pids 2>/dev/null; rm -rf "$tap_tmp"' EXIT
trap 'exit 143' INT TERM

# Wait for a condition, twenty seconds at most.
until_true() {
	for _ in $(seq 400); do
		"$@" >/dev/null 2>&1 && return
		sleep 0.05
	done
	echo "timed out: $*" >&2
	return 1
}

# is_waiting PID: a condition to wait for: it waits for something itself, and has opened what it needs to begin with.
is_waiting() { grep -q '^State:.S' "/proc/$1/status"; }

# Addresses are ours alone here: nobody need be asked whether they are taken, and waited for.
no_dad='echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad'

# machine: a network namespace of its own, by the pid of a process that holds it.
machine() {
	unshare -n sleep "${HOSTS_LAST:-300}" &
	pids="$pids $!"
	until_true sh -c "[ \"\$(readlink /proc/$!/ns/net)\" != \"\$(readlink /proc/self/ns/net)\" ]"
	nsenter -t $! -n sh -c "ip link set lo up; $no_dad"
	machine=$!
}

# at MACHINE COMMAND...
at() {
	pid=$1
	shift
	nsenter -t "$pid" -n "$@"
}

# cable MACHINE NAME ADDRESS ADDRESS6 GATEWAY GATEWAY6: a veth from here (NAME) to eth0 there.
cable() {
	ip link add "$2" type veth peer name eth0 netns "$1"
	ip link set "$2" up
	at "$1" ip link set eth0 up
	at "$1" ip addr add "$3/24" dev eth0
	at "$1" ip addr add "$4/64" dev eth0 nodad
	at "$1" ip route add default via "$5"
	at "$1" ip route add default via "$6"
}

# serve MACHINE PORT NAME: an HTTP server that says who it is and who asked.
serve() {
	nsenter -t "$1" -n "$HELLO" "$2" "$3" >"$tap_tmp/ready$3$2" & # not by at: the pid must be the server's own
	pids="$pids $!"
	# shellcheck disable=SC2034 # for those who end it
	server=$!
	until_true grep -q ready "$tap_tmp/ready$3$2"
}

# ask MACHINE URL: what the server answers, or curl's exit status. 0 is this host.
ask() {
	if [ "$1" = 0 ]; then set -- "$$" "$2"; fi
	at "$1" curl -sS --max-time 3 "$2" 2>/dev/null || echo "curl: $?"
}

# serve_udp MACHINE PORT NAME [ADDRESS]: the same for datagrams. $tap_tmp/heardNAMEPORT has who asked, a line each.
serve_udp() {
	nsenter -t "$1" -n "${HELPERS:?the programs of test/net}/udp" serve "${4:-}" "$2" "$3" >"$tap_tmp/heard$3$2" &
	pids="$pids $!"
	until_true grep -q ready "$tap_tmp/heard$3$2"
}

# ask_udp MACHINE ADDRESS PORT: what the server answers, or why there is no answer.
ask_udp() {
	if [ "$1" = 0 ]; then set -- "$$" "$2" "$3"; fi
	at "$1" "$HELPERS/udp" ask "$2" "$3"
}

ip link set lo up
eval "$no_dad"
ip link add br0 type bridge
ip addr add 10.0.0.1/24 dev br0
ip addr add fd00::1/64 dev br0 nodad
ip link set br0 up
machine && container=$machine
machine && neighbour=$machine
machine && lan=$machine
cable "$container" c0 10.0.0.2 fd00::2 10.0.0.1 fd00::1
cable "$neighbour" n0 10.0.0.3 fd00::3 10.0.0.1 fd00::1
ip link set c0 master br0
ip link set n0 master br0
cable "$lan" lan0 192.0.2.2 2001:db8::2 192.0.2.1 2001:db8::1
ip addr add 192.0.2.1/24 dev lan0
ip addr add 2001:db8::1/64 dev lan0 nodad
echo 0 >/proc/sys/net/ipv4/icmp_ratelimit # refuse as often as we ask
echo 0 >/proc/sys/net/ipv6/icmp/ratelimit
echo 1 >/proc/sys/net/ipv4/ip_forward
echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
