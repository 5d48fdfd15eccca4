# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # what is set here is read by those who source it, and what is not set here by machine.sh and tap.sh
# A containerd whose CNI plugin is portpub: source this after machine.sh and hosts.sh. Its containers are on cni0,
# 10.22.0.1/16 and fd00:10:22::1/64, as contrib/cni/containerd has it.
: "${MACHINE_GROUP:?source machine.sh first: what follows writes to /etc and /opt}"
need_programs containerd ctr runc iptables busybox
export CONTAINERD_ADDRESS=/run/containerd.sock
unset HTTP_PROXY HTTPS_PROXY http_proxy https_proxy CONTAINERD_NAMESPACE
contrib=${0%/*}/../../contrib
networks=/etc/cni/net.d plugins=/opt/cni/bin

# The network plugins of others, and ours beside them.
cni_plugins=
for dir in /usr/lib/cni /usr/libexec/cni $plugins; do
	if [ -x "$dir/bridge" ]; then cni_plugins=$dir; fi
done
[ -n "$cni_plugins" ] || skip_all 'the CNI plugin bridge is not installed'
rm -rf $networks # what this machine has
mkdir -p $networks $plugins
for plugin in bridge host-local loopback firewall tuning portmap; do
	[ "$cni_plugins" = $plugins ] || cp "$cni_plugins/$plugin" $plugins
done
ln -sf "$PORTPUB" $plugins/portpub

# containerd: until it answers. $containerd is its pid; what it says is in $tap_tmp/containerd.
containerd() {
	cat >/run/containerd.toml <<-CONFIG
		version = 2
		root = "/run/containerd-data"
		state = "/run/containerd"
		[grpc]
		  address = "$CONTAINERD_ADDRESS"
		[plugins."io.containerd.grpc.v1.cri"]
		  sandbox_image = "localhost/test:latest"
		  disable_apparmor = true
		  restrict_oom_score_adj = true
		  [plugins."io.containerd.grpc.v1.cri".containerd]
		    snapshotter = "native"
	CONFIG
	command containerd --config /run/containerd.toml >>"$tap_tmp/containerd" 2>&1 &
	containerd=$!
	pids="$pids $containerd"
	until_true ctr version && return
	tail -n 20 "$tap_tmp/containerd" >&2
	return 1
}

# use_network CONFLIST: containerd has this one, and no other.
use_network() {
	rm -f $networks/*
	cp "$1" $networks
}

# begin CONFLIST: the first of a script.
begin() {
	use_network "$1"
	containerd 2>/dev/null || skip_all "containerd does not start here: $(tail -n 1 "$tap_tmp/containerd")"
	make_rootfs
}

# serving PID COUNT: a condition to wait for: so many servers listen where this process is.
serving() { [ "$(nsenter -t "$1" -n ss -Hlntu | wc -l)" = "$2" ]; }

# Who answers MACHINE at ADDRESS PORT.
web() { ask "$1" "http://$2:$3/" | cut -d, -f1; }
datagram() { ask_udp "$1" "$2" "$3" | cut -d, -f1; }

# left_behind: what is left of published ports when no container is: elements, records, values that were set.
left_behind() {
	nft list ruleset 2>/dev/null | grep -E 'dnat to [0-9]|elements = '
	find /run/portpub -name '*.json' 2>/dev/null
	grep -v 0 /proc/sys/net/ipv4/conf/cni0/route_localnet
}
