#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# DEL succeeds, says nothing and leaves nothing, whatever has happened before it: of ours, and of the real portmap.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../publish.sh"
. "${0%/*}/../cni.sh"
quiet() { "$@" >"$tap_tmp/said" 2>&1; }
export ASAN_OPTIONS=detect_leaks=0 # which needs ptrace for itself

serve "$container" 80 web
start=$(sysctls)
config >"$tap_tmp/without-ports"
ports=$(mapping 8080 80), ports="$ports $(mapping 53 53 udp)"
config >"$tap_tmp/whole"
previous=none config >"$tap_tmp/without-result"
previous='{"ips": "nonsense"}' config >"$tap_tmp/broken-result"
previous=7 config >"$tap_tmp/no-result"
echo '{"cniVersion": "1.0.0", "name": "net"}' >"$tap_tmp/name-alone"
echo '{"cniVersion": "1.0.0", "name": "net", "runtimeConfig": {"portMappings": [{"hostPort": 0}]}, "snat": 1}' >"$tap_tmp/nonsense"
echo '{"name": "net"}' >"$tap_tmp/without-version"
inputs='whole without-ports without-result name-alone'
hostile='broken-result no-result nonsense without-version'

# removed INPUT [NETNS]: DEL with it, after ADD.
removed() {
	quiet cni ADD
	run as_runtime DEL web eth0 "${2-/proc/$container/ns/net}" <"$tap_tmp/$1"
}
for plugin in "$PORTPUB" $portmap; do
	who=${plugin##*/}
	for input in $inputs; do
		run as_runtime DEL web eth0 '' <"$tap_tmp/$input"
		is "$who: $input: DEL before any ADD" "$status $out" '0 '
		removed "$input"
		# The real one finds nothing without ports, which then stay.
		case $who-$input in
		portmap-whole | portmap-without-result | portpub-*) want='0 curl: 7' ;;
		*) want="0 hello from web, 192.0.2.2" ;;
		esac
		is "$who: $input: DEL" "$status $out$(ask "$lan" http://192.0.2.1:8080/)" "$want"
		removed "$input" ''
		is "$who: $input: DEL with an empty CNI_NETNS" "$status $out" '0 '
		removed "$input" /proc/1/nonsense
		is "$who: $input: DEL with a CNI_NETNS that is gone" "$status $out" '0 '
		run as_runtime DEL web eth0 '' <"$tap_tmp/$input"
		is "$who: $input: DEL again" "$status $out" '0 '
		[ "$who" = portmap ] || is "$who: $input: nothing is left" "$(left_over)" ''
		cni DEL
	done
done
plugin=$PORTPUB
[ -n "$portmap" ] || skip 'the same of the real portmap' 'portmap and iptables are not installed'
nft flush ruleset
echo 0 >/proc/sys/net/ipv4/conf/br0/route_localnet # which the real one has left on
for input in $hostile; do
	removed "$input"
	is "$input: DEL" "$status $out" '0 '
	is "$input: nothing is left" "$(left_over)" ''
done

quiet cni ADD
quiet cni ADD web eth1
ports=$(mapping 9090 80)
quiet cni ADD other
network=net2 ports=$(mapping 9091 80)
quiet cni ADD other
run cni DEL other eth1
run cni DEL web eth0
is 'what another interface, container or network has stays' "$("$PORTPUB" list --json | jq -c '[.[].publications[].host_port] | sort')" '[53,8080,9090,9091]'
network=net
cni DEL web
cni DEL web eth1
cni DEL other
network=net2
cni DEL other
is 'until it is named' "$(left_over)" ''
network=net ports="$(mapping 8080 80), $(mapping 53 53 udp)"

# Somebody flushes the rules.
quiet cni ADD
ports=$(mapping 9090 80)
quiet cni ADD other
nft flush ruleset
run cni DEL web
is 'flushed between ADD and DEL: DEL' "$status $out" '0 '
is 'what others have is there again' "$(ask "$lan" http://192.0.2.1:9090/)" 'hello from web, 192.0.2.2'
run cni DEL other
is 'and goes' "$status $(left_over)" '0 '
is 'the sysctls are as they were' "$(sysctls)" "$start"

# Conntrack forgets who has asked.
ports=$(mapping 53 53 udp)
talker "$container" udp 53 container
talker $$ udp 53 host
quiet cni ADD
is 'a flow of datagrams goes to the container' "$(udp "$lan" 5353 192.0.2.1 53)" container
cni DEL
is 'and the same flow to this host after DEL' "$(udp "$lan" 5353 192.0.2.1 53)" host

# Killed at each effect in turn, then DEL.
"$HELPERS/kill_at" 1 true >/dev/null 2>&1
if [ $? = 125 ]; then
	skip 'kill -9 at any step' 'no ptrace here'
else
	version=1.0.0 ports="$(mapping 8080 80), $(mapping 80 80 tcp 127.0.0.1)"
	config >"$tap_tmp/config"
	for command in ADD DEL; do
		wrong='' kills=0
		for k in $(seq 200); do
			[ $command = ADD ] || quiet cni ADD
			CNI_COMMAND=$command CNI_CONTAINERID=web CNI_IFNAME=eth0 CNI_NETNS=/proc/$container/ns/net CNI_PATH=/x \
				"$HELPERS/kill_at" "$k" "$PORTPUB" <"$tap_tmp/config" >"$tap_tmp/result" 2>&1
			killed=$?
			run cni DEL
			[ "$status$out" = 0 ] || wrong="$wrong; killed at $k: $status $out"
			[ -z "$(left_over)" ] || wrong="$wrong; killed at $k: $(left_over)"
			[ "$(sysctls)" = "$start" ] || wrong="$wrong; killed at $k: $(sysctls)"
			[ $killed = 137 ] || break
			kills=$((kills + 1))
		done
		is "$command killed at each of $kills steps: DEL leaves nothing" "$wrong" ''
		ok "there are more than five steps of $command" test $kills -gt 5
	done
fi

# Who may do nothing can have published nothing, and is told so where somebody else has.
run setpriv --bounding-set=-all --inh-caps=-all "$PORTPUB" version
if [ "$status" = 0 ]; then
	run env PORTPUB_RUNTIME_DIR="$tap_tmp/nowhere" setpriv --bounding-set=-all --inh-caps=-all env CNI_COMMAND=DEL CNI_CONTAINERID=web \
		CNI_IFNAME=eth0 CNI_PATH=/x "$PORTPUB" <"$tap_tmp/name-alone"
	is 'without CAP_NET_ADMIN, DEL of nothing succeeds' "$status $out" '0 '
	quiet cni ADD
	run setpriv --bounding-set=-all --inh-caps=-all env CNI_COMMAND=DEL CNI_CONTAINERID=web CNI_IFNAME=eth0 CNI_PATH=/x "$PORTPUB" <"$tap_tmp/name-alone"
	is 'and DEL of something does not' "$status $(code)" '1 999'
	cni DEL
else
	skip 'without CAP_NET_ADMIN' 'no setpriv'
fi
is 'nothing is left' "$(left_over)" ''
finish
