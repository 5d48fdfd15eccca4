# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154 # what is used here and set elsewhere is by machine.sh and tap.sh
# podman with the CNI backend, whose plugin for ports is portpub, as contrib/cni/podman/README has it: source this after
# machine.sh and hosts.sh. Its containers are on cni-portpub0, 10.89.0.1/24 and fd00:10:89::1/64.
need_programs podman conmon busybox iptables jq
unset CONTAINERS_CONF CONTAINERS_STORAGE_CONF CONTAINER_HOST
contrib=${0%/*}/../../contrib/cni/podman
engine=podman parent="--cgroup-parent /$MACHINE_GROUP"
# shellcheck source=engine.sh
. "${0%/*}/../engine.sh"

# In memory, as everything else; where this kernel has no overlays it copies.
storage=vfs
if grep -qw overlay /proc/filesystems; then storage=overlay; fi
runtime=runc
if command -v crun >/dev/null; then runtime=crun; fi
hooks=/etc/containers/oci/hooks.d
mkdir -p $hooks /etc/cni/net.d
rm -f $hooks/* /etc/cni/net.d/* # what this machine has
cat >/etc/containers/storage.conf <<CONFIG
[storage]
driver = "$storage"
graphroot = "/run/podman/graph"
runroot = "/run/podman/run"
CONFIG
cat >/etc/containers/containers.conf <<CONFIG
[containers]
log_driver = "k8s-file"
pids_limit = 0
[network]
network_backend = "cni"
default_network = "portpub"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "$runtime"
hooks_dir = ["$hooks"]
CONFIG
lay /usr/local
mkdir -p /usr/local/libexec/cni

# use_plugin NAME: portpub is the plugin of this name, in the first directory that podman looks at.
use_plugin() { ln -s "$PORTPUB" "/usr/local/libexec/cni/$1"; }

# begin: the first of a script.
begin() {
	cp "$contrib/portpub.conflist" /etc/cni/net.d
	make_rootfs
	import >"$tap_tmp/import" 2>&1 || skip_all "podman does not start here: $(tail -n 1 "$tap_tmp/import")"
}

conmon_of() { podman inspect -f '{{.State.ConmonPid}}' "$1"; }

# Who answers MACHINE at ADDRESS PORT, and what it says of who has asked.
web() { ask "$1" "http://$2:$3/"; }
datagram() { ask_udp "$1" "$2" "$3"; }

# left_behind: what is left of published ports when no container is: processes, sockets, rules, records, values that were
# set.
left_behind() {
	pgrep -a -x -r D,R,S,T 'conmon|portpub'
	pgrep -a -x -r D,R,S,T portpub-keeper
	ss -Hlntu | awk '{print $1, $5}'
	nft list ruleset 2>/dev/null | grep -E 'dnat to [0-9]|elements = '
	find /run/portpub -name '*.json' 2>/dev/null
	grep -lv 0 /proc/sys/net/ipv4/conf/*/route_localnet
}
nothing_left() { [ -z "$(left_behind)" ]; }

# leaves_nothing CLAIM: a conmon lives a little longer than its container.
leaves_nothing() {
	until_true nothing_left
	is "$1" "$(left_behind)" ''
}
