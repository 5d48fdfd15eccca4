#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The default network of nerdctl, with portpub in it: its plugins are called one after the other as nerdctl does. nerdctl
# itself is in no Debian 12, and is not tried here: it removes first what may be there, names containers by namespace and
# id, and no network namespace but in ADD; it holds the ports while it calls, and gives 0.0.0.0 for every address.
. "${0%/*}/../tap.sh"
. "${0%/*}/../machine.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../publish.sh"
. "${0%/*}/../containerd.sh"
unset PORTPUB_RUNTIME_DIR
use_network "$contrib/cni/nerdctl/nerdctl-bridge.conflist"
conflist=$networks/nerdctl-bridge.conflist

# plugin NUMBER COMMAND CONTAINER NETNS: the previous result is $result, and its own is what it prints.
plugin() {
	jq -c --argjson at "$1" --argjson result "$result" --argjson ports "$ports" '
		{cniVersion, name} + .plugins[$at] + (if $result then {prevResult: $result} else {} end) +
		(if .plugins[$at].capabilities.portMappings then {runtimeConfig: {portMappings: $ports}} else {} end)' "$conflist" |
		CNI_COMMAND=$2 CNI_CONTAINERID=$3 CNI_NETNS=$4 CNI_IFNAME=eth0 CNI_PATH=$plugins \
			CNI_ARGS='IgnoreUnknown=1;NERDCTL_CNI_DHCP_HOSTNAME=web' "$plugins/$(jq -r ".plugins[$1].type" "$conflist")"
}

last=$(($(jq '.plugins | length' "$conflist") - 1))
remove() {
	removed=0
	for at in $(seq $last -1 0); do plugin "$at" DEL "$1" '' || removed=1; done
	return $removed
}
create() {
	result=null
	remove "$1" >/dev/null 2>&1
	for at in $(seq 0 $last); do
		result=$(plugin "$at" ADD "$1" "$2") || { echo "$result" | jq -r .msg && return 1; }
	done
	echo "$result" >"$tap_tmp/result"
}
mapping() { printf '{"HostPort": %s, "ContainerPort": %s, "Protocol": "%s", "HostIP": "%s"}' "$@"; }

id=default-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
machine && first=$machine
machine && second=$machine
serve "$first" 80 first
serve_udp "$first" 53 first

# The port is bound while the network is made.
hold $$ tcp 0.0.0.0 8080
ports="[$(mapping 8080 80 tcp 0.0.0.0), $(mapping 5000 53 udp 0.0.0.0), $(mapping 3456 80 tcp 127.0.0.1)]"
run create $id-1 "/proc/$first/ns/net"
is 'every plugin takes what the one before has made' "$status $out" '0 '
has '... and ours says who listens on the port' "$err" "host port 8080/tcp is in use by hold (pid $holder), too"
release "$holder"
is 'the result is that of the bridge' "$(jq -r '.cniVersion, .ips[].address' "$tap_tmp/result" | tr '\n' ' ')" '1.0.0 10.4.0.2/24 '
is 'its ports answer this host' \
	"$(web 0 127.0.0.1 8080), $(web 0 192.0.2.1 8080), $(web 0 127.0.0.1 3456), $(datagram 0 127.0.0.1 5000)" \
	'hello from first, hello from first, hello from first, hello from first'
is '... and others, who are seen' "$(ask "$lan" http://192.0.2.1:8080/), $(ask_udp "$lan" 192.0.2.1 5000)" \
	'hello from first, 192.0.2.2, hello from first, 192.0.2.2'
is '... except for what is for this host alone' "$(web "$lan" 192.0.2.1 3456)" 'curl: 7'
is '... and the container itself' "$(web "$first" 10.4.0.1 8080)" 'hello from first'

ports="[$(mapping 8081 80 tcp 0.0.0.0), $(mapping 8080 80 tcp 0.0.0.0)]"
run create $id-2 "/proc/$second/ns/net"
is 'a port of another container is refused' "$status" 1
has '... with its name' "$out" "host port 0.0.0.0:8080/tcp is already published by cni-default-0123-"
has '... and its container' "$out" "(container $id-1)"
ok '... and taken back' remove $id-2
machine && second=$machine # that one has ended
serve "$second" 80 second
ports="[$(mapping 8081 80 tcp 0.0.0.0)]"
create $id-2 "/proc/$second/ns/net" 2>/dev/null
is 'what is free is had' "$(web "$lan" 192.0.2.1 8081)" 'hello from second'
is '... by the containers of the same bridge, too' "$(web "$first" 10.4.0.1 8081)" 'hello from second'

ok 'a container that goes' remove $id-1
ok '... and goes once more' remove $id-1
is '... costs the others nothing' "$(web "$lan" 192.0.2.1 8080) $(web "$lan" 192.0.2.1 8081)" 'curl: 7 hello from second'
remove $id-2
is 'the last leaves nothing' "$(nft list table inet portpub | grep 'elements = ') $(find /run/portpub -name '*.json')" ' '
finish
