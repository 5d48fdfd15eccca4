# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154 # what is used here and set elsewhere is by machine.sh and tap.sh
# A dockerd whose docker-proxy is portpub, as contrib/docker has it: source this after machine.sh and hosts.sh. Its
# containers are on docker0, 172.29.0.1/24, and one of each script is enough: it takes five seconds.
need_programs dockerd docker containerd runc iptables busybox
export DOCKER_HOST=unix:///run/docker.sock DOCKER_CONFIG=/run/docker-config
unset DOCKER_CONTEXT DOCKER_TLS_VERIFY
engine=docker parent= # dockerd gives it to all
# shellcheck source=engine.sh
. "${0%/*}/../engine.sh"
for_docker=${0%/*}/../../contrib/docker
lay /usr/local
mkdir -p /usr/local/libexec/portpub /etc/docker
ln -sf "$PORTPUB" /usr/local/libexec/portpub/docker-proxy
cp "$for_docker/daemon.json" /etc/docker/

# In memory, as everything else; where this kernel has no overlays it copies.
storage=vfs
if grep -qw overlay /proc/filesystems; then storage=overlay2; fi

# dockerd ARGUMENT...: until it answers. $dockerd is its pid; what it says is in $tap_tmp/dockerd.
dockerd() {
	command dockerd --host "$DOCKER_HOST" --data-root /run/docker-data --exec-root /run/docker \
		--pidfile /run/docker.pid --storage-driver $storage --exec-opt native.cgroupdriver=cgroupfs \
		--cgroup-parent "/$MACHINE_GROUP" --bip 172.29.0.1/24 "$@" >>"$tap_tmp/dockerd" 2>&1 &
	dockerd=$!
	pids="$pids $dockerd"
	until_true docker version && return
	tail -n 20 "$tap_tmp/dockerd" >&2
	return 1
}

# begin ARGUMENT...: the first of a script, and the image.
begin() {
	if ! dockerd "$@" 2>/dev/null; then
		says=$(tail -n 1 "$tap_tmp/dockerd")
		case $says in *daemon.json* | *userland-proxy*)
			is 'dockerd takes the configuration of contrib/docker' "$says" ''
			finish
			exit
			;;
		esac
		skip_all "dockerd does not start here: $says"
	fi
	make_rootfs
	import >/dev/null
}

# end_dockerd SIGNAL: and wait until it has ended, and its containerd with it.
end_dockerd() {
	kill "-$1" "$dockerd"
	wait "$dockerd" 2>/dev/null
	until_true sh -c '! pgrep -x -r D,R,S,T "dockerd|containerd"'
}

# Who answers MACHINE at ADDRESS PORT.
web() { ask "$1" "http://$2:$3/" | cut -d, -f1; }
datagram() { ask_udp "$1" "$2" "$3" | cut -d, -f1; }

# proxies: how many docker-proxies there are.
proxies() { pgrep -c -x -r D,R,S,T docker-proxy; }
no_proxies() { [ "$(proxies)" = 0 ]; }

# bound PORT...: the sockets of this host that have these ports.
bound() { for port in "$@"; do ss -Hlntu "sport = :$port"; done; }

# left_behind: what is left of published ports when no container is: processes, sockets but dockerd's, rules, records.
left_behind() {
	pgrep -a -x -r D,R,S,T docker-proxy
	pgrep -a -x -r D,R,S,T portpub-keeper
	ss -Hlntu | awk '{print $1, $5}'
	nft list ruleset 2>/dev/null | grep -E 'dnat to [0-9]|elements = '
	find /run/portpub -name '*.json' 2>/dev/null
}
nothing_left() { [ -z "$(left_behind)" ]; }

# What dockerd has left in the tables of iptables, so that the next one without them is without them.
forget_rules() { nft flush ruleset; }
