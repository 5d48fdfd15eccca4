#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Who reaches a port, and by which address: of ours, and of the real portmap.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../publish.sh"
. "${0%/*}/../cni.sh"

serve "$container" 80 web
serve "$neighbour" 80 other
serve_udp "$container" 53 dns
serve $$ 8080 host
both='{"interface": 1, "address": "10.0.0.2/24"}, {"interface": 1, "address": "fd00::2/64"}'
bridge() { for port in c0 n0; do ip link set $port type bridge_slave hairpin "$1"; done; }
filter() {
	for name in bridge-nf-call-iptables bridge-nf-call-ip6tables; do
		if [ -e /proc/sys/net/bridge/$name ]; then echo "$1" >/proc/sys/net/bridge/$name; fi
	done
}
bridge on
filter 0

# The scene, who asks for what, and who answers.
questions() {
	cat <<'LIST'
any|$lan http://192.0.2.1:8080/|hello from web, 192.0.2.2
any|0 http://127.0.0.1:8080/|hello from web, 10.0.0.1
any|0 http://127.0.0.2:8080/|hello from web, 10.0.0.1
any|0 http://192.0.2.1:8080/|hello from web, 192.0.2.1
any|$neighbour http://10.0.0.1:8080/|hello from web, 10.0.0.1
any|$neighbour http://192.0.2.1:8080/|hello from web, 10.0.0.1
any|$container http://10.0.0.1:8080/|hello from web, 10.0.0.1
any|$lan http://10.0.0.2:80/|hello from web, 192.0.2.2
both|$lan http://[2001:db8::1]:8080/|hello from web, 2001:db8::2
both|$neighbour http://[fd00::1]:8080/|hello from web, fd00::1
both|$lan http://192.0.2.1:8080/|hello from web, 192.0.2.2
loopback|0 http://127.0.0.1:8080/|hello from web, 10.0.0.1
loopback|$lan http://192.0.2.1:8080/|hello from host, 192.0.2.2
loopback|$lan http://10.0.0.2:80/|hello from web, 192.0.2.2
address|$lan http://192.0.2.1:8080/|hello from web, 192.0.2.2
address|0 http://127.0.0.1:8080/|hello from host, 127.0.0.1
address|$lan http://10.0.0.1:8080/|hello from host, 192.0.2.2
ipv4|$lan http://192.0.2.1:8080/|hello from web, 192.0.2.2
ipv4|$lan http://[2001:db8::1]:8080/|hello from host, 2001:db8::2
ipv6|$lan http://[2001:db8::1]:8080/|hello from web, 2001:db8::2
ipv6|$lan http://192.0.2.1:8080/|hello from host, 192.0.2.2
nosnat|$lan http://192.0.2.1:8080/|hello from web, 192.0.2.2
masqall|$lan http://192.0.2.1:8080/|hello from web, 10.0.0.1
masqall|$neighbour http://192.0.2.1:8080/|hello from web, 10.0.0.1
masqall|0 http://127.0.0.1:8080/|hello from web, 10.0.0.1
masqall6|$lan http://[2001:db8::1]:8080/|hello from web, fd00::1
source|$lan http://192.0.2.1:8080/|hello from web, 192.0.2.2
source|$neighbour http://192.0.2.1:8080/|hello from host, 10.0.0.3
source|0 http://127.0.0.1:8080/|hello from host, 127.0.0.1
notsource|$lan http://192.0.2.1:8080/|hello from host, 192.0.2.2
notsource|$neighbour http://192.0.2.1:8080/|hello from web, 10.0.0.1
notsource|0 http://127.0.0.1:8080/|hello from web, 10.0.0.1
destination|$lan http://192.0.2.1:8080/|hello from web, 192.0.2.2
destination|$lan http://10.0.0.1:8080/|hello from host, 192.0.2.2
destination|0 http://127.0.0.1:8080/|hello from host, 127.0.0.1
interface|$lan http://192.0.2.1:8080/|hello from web, 192.0.2.2
interface|$neighbour http://192.0.2.1:8080/|hello from host, 10.0.0.3
interface|0 http://127.0.0.1:8080/|hello from host, 127.0.0.1
source6|$lan http://[2001:db8::1]:8080/|hello from web, 2001:db8::2
source6|$neighbour http://[2001:db8::1]:8080/|hello from host, fd00::3
source6|$lan http://192.0.2.1:8080/|hello from web, 192.0.2.2
LIST
}

