#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Only what asks this host, by an address that a port is published on, is sent to the container: the same port of
# another address, or of another machine behind this host, is none of ours.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
export PORTPUB_RUNTIME_DIR="$tap_tmp/run"
refused='curl: 7' unheard='udp: Connection refused'

serve "$container" 3000 container
serve_udp "$container" 3000 container
for machine in neighbour lan; do
	eval "pid=\$$machine"
	serve "$pid" 80 $machine
	serve_udp "$pid" 53 $machine
done
ok 'ports of every address are published' "$PORTPUB" add --no-keeper --id every --to 10.0.0.2,fd00::2 80:3000 53:3000/udp
is 'they answer' "$(ask "$lan" http://192.0.2.1/) / $(ask_udp "$lan" 192.0.2.1 53)" \
	'hello from container, 192.0.2.2 / hello from container, 192.0.2.2'

# through WHO FROM MACHINE4 MACHINE6 SERVER SEEN4 SEEN6
through() {
	is "$1 keeps its port: tcp" "$(ask "$2" "http://$3/") / $(ask "$2" "http://[$4]/")" \
		"hello from $5, $6 / hello from $5, $7"
	is "$1 keeps its port: udp" "$(ask_udp "$2" "$3" 53) / $(ask_udp "$2" "$4" 53)" \
		"hello from $5, $6 / hello from $5, $7"
}
through 'a machine behind the host' "$lan" 10.0.0.3 fd00::3 neighbour 192.0.2.2 2001:db8::2
through 'a machine outside' "$neighbour" 192.0.2.2 2001:db8::2 lan 10.0.0.3 fd00::3
through 'a machine outside, asked by the container itself,' "$container" 192.0.2.2 2001:db8::2 lan 10.0.0.2 fd00::2
through 'a machine that this host asks' 0 192.0.2.2 2001:db8::2 lan 192.0.2.1 2001:db8::1
if [ -e /proc/sys/net/bridge/bridge-nf-call-iptables ]; then
	echo 1 >/proc/sys/net/bridge/bridge-nf-call-iptables
	echo 1 >/proc/sys/net/bridge/bridge-nf-call-ip6tables
	through 'a neighbour, over a bridge that calls netfilter,' "$container" 10.0.0.3 fd00::3 neighbour 10.0.0.2 fd00::2
	echo 0 >/proc/sys/net/bridge/bridge-nf-call-iptables
	echo 0 >/proc/sys/net/bridge/bridge-nf-call-ip6tables
else
	skip 'a neighbour, over a bridge that calls netfilter, keeps its port' 'no br_netfilter here'
fi
"$PORTPUB" del every

ok 'ports of an address that is not of this host are published' "$PORTPUB" add --no-keeper --id theirs --to 10.0.0.2,fd00::2 \
	10.0.0.3:80:3000 10.0.0.3:53:3000/udp '[fd00::3]:80:3000' '[fd00::3]:53:3000/udp'
through 'a machine behind the host, whose address that is,' "$lan" 10.0.0.3 fd00::3 neighbour 192.0.2.2 2001:db8::2
through 'such a machine, asked by this host,' 0 10.0.0.3 fd00::3 neighbour 10.0.0.1 fd00::1
"$PORTPUB" del theirs

ok 'ports of one address are published' "$PORTPUB" add --no-keeper --id one --to 10.0.0.2,fd00::2 \
	192.0.2.1:82:3000 192.0.2.1:82:3000/udp '[2001:db8::1]:83:3000' '[2001:db8::1]:83:3000/udp'
is 'an address answers for itself' "$(ask "$lan" http://192.0.2.1:82/) / $(ask_udp "$lan" 192.0.2.1 82)" \
	'hello from container, 192.0.2.2 / hello from container, 192.0.2.2'
is 'an address answers the host itself' "$(ask 0 http://192.0.2.1:82/) / $(ask_udp 0 192.0.2.1 82)" \
	'hello from container, 192.0.2.1 / hello from container, 192.0.2.1'
is 'another address does not, to machines outside' "$(ask "$lan" http://10.0.0.1:82/) / $(ask_udp "$lan" 10.0.0.1 82)" \
	"$refused / $unheard"
is 'nor to containers' "$(ask "$neighbour" http://10.0.0.1:82/) / $(ask_udp "$neighbour" 10.0.0.1 82)" "$refused / $unheard"
is 'nor to the host' "$(ask 0 http://127.0.0.1:82/) / $(ask_udp 0 10.0.0.1 82)" "$refused / $unheard"
is 'nor does IPv6' "$(ask "$lan" 'http://[2001:db8::1]:82/') / $(ask_udp "$lan" 2001:db8::1 82)" "$refused / $unheard"
is 'an IPv6 address answers for itself' "$(ask "$lan" 'http://[2001:db8::1]:83/') / $(ask_udp "$lan" 2001:db8::1 83)" \
	'hello from container, 2001:db8::2 / hello from container, 2001:db8::2'
is 'an IPv6 address answers the host itself' "$(ask 0 'http://[2001:db8::1]:83/') / $(ask_udp 0 2001:db8::1 83)" \
	'hello from container, 2001:db8::1 / hello from container, 2001:db8::1'
is 'another IPv6 address does not' "$(ask "$lan" 'http://[fd00::1]:83/') / $(ask_udp 0 fd00::1 83)" "$refused / $unheard"
is 'nor does IPv4' "$(ask "$lan" http://192.0.2.1:83/) / $(ask_udp "$lan" 192.0.2.1 83)" "$refused / $unheard"

run "$PORTPUB" add --no-keeper --to 10.0.0.3,fd00::3 82:80
is 'the same port of every address is taken' "$status $err" '3 portpub: host port 192.0.2.1:82/tcp is already published by one'
# Rules do not rely on that: with both there, the one that says more is taken.
nft 'add element inet portpub any4 { tcp . 82 : 10.0.0.3 . 80, udp . 82 : 10.0.0.3 . 53 }
	add element inet portpub any6 { tcp . 83 : fd00::3 . 80, udp . 83 : fd00::3 . 53 }'
is 'a specific address goes before every address' \
	"$(ask "$lan" http://192.0.2.1:82/) / $(ask "$lan" http://10.0.0.1:82/) / $(ask 0 http://192.0.2.1:82/)" \
	'hello from container, 192.0.2.2 / hello from neighbour, 192.0.2.2 / hello from container, 192.0.2.1'
is 'and by UDP' "$(ask_udp "$lan" 192.0.2.1 82) / $(ask_udp "$lan" 10.0.0.1 82)" \
	'hello from container, 192.0.2.2 / hello from neighbour, 192.0.2.2'
is 'a specific IPv6 address, too' \
	"$(ask "$lan" 'http://[2001:db8::1]:83/') / $(ask "$lan" 'http://[fd00::1]:83/') / $(ask 0 'http://[2001:db8::1]:83/')" \
	'hello from container, 2001:db8::2 / hello from neighbour, 2001:db8::2 / hello from container, 2001:db8::1'
is 'and by UDP over IPv6' "$(ask_udp "$lan" 2001:db8::1 83) / $(ask_udp "$lan" fd00::1 83)" \
	'hello from container, 2001:db8::2 / hello from neighbour, 2001:db8::2'
finish
