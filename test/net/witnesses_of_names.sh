#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# dig asks dnsmasq, by datagrams and by connections: short answers, long ones, and one that is too long for a datagram.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../forward.sh"
need dig dnsmasq

long=$(seq -s , -f 'a text that is long enough to fill what a datagram has place for, number %03g' 9)
# Not a daemon, which would want to become somebody else.
serves "$container" dnsmasq --no-daemon --conf-file=/dev/null --no-resolv --no-hosts --port=5300 --user=root \
	--address=/short.test/10.1.2.3 --address=/short.test/fd00::1234 --txt-record=long.test,"$long" --edns-packet-max=4096
until_true listens "$container" 5300 || cat "$tap_tmp/server" >&2
forward --to 10.0.0.2,fd00::2 4300:5300 4300:5300/udp
query() { at "$lan" dig -p 4300 +tries=2 +time=2 "$@"; }

for host in 192.0.2.1 2001:db8::1; do
	for by in +notcp +tcp; do
		is "$host $by: an address" "$(query @$host $by +short short.test A)" 10.1.2.3
		is "$host $by: an IPv6 address" "$(query @$host $by +short short.test AAAA)" fd00::1234
		is "$host $by: a long answer" "$(query @$host $by +bufsize=4096 +ignore +short long.test TXT |
			grep -o 'number [0-9]*' | wc -l)" 9
	done
	is "$host: truncated, and asked again by a connection" \
		"$(query @$host +bufsize=512 long.test TXT | grep -cE 'retrying in TCP mode|\(TCP\)')" 2
done
yes 'short.test A' | head -n 300 >"$tap_tmp/many"
is 'three hundred in a row' "$(query @192.0.2.1 +short -f "$tap_tmp/many" | sort | uniq -c | tr -s ' ')" ' 300 10.1.2.3'
head -n 90 "$tap_tmp/many" >"$tap_tmp/some" # dnsmasq closes after a hundred
is 'ninety on one connection' \
	"$(query @192.0.2.1 +tcp +keepopen +short -f "$tap_tmp/some" | sort | uniq -c | tr -s ' ')" ' 90 10.1.2.3'
stop
is 'it ends as it should' "$status" 0
finish