scene() {
	ports=$(mapping 8080 80) ips='{"interface": 1, "address": "10.0.0.2/24"}' keys=
	case $1 in
	both | ipv4 | ipv6 | masqall6 | source6) ips=$both ;;
	esac
	case $1 in
	loopback) ports=$(mapping 8080 80 tcp 127.0.0.1) ;;
	address) ports=$(mapping 8080 80 tcp 192.0.2.1) ;;
	ipv4) ports=$(mapping 8080 80 tcp 0.0.0.0) ;;
	ipv6) ports=$(mapping 8080 80 tcp ::) ;;
	nosnat) keys='"snat": false' ;;
	masqall | masqall6) keys='"masqAll": true' ;;
	source) keys='"conditionsV4": ["-s", "192.0.2.0/24"]' ;;
	notsource) keys='"conditionsV4": ["!", "-s", "192.0.2.0/24"]' ;;
	destination) keys='"conditionsV4": ["-d", "192.0.2.0/24"]' ;;
	interface) keys='"conditionsV4": ["-i", "lan0"]' ;;
	source6) keys='"conditionsV6": ["-s", "2001:db8::/64"]' ;;
	esac
}

for plugin in "$PORTPUB" $portmap; do
	who=${plugin##*/}
	for scene in any both loopback address ipv4 ipv6 nosnat masqall masqall6 source notsource destination interface source6; do
		# The real one takes a hostIP that is every address for one that no packet has; masqAll came to it later.
		case $who-$scene in portmap-ipv4 | portmap-ipv6 | portmap-masqall*) continue ;; esac
		scene $scene
		run cni ADD
		is "$who: $scene: it is added" "$status" 0
		questions | grep "^$scene|" >"$tap_tmp/questions"
		while IFS='|' read -r _ question answer; do
			eval "set -- $question"
			is "$who: $scene: $question" "$(ask "$@")" "$answer"
		done <"$tap_tmp/questions"
		case $who-$scene in portpub-any | portpub-nosnat | portpub-masqall)
			run "$PORTPUB" doctor
			is "$who: $scene: doctor finds nothing" "$status $(echo "$out" | grep -c problem)" '0 0'
			;;
		portpub-source)
			run "$PORTPUB" doctor
			has "$who: $scene: doctor tells the condition" "$out" 'ipv4 is for packets with -s 192.0.2.0/24 only'
			;;
		esac
		if [ "$plugin" = "$PORTPUB" ]; then # the real one looks for IPv4 among the rules of IPv6
			run cni CHECK
			is "$who: $scene: CHECK finds it" "$status $out" '0 '
		fi
		run cni DEL
		is "$who: $scene: it is gone" "$status $out$(ask "$lan" http://192.0.2.1:8080/)" '0 hello from host, 192.0.2.2'
	done
	for value in 0 1; do
		filter $value
		scene both
		run cni ADD
		for from in "$neighbour" "$container"; do
			for address in 10.0.0.1 192.0.2.1 '[fd00::1]'; do
				has "$who: from the bridge to $address, bridge-nf-call-iptables=$value" "$(ask "$from" "http://$address:8080/")" 'hello from web'
			done
		done
		cni DEL
	done
	filter 0
	scene any
	ports=$(mapping 53 53 udp)
	cni ADD >"$tap_tmp/result"
	is "$who: datagrams, too" "$(ask_udp "$lan" 192.0.2.1 53 | cut -d, -f1)" "$(ask_udp "$container" 10.0.0.2 53 | cut -d, -f1)"
	# Without snat a neighbour keeps its address, though another container of the same bridge has it masqueraded.
	ips='{"interface": 1, "address": "10.0.0.3/24"}' ports=$(mapping 9 9)
	cni ADD other >"$tap_tmp/result"
	ips='{"interface": 1, "address": "10.0.0.2/24"}' ports=$(mapping 53 53 udp)
	for snat in true false; do
		keys="\"snat\": $snat"
		cni DEL
		cni ADD >"$tap_tmp/result"
		ask_udp "$neighbour" 192.0.2.1 53 >"$tap_tmp/said"
		case $snat in true) want=10.0.0.1 ;; false) want=10.0.0.3 ;; esac
		has "$who: snat $snat: whom the container sees" "$(tail -n 1 "$tap_tmp/hearddns53")" "$want"
	done
	cni DEL other
	keys=
	cni DEL
done
plugin=$PORTPUB
[ -n "$portmap" ] || skip 'the same of the real portmap' 'portmap and iptables are not installed'
finish
