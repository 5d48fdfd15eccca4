#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# crun and runc, with `portpub oci-hook` in config.json: ports are there when the container begins, or it does not begin,
# and whatever its end nothing is left.
. "${0%/*}/../tap.sh"
. "${0%/*}/../machine.sh"
. "${0%/*}/../hosts.sh"
need_programs busybox jq
make_rootfs
bundle=/run/bundle
mkdir $bundle
export PATH="$PATH:${PORTPUB%/*}"

# A hook of somebody else: eth0, on br0, for the container in the state.
cat >/run/network <<'NETWORK'
#!/bin/sh
PATH=/usr/sbin:/usr/bin:/sbin:/bin
pid=$(jq .pid)
ip link add "w$pid" type veth peer name eth0 address 02:00:00:00:00:04 netns "$pid" # as the neighbours know it
ip link set "w$pid" up master br0
in="nsenter -t $pid -n ip"
$in link set eth0 up
$in addr add 10.0.0.4/24 dev eth0
$in addr add fd00::4/64 dev eth0 nodad
$in route add default via 10.0.0.1
$in route add default via fd00::1
NETWORK
chmod 755 /run/network

# bundle FILTER SERVER...: a config.json, with our hook, that is changed by the filter of jq.
bundle() {
	filter=$1
	shift
	rm -f $bundle/config.json
	(cd $bundle && $runtime spec)
	jq --arg portpub "$PORTPUB" --arg group "/$MACHINE_GROUP/$runtime" --arg said "$tap_tmp/hook" "
		def hook: {path: \$portpub, args: [\"portpub\", \"oci-hook\"]};
		.root.path = \"$rootfs\" | .process.terminal = false | del(.process.rlimits) |
		.process.args = [\"/bin/serve\", \"web\"] + \$ARGS.positional | .process.env = [\"PATH=/bin\"] |
		.linux.cgroupsPath = \$group |
		.annotations[\"run.oci.hooks.stderr\"] = \$said |
		.hooks = {prestart: [{path: \"/run/network\"}], createRuntime: [hook], poststop: [hook]} | $filter" \
		--args "$@" <$bundle/config.json >"$tap_tmp/config"
	cp "$tap_tmp/config" $bundle/config.json
}
ports() { bundle ".annotations[\"portpub.ports\"] = \"$1\"" tcp:80 tcp:9000-9002 udp:53; }

oci() { timeout -s KILL 30 "$runtime" --root "/run/$runtime" "$@" </dev/null >"$tap_tmp/$1" 2>&1; }
create() { (cd $bundle && oci create web); }
listens() { [ "$(nsenter -t "$pid" -n ss -Hlntu | wc -l)" = 5 ]; }
start() {
	create && oci start web && oci state web && pid=$(jq .pid "$tap_tmp/state") && until_true listens
}
web() { ask "$1" "http://$2:$3/"; }
# What is left of containers: keepers, rules, records, groups, and what the runtime itself has.
left() {
	pgrep -a -x -r D,R,S,T portpub-keeper
	nft list ruleset 2>/dev/null | grep 'elements = '
	find /run/portpub -name '*.json' 2>/dev/null
	find "/run/$runtime" -mindepth 1 2>/dev/null
	find /sys/fs/cgroup -path "*/$MACHINE_GROUP/$runtime" 2>/dev/null
	ss -Hlntu 'sport = :8080 or sport = :5000'
}
nothing_published() { [ "$(portpub list --json)" = '[]' ]; }

claims() {
	command -v "$runtime" >/dev/null || {
		skip "$runtime calls our hook" "$runtime is not installed"
		return
	}
	ports '8080:80, 127.0.0.1:8081:80 8082-8084:9000-9002 5000:53/udp'
	ok "$runtime: a container is created, and not held up" create
	is "$runtime: its ports are published before it begins" "$(portpub list --json | jq '.[0].publications | length')" 4
	oci start web && oci state web && pid=$(jq .pid "$tap_tmp/state")
	ok "$runtime: it serves" until_true listens
	is "$runtime: outside, the client is who it is" "$(web "$lan" 192.0.2.1 8080)" 'hello from web, 192.0.2.2'
	is "$runtime: by IPv6, too" "$(web "$lan" '[2001:db8::1]' 8080)" 'hello from web, 2001:db8::2'
	is "$runtime: this host, by 127.0.0.1" "$(web 0 127.0.0.1 8081 | cut -d, -f1)" 'hello from web'
	is "$runtime: ... which nobody outside has" "$(web "$lan" 192.0.2.1 8081)" 'curl: 7'
	is "$runtime: by ::1" "$(web 0 '[::1]' 8080 | cut -d, -f1)" 'hello from web'
	is "$runtime: a range" "$(web "$lan" 192.0.2.1 8084 | cut -d, -f1)" 'hello from web'
	is "$runtime: UDP" "$(ask_udp "$lan" 192.0.2.1 5000) $(ask_udp 0 ::1 5000 | cut -d, -f1)" 'hello from web, 192.0.2.2 hello from web'
	is "$runtime: list names the container" "$(portpub list --json | jq -r '.[0].container')" web
	oci kill web KILL
	ok "$runtime: it is killed, and nothing is published" until_true nothing_published
	ok "$runtime: it is deleted" oci delete web
	is "$runtime: ... and nothing is left" "$(left)" ''

	start
	kill -KILL "$(pgrep -x portpub-keeper)"
	is "$runtime: without its keeper the kernel goes on" "$(web "$lan" 192.0.2.1 8080)" 'hello from web, 192.0.2.2'
	oci kill web KILL
	until_true sh -c "! grep -q '^State:.[A-Y]' /proc/$pid/status"
	is "$runtime: ... and nobody notices the end" "$(portpub list --json | jq length)" 1
	ok "$runtime: ... but who deletes it" oci delete web
	is "$runtime: nothing is left of it either" "$(left)" ''

	start
	ok "$runtime: one that runs is deleted by force" oci delete --force web
	is "$runtime: ... and nothing is left" "$(left)" ''

	hold $$ tcp 0.0.0.0 8084
	rm -f "$tap_tmp/hook"
	ok "$runtime: with a port taken the container is not created" sh -c "! timeout -s KILL 30 $runtime --root /run/$runtime create --bundle $bundle web </dev/null >'$tap_tmp/create' 2>&1"
	has "$runtime: ... by whom is said" "$(cat "$tap_tmp/create" "$tap_tmp/hook" 2>/dev/null)" \
		"portpub: web: 8084:9002/tcp: already in use by hold (pid $holder)"
	release "$holder"
	oci delete --force web
	is "$runtime: ... and nothing is left" "$(left)" ''
	ok "$runtime: when the port is free it is" start
	is "$runtime: ... and answers" "$(web "$lan" 192.0.2.1 8084 | cut -d, -f1)" 'hello from web'
	oci delete --force web

	# Nobody makes a network.
	bundle 'del(.hooks.prestart) | .annotations["portpub.ports"] = "8080:80 5000:53/udp" | .annotations["portpub.to"] = "127.0.0.1"' \
		tcp:80 tcp:9000-9002 udp:53
	ok "$runtime: a container without a network" start
	is "$runtime: ... is reached inside" "$(web "$lan" 192.0.2.1 8080) $(web 0 '[::1]' 8080) $(ask_udp "$lan" 192.0.2.1 5000)" \
		'hello from web, 127.0.0.1 hello from web, 127.0.0.1 hello from web, 127.0.0.1'
	oci delete --force web
	bundle . tcp:80 tcp:9000-9002 udp:53
	ok "$runtime: a container that wants no ports" start
	is "$runtime: ... has none" "$(portpub list --json)" '[]'
	oci delete --force web
	is "$runtime: in the end nothing is left" "$(left)" ''
}

. "${0%/*}/../publish.sh"
unset PORTPUB_RUNTIME_DIR # as it is on a machine
for runtime in crun runc; do claims; done
finish
