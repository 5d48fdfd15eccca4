#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# TCP, UDP and ranges of a container of dockerd answer whoever may ask, with and without rules of its own; a port that is
# taken is told; and what is stopped leaves nothing.
. "${0%/*}/../tap.sh"
. "${0%/*}/../machine.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../docker.sh"

answer='hello from web'

claims() {
	run container web -p 127.0.0.1:3456:3000 -p 5000:8000/udp -p 9000-9003:9000-9003 -p 6000-6001:7000-7001/udp -- tcp:3000 udp:8000 tcp:9000-9003 udp:7000-7001
	is "$how: docker run" "$status $err" '0 '
	is "$how: a process for each address and port, all of them ours" \
		"$(proxies) $(pgrep -x docker-proxy | while read -r pid; do readlink "/proc/$pid/exe"; done | sort -u)" "15 $PORTPUB"
	for at in "0 127.0.0.1 3456" "0 127.0.0.1 9000" "0 192.0.2.1 9001" "0 172.29.0.1 9002" "0 [::1] 9003" "0 [2001:db8::1] 9000" \
		"$lan 192.0.2.1 9001" "$lan 192.0.2.1 9003" "$lan [2001:db8::1] 9002"; do
		# shellcheck disable=SC2086 # words are wanted
		is "$how: TCP to ${at#* } from $(echo "$at" | sed 's/^0 .*/this host/; s/^[1-9].*/outside/')" "$(web $at)" "$answer"
	done
	for at in "0 127.0.0.1 5000" "0 192.0.2.1 5000" "0 ::1 5000" "$lan 192.0.2.1 5000" "$lan 2001:db8::1 5000" \
		"0 127.0.0.1 6000" "0 ::1 6001" "$lan 192.0.2.1 6001" "$lan 2001:db8::1 6000"; do
		# shellcheck disable=SC2086 # words are wanted
		is "$how: UDP to ${at#* } from $(echo "$at" | sed 's/^0 .*/this host/; s/^[1-9].*/outside/')" \
			"$(datagram $at)" "$answer"
	done
	is "$how: what is for this host alone is" "$(web "$lan" 192.0.2.1 3456)" 'curl: 7'
	is "$how: the container reaches its own port" \
		"$(docker exec web wget -qO- http://172.29.0.1:9001/ | cut -d, -f1)" "$answer"

	run container other -p 9003:80 -- tcp:80
	has "$how: a port of another container is refused" "$err" 'port is already allocated'
	docker rm other >/dev/null
	nsenter -t $$ -n "$HELLO" 9010 somebody >"$tap_tmp/somebody" &
	somebody=$!
	until_true grep -q ready "$tap_tmp/somebody"
	run container other -p 9010:80 -- tcp:80
	has "$how: a port of somebody else is told in the words that are known" "$err" \
		'listen tcp4 0.0.0.0:9010: bind: address already in use'
	is "$how: ... and docker run fails" "$status" 125
	docker rm other >/dev/null
	is "$how: ... which costs the others nothing" "$(proxies) $(web "$lan" 192.0.2.1 9001)" "15 $answer"
	run container other -p 7000:7000/sctp -- tcp:80
	if grep -q '^SCTP' /proc/net/protocols; then
		is "$how: SCTP is published" "$status $err" '0 '
	else
		has "$how: that this kernel has no SCTP is told" "$err" 'listen sctp4 0.0.0.0:7000: this kernel has no SCTP'
	fi
	docker rm -f other >/dev/null
	kill $somebody
	wait $somebody 2>/dev/null

	docker stop web >/dev/null
	is "$how: docker stop leaves nothing" "$(left_behind)" ''
	docker start web >/dev/null
	until_true serving web
	is "$how: docker start has it back" "$(web "$lan" 192.0.2.1 9001) $(datagram 0 ::1 5000)" "$answer $answer"
	docker rm -f web >/dev/null
	is "$how: docker rm leaves nothing" "$(left_behind)" ''
}

how='dockerd'
# shellcheck disable=SC2119 # it has arguments of its own
begin
claims
end_dockerd TERM
how='dockerd --iptables=false'
forget_rules
dockerd --iptables=false
claims
end_dockerd TERM
finish
