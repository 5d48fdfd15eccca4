#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# TCP, UDP and ranges of a container of podman answer whoever may ask, and the container sees who it is; a port that is
# taken is told; a flush is repaired; and what is stopped leaves nothing. So it is in the network of contrib, and in one
# that podman has made itself, whose plugin is portmap by name.
. "${0%/*}/../tap.sh"
. "${0%/*}/../machine.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../podman.sh"

# answers GATEWAY: whether all of it answers, and what the container sees of whom.
answers() {
	while read -r from address port sees; do
		claim="$how: TCP to $address $port from $from"
		if [ "$from" = outside ]; then machine=$lan; else machine=0; fi
		is "$claim" "$(web "$machine" "$address" "$port")" "hello from web, $sees"
	done <<-TCP
		this_host 127.0.0.1 3456 $1
		this_host 127.0.0.1 9000 $1
		this_host 192.0.2.1 9001 192.0.2.1
		this_host $1 9002 $1
		this_host [2001:db8::1] 9003 2001:db8::1
		this_host 192.0.2.1 7000 192.0.2.1
		outside 192.0.2.1 9000 192.0.2.2
		outside 192.0.2.1 9003 192.0.2.2
		outside 192.0.2.1 7000 192.0.2.2
		outside [2001:db8::1] 9002 2001:db8::2
	TCP
	while read -r from address sees; do
		claim="$how: UDP to $address from $from"
		if [ "$from" = outside ]; then machine=$lan; else machine=0; fi
		is "$claim" "$(datagram "$machine" "$address" 5000)" "hello from web, $sees"
	done <<-UDP
		this_host 127.0.0.1 $1
		this_host 192.0.2.1 192.0.2.1
		outside 192.0.2.1 192.0.2.2
		outside 2001:db8::1 2001:db8::2
	UDP
	is "$how: what is for this host alone is" "$(web "$lan" 192.0.2.1 3456)" 'curl: 7'
	is "$how: what is for one address is" "$(web 0 "$1" 7000)" 'curl: 7'
	is "$how: ::1 is refused, which takes a process" "$(web 0 '[::1]' 9003)" 'curl: 7'
	is "$how: the container reaches its own port" \
		"$(podman exec web wget -qO- "http://$1:9001/" | cut -d, -f1)" 'hello from web'
	run "$PORTPUB" check
	is "$how: records and kernel agree" "$status $out$err" '0 '
}

# refused WORDS PODMAN-ARGUMENT...: and nothing is left of it.
refused() {
	words=$1
	shift
	before=$(state)
	# shellcheck disable=SC2086 # words are wanted
	run podman run -d --name other $parent --network "$network" "$@" test serve other tcp:80
	is "$how: podman run $* fails" "$status $out" '126 '
	has "$how: ... and says why" "$err" "$words"
	podman rm other >/dev/null
	is "$how: ... and leaves nothing" "$(state)" "$before"
}
state() {
	nft list ruleset 2>/dev/null | sed 's/packets [0-9]* bytes [0-9]*/packets N/'
	find /run/portpub -name '*.json' -exec cat {} +
	ss -Hlntu | awk '{print $1, $5}' | sort
}

# claims GATEWAY
claims() {
	run container web --network "$network" -p 127.0.0.1:3456:3000 -p 192.0.2.1:7000:3000 -p 5000:8000/udp \
		-p 9000-9003:9000-9003 -- tcp:3000 udp:8000 tcp:9000-9003
	is "$how: podman run" "$status $err" '0 '
	answers "$1"

	nsenter -t $$ -n "$HELLO" 9010 somebody >"$tap_tmp/somebody" &
	somebody=$!
	nsenter -t $$ -n "$HELPERS/udp" serve '' 9011 somebody >"$tap_tmp/somebody.udp" &
	udp=$!
	until_true grep -q ready "$tap_tmp/somebody"
	until_true grep -q ready "$tap_tmp/somebody.udp"
	"$PORTPUB" add --no-keeper --id mine 9020:80 --to 10.0.0.2 2>/dev/null >&2
	id=$(podman inspect -f '{{.Id}}' web)
	refused "host port 0.0.0.0:9003/tcp is already published by cni-$(echo "$id" | cut -c1-12)-" -p 9003:80
	refused "(container $id)" -p 9030-9039:80-89 -p 127.0.0.1:9000:80
	refused 'host port 0.0.0.0:9020/tcp is already published by mine' -p 9020:80
	refused '[::1]:9040:80/tcp: hostIP: the kernel does not route ::1 to a container' -p '[::1]:9040:80'
	refused 'listen tcp4 :9010: bind: address already in use' -p 9010:80
	refused 'listen udp4 :9011: bind: address already in use' -p 9011:80/udp
	is "$how: others keep what they have" "$(web 0 127.0.0.1 9010) $(web "$lan" 192.0.2.1 9003)" \
		'hello from somebody, 127.0.0.1 hello from web, 192.0.2.2'
	"$PORTPUB" del mine
	kill $somebody $udp
	wait $somebody $udp 2>/dev/null

	nft flush ruleset
	is "$how: after a flush of the rulesets nobody answers" "$(web "$lan" '[2001:db8::1]' 9003)" 'curl: 7'
	podman network reload web >/dev/null
	is "$how: podman network reload repairs it" "$("$PORTPUB" check) $(web "$lan" 192.0.2.1 9003)" \
		' hello from web, 192.0.2.2'

	podman stop web >/dev/null
	leaves_nothing "$how: podman stop leaves nothing"
	podman start web >/dev/null
	until_true serving web
	podman restart web >/dev/null
	until_true serving web
	is "$how: podman start and restart have it back" "$(web "$lan" 192.0.2.1 9001) $(datagram "$lan" 192.0.2.1 5000)" \
		'hello from web, 192.0.2.2 hello from web, 192.0.2.2'
	podman rm -f web >/dev/null
	leaves_nothing "$how: podman rm -f leaves nothing"
}

begin
use_plugin portpub
how='portpub' network=portpub
claims 10.89.0.1
use_plugin portmap
podman network create --ipv6 --subnet 10.90.0.0/24 --subnet fd00:10:90::/64 own >/dev/null
how='as portmap' network=own
claims 10.90.0.1
finish
