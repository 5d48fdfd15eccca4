#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A port that is published on every address answers whoever asks for it, by each address of the host but ::1, and
# clients keep their address where the answer would find its way back without ours.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
export PORTPUB_RUNTIME_DIR="$tap_tmp/run"

# The other bridge: other 10.1.0.2, fd01::2 --- 10.1.0.1, fd01::1 br1.
machine && other=$machine
ip link add br1 type bridge
ip addr add 10.1.0.1/24 dev br1
ip addr add fd01::1/64 dev br1 nodad
ip link set br1 up
cable "$other" o0 10.1.0.2 fd01::2 10.1.0.1 fd01::1
ip link set o0 master br1

# answers WHO MACHINE ADDRESS SEEN: by TCP and by UDP, and the container sees the address SEEN.
answers() {
	case $3 in
	*:*) url="http://[$3]/" ;;
	*) url="http://$3/" ;;
	esac
	is "$1 by $3: tcp" "$(ask "$2" "$url")" "hello from container, $4"
	is "$1 by $3: udp" "$(ask_udp "$2" "$3" 53)" "hello from container, $4"
}

everybody() {
	answers 'a client outside' "$lan" 192.0.2.1 192.0.2.2
	answers 'a client outside' "$lan" 10.0.0.1 192.0.2.2
	answers 'a client outside' "$lan" 2001:db8::1 2001:db8::2
	answers 'a client outside' "$lan" fd00::1 2001:db8::2
	answers 'the host' 0 127.0.0.1 10.0.0.1
	answers 'the host' 0 127.200.0.9 10.0.0.1
	answers 'the host' 0 192.0.2.1 192.0.2.1
	answers 'the host' 0 10.0.0.1 10.0.0.1
	answers 'the host' 0 10.1.0.1 10.1.0.1
	answers 'the host' 0 2001:db8::1 2001:db8::1
	answers 'the host' 0 fd00::1 fd00::1
	answers 'a container on another bridge' "$other" 10.1.0.1 10.1.0.2
	answers 'a container on another bridge' "$other" 10.0.0.1 10.1.0.2
	answers 'a container on another bridge' "$other" 192.0.2.1 10.1.0.2
	answers 'a container on another bridge' "$other" fd01::1 fd01::2
	answers 'a container on another bridge' "$other" 2001:db8::1 fd01::2
}

serve "$container" 3000 container
serve_udp "$container" 3000 container
run "$PORTPUB" add --no-keeper --id web --to 10.0.0.2,fd00::2 80:3000 53:3000/udp 9:3000/sctp
is 'a port of each protocol is published' "$status" 0
everybody

sctp() { nft -j list map inet portpub "$1" | jq -c '.nftables[1].map.elem[] | .[0].elem.val.concat + .[1].concat |
	select(.[0] == "sctp")'; }
is 'sctp has its element for IPv4 and for IPv6' "$(sctp any4) $(sctp any6)" \
	'["sctp",9,"10.0.0.2",3000] ["sctp",9,"fd00::2",3000]'

"$PORTPUB" del web
is 'what is not published any longer is refused' \
	"$(ask "$lan" http://192.0.2.1/) / $(ask 0 http://127.0.0.1/) / $(ask_udp "$lan" 192.0.2.1 53)" \
	'curl: 7 / curl: 7 / udp: Connection refused'

# Who it is can be said in other ways.
seen() {
	is "$1: the addresses of the container" "$("$PORTPUB" list --json | jq -c '[.[].targets | .. | .address? // empty]')" \
		'["10.0.0.2","fd00::2"]'
	is "$1: it answers" "$(ask "$lan" http://192.0.2.1/) / $(ask "$lan" 'http://[2001:db8::1]/')" \
		'hello from container, 192.0.2.2 / hello from container, 2001:db8::2'
	"$PORTPUB" del --all
}
ok 'published by the pid of the container' "$PORTPUB" add --no-keeper --pid "$container" 80:3000
seen --pid
ok 'published by its network namespace' "$PORTPUB" add --no-keeper --netns "/proc/$container/ns/net" 80:3000
seen --netns
ok 'published by what it listens on' "$PORTPUB" add --no-keeper 80:3000
seen 'nothing said'

# A range goes one to one.
for port in 3100 3101 3102; do
	serve "$container" $port "to$port"
	serve_udp "$container" $port "to$port"
done
ok 'a range is published' "$PORTPUB" add --no-keeper --to 10.0.0.2,fd00::2 20000-20002:3100-3102 20000-20002:3100-3102/udp
for i in 0 1 2; do
	is "port $i of the range is port $i of the container" \
		"$(ask "$lan" "http://192.0.2.1:2000$i/") / $(ask "$lan" "http://[2001:db8::1]:2000$i/")" \
		"hello from to310$i, 192.0.2.2 / hello from to310$i, 2001:db8::2"
	is "port $i of the range is port $i of the container: udp" \
		"$(ask_udp "$lan" 192.0.2.1 "2000$i") / $(ask_udp "$lan" 2001:db8::1 "2000$i")" \
		"hello from to310$i, 192.0.2.2 / hello from to310$i, 2001:db8::2"
done
is 'the ports beside the range are closed' \
	"$(ask "$lan" http://192.0.2.1:19999/) / $(ask "$lan" http://192.0.2.1:20003/)" 'curl: 7 / curl: 7'
finish
