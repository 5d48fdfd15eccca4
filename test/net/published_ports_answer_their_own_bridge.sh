#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Neighbours of a container, and the container itself, reach what it publishes, whether or not the bridge calls
# netfilter and sends packets back where they came from. Where the kernel cannot carry a container to itself, and
# there is no keeper, it is refused at once.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
export PORTPUB_RUNTIME_DIR="$tap_tmp/run"

serve "$container" 3000 container
serve_udp "$container" 3000 container
here='hello from container'
calls=/proc/sys/net/bridge/bridge-nf-call

# answers WHO MACHINE ADDRESS WANT UDP: by TCP and by UDP.
answers() {
	case $3 in
	*:*) url="http://[$3]/" ;;
	*) url="http://$3/" ;;
	esac
	is "$1 by $3: tcp" "$(ask "$2" "$url")" "$4"
	is "$1 by $3: udp" "$(ask_udp "$2" "$3" 53)" "${5:-$4}"
}

for called in 0 1; do
	for hairpin in off on; do
		bridge="bridge-nf-call $called, hairpin $hairpin"
		if [ ! -e ${calls}-iptables ]; then
			if [ $called = 1 ]; then
				skip "$bridge" 'no br_netfilter here'
				continue
			fi
		else
			echo $called >${calls}-iptables
			echo $called >${calls}-ip6tables
		fi
		ip link set c0 type bridge_slave hairpin $hairpin
		run "$PORTPUB" add --no-keeper --id web --to 10.0.0.2,fd00::2 80:3000 53:3000/udp
		is "$bridge: it is published" "$status" 0

		# What goes over the bridge alone can be answered over it alone, and keeps its address.
		if [ $called = 0 ]; then from=1; else from=3; fi
		answers "$bridge: a neighbour" "$neighbour" 10.0.0.1 "$here, 10.0.0.$from"
		answers "$bridge: a neighbour" "$neighbour" 192.0.2.1 "$here, 10.0.0.$from"
		answers "$bridge: a neighbour" "$neighbour" fd00::1 "$here, fd00::$from"
		answers "$bridge: a neighbour" "$neighbour" 2001:db8::1 "$here, fd00::$from"
		if [ $called$hairpin = 1off ]; then
			set -- 'curl: 7' 'udp: Connection refused' 'curl: 7' 'udp: Connection refused'
		else
			set -- "$here, 10.0.0.1" "$here, 10.0.0.1" "$here, fd00::1" "$here, fd00::1"
		fi
		answers "$bridge: the container" "$container" 10.0.0.1 "$1" "$2"
		answers "$bridge: the container" "$container" 192.0.2.1 "$1" "$2"
		answers "$bridge: the container" "$container" fd00::1 "$3" "$4"
		answers "$bridge: the container" "$container" 2001:db8::1 "$3" "$4"
		answers "$bridge: a client outside" "$lan" 192.0.2.1 "$here, 192.0.2.2"
		"$PORTPUB" del web
	done
done
finish
