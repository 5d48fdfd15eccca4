#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# iperf3 counts the bytes of streams and the datagrams of a flow, each way; socat's are what they were, and it
# hears the end of what one side says while the other goes on.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../forward.sh"
need iperf3 socat jq

serves "$container" iperf3 -s -p 5201
until_true listens "$container" 5201
forward --to 10.0.0.2,fd00::2 4201:5201 4201:5201/udp 4202:5202 4203:5203/udp
measure() { at "$lan" timeout 30 iperf3 -p 4201 --json "$@" 2>&1; }
# streams CLAIM ARGUMENTS...: iperf3 stops when all is sent, and counts what has arrived by then: of eight streams a
# hundred megabytes may be on their way, in as many buffers.
streams() {
	claim=$1
	shift
	is "iperf3: $claim" "$(measure -n 512M "$@" | jq -r '.error // .end |
		if type == "string" then . else .sum_received.bytes > 134217728 end')" true
}
streams 'one stream' -c 192.0.2.1
streams 'one stream back' -c 192.0.2.1 -R
streams 'one stream by IPv6' -c 2001:db8::1
streams 'one stream back by IPv6' -c 2001:db8::1 -R
streams 'eight streams' -c 192.0.2.1 -P 8
streams 'eight streams back' -c 192.0.2.1 -P 8 -R
# flow CLAIM ARGUMENTS...: datagrams, at a rate that nobody needs to lose any of.
flow() {
	claim=$1
	shift
	is "iperf3: $claim" "$(measure -u -b 10M -t 1 "$@" | jq -r '.error // .end.sum |
		if type == "string" then . else "\(.packets > 100) \(.lost_packets)" end')" 'true 0'
}
flow 'datagrams' -c 192.0.2.1 -l 1200
flow 'datagrams back' -c 192.0.2.1 -l 1200 -R
flow 'datagrams by IPv6' -c 2001:db8::1 -l 1200

# What is sent ends, and only then is there an answer.
head -c 32M /dev/urandom >"$tap_tmp/sent"
want=$(sum "$tap_tmp/sent")
serves "$container" socat TCP6-LISTEN:5202,fork,reuseaddr,ipv6only=0 'SYSTEM:sha256sum'
until_true listens "$container" 5202
for host in TCP4:192.0.2.1 'TCP6:[2001:db8::1]'; do
	is "socat: the sum of what it sent, after the end, $host" \
		"$(at "$lan" socat -t 20 - "$host:4202" <"$tap_tmp/sent" | cut -d ' ' -f 1)" "$want"
done
serves "$container" socat UDP4-LISTEN:5203 PIPE
until_true sh -c "nsenter -t $container -n ss -Hlun sport = :5203 | grep -q ."
is 'socat: a datagram comes back' "$(echo hello | at "$lan" socat -T 1 - UDP4:192.0.2.1:4203,shut-none | head -n 1)" hello
stop
is 'it ends as it should' "$status" 0
finish
