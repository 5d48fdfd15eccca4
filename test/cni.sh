# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
# shellcheck disable=SC2034 # what is set here is read by those who source it
# To call a CNI plugin as a runtime does; source this after publish.sh. $plugin is the program.
plugin=$PORTPUB
portmap=
for dir in /usr/lib/cni /opt/cni/bin /usr/libexec/cni; do
	if [ -x "$dir/portmap" ]; then portmap=$dir/portmap; fi
done
if ! command -v iptables >/dev/null; then portmap=; fi

# The networks of a configuration, its ports and keys, are these variables; a test sets what it is about.
version=1.0.0 network=net ports='' keys='' ips='{"interface": 1, "address": "10.0.0.2/24"}' previous=''

# mapping HOST CONTAINER [PROTOCOL [ADDRESS]]
mapping() {
	printf '{"hostPort": %s, "containerPort": %s, "protocol": "%s"%s}' "$1" "$2" "${3:-tcp}" "${4:+, \"hostIP\": \"$4\"}"
}

# config: what the runtime writes. $previous is the whole of a result, or made of $ips.
config() {
	result=$previous
	if [ -z "$result" ]; then
		result='"interfaces": [{"name": "br0"}, {"name": "eth0", "sandbox": "/run/netns/x"}], "dns": {}'
		result="{\"cniVersion\": \"$version\", $result, \"ips\": [$ips]}"
	fi
	printf '{"cniVersion": "%s", "name": "%s", "type": "portmap", "capabilities": {"portMappings": true}' "$version" "$network"
	printf ', "runtimeConfig": {"portMappings": [%s]}%s' "$ports" "${keys:+, $keys}"
	[ "$result" = none ] || printf ', "prevResult": %s' "$result"
	printf '}\n'
}

# cni COMMAND [CONTAINER [INTERFACE [NETNS]]]: NETNS is a file; it is the container's if it is not said.
cni() {
	config | as_runtime "$@"
}

# The same with a configuration from stdin.
as_runtime() {
	CNI_COMMAND=$1 CNI_CONTAINERID=${2-web} CNI_IFNAME=${3-eth0} CNI_NETNS=${4-/proc/$container/ns/net} CNI_PATH=/nowhere "$plugin"
}

# code: of the error that the last `run` has got; "" where its answer is none.
# shellcheck disable=SC2154 # run sets it
code() {
	printf '%s' "$out" | jq -r '.code // empty' 2>/dev/null
}

# shellcheck disable=SC2154
message() {
	printf '%s' "$out" | jq -r '.msg // empty' 2>/dev/null
}
