#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The host's socket: one of its own, or the one that dockerd has bound and hands over as descriptor 4.
# shellcheck disable=SC2046,SC2086,SC2119 # words are wanted; stop has arguments of its own
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../forward.sh"
. "${0%/*}/../dockerd.sh"

serve "$container" 80 container
serve_udp "$container" 53 container
greeting "$container" 82 go
ip addr add 192.0.2.11/24 dev lan0

# answers ADDRESS...: who answers on port 8080 of each, in one line.
tcp() { for address in "$@"; do ask "$lan" "http://$address:8080/"; done | paste -sd ' '; }
udp() { for address in "$@"; do ask_udp "$lan" "$address" 8080; done | paste -sd ' '; }
by4='hello from container, 10.0.0.1' by6='hello from container, fd00::1' none='curl: 7'

echo 9999 >/proc/sys/net/core/somaxconn
binds() {
	start $(flags 192.0.2.1 8080 10.0.0.2 80)
	is "$name: one address is that one" "$(tcp 192.0.2.1 192.0.2.11)" "$by4 $none"
	is "$name: as many may wait as the kernel lets" "$(ss -Hltn 'sport = :8080' | awk '{print $3}')" \
		"$(cat /proc/sys/net/core/somaxconn)"
	stop
	start $(flags 192.0.2.1 8080 10.0.0.2 82)
	at "$lan" "$HELPERS/crowd" file 3 192.0.2.1 8080 0 0 >/dev/null # who wait for the end, so it is the proxy's port that lingers
	stop
	ended=$(ss -Htan state time-wait 'sport = :8080' | wc -l | sed 's,^[1-9][0-9]*$,some,')
	start $(flags 192.0.2.1 8080 10.0.0.2 80)
	is "$name: a port whose connections have just ended may be had again" "$ended $(said "$tap_tmp/said")" 'some read 0\n rest '
	stop
	start $(flags ::ffff:192.0.2.1 8080 ::ffff:10.0.0.2 80)
	is "$name: an IPv4 address in IPv6's form is an IPv4 address" "$(listens 8080) $(tcp 192.0.2.1)" \
		"tcp 192.0.2.1:8080 $child $by4"
	stop
	start $(flags 2001:db8::1 8080 fd00::2 80)
	is "$name: IPv6 comes without brackets" "$(tcp '[2001:db8::1]' 192.0.2.1)" "$by6 $none"
	stop
	start $(flags '::' 8080 10.0.0.2 80)
	is "$name: :: is IPv6 alone, also to an IPv4 container" "$(tcp '[2001:db8::1]' 192.0.2.1)" "$by4 $none"
	first=$dockerd first_child=$child
	start $(flags 0.0.0.0 8080 10.0.0.2 80)
	is "$name: so that 0.0.0.0 stands beside it" "$(tcp '[2001:db8::1]' 192.0.2.1 192.0.2.11)" "$by4 $by4 $by4"
	stop
	dockerd=$first
	stop
	start $(flags 0.0.0.0 8080 fd00::2 80)
	is "$name: and 0.0.0.0 to an IPv6 container" "$(tcp 192.0.2.1)" "$by6"
	stop
	start $(flags '::' 8080 10.0.0.2 53 udp)
	is "$name: UDP across families" "$(udp 2001:db8::1)" "$by4"
	first=$dockerd first_child=$child
	start $(flags 0.0.0.0 8080 10.0.0.2 53 udp)
	is "$name: and both beside each other" "$(udp 192.0.2.1) $(listens 8080 | paste -sd ' ')" \
		"$by4 udp 0.0.0.0:8080 $child udp [::]:8080 $first_child"
	ok "$name: a UDP port is shared with nobody, though they would" \
		sh -c "! timeout 3 '$HELPERS/as_dockerd' -l udp:0.0.0.0:8080 true"
	stop
	dockerd=$first
	stop
	start $(flags 192.0.2.1 0 10.0.0.2 80)
	port=$(ss -Hltnp | sed -n "s/.* 192.0.2.1:\([0-9]*\) .*pid=$child,.*/\1/p")
	is "$name: port 0 is a free one" "$(ask "$lan" "http://192.0.2.1:${port:-none}/")" "$by4"
	stop
}
both binds

# The real one of 20.10 makes its own sockets always.
usual="-use-listen-fd $(flags 192.0.2.1 8080 10.0.0.2 80)"
usual_udp="-use-listen-fd $(flags 192.0.2.1 8080 10.0.0.2 53 udp)"
order='-l tcp:192.0.2.1:8080' start $usual
is 'portpub: the socket that is handed over is served' "$(tcp 192.0.2.1 192.0.2.11) $(listens 8080)" \
	"$by4 $none tcp 192.0.2.1:8080 $child"
is 'portpub: it is descriptor 4, and no other' \
	"$(find "/proc/$child/fd" -printf '%l\n' | grep -cF "$(readlink "/proc/$child/fd/4")")" 1
stop
is 'portpub: and it ends well' "$ended $(listens 8080)" 'exit 0 '
# What the flags say of the host is dockerd's affair.
order='-l tcp:192.0.2.11:8080' start -use-listen-fd=true $(flags 192.0.2.1 80 10.0.0.2 80)
is 'portpub: wherever it is bound' "$(tcp 192.0.2.11 192.0.2.1)" "$by4 $none"
stop
order='-l tcp::::8080' start $usual
is 'portpub: it may be of both families' "$(tcp 192.0.2.1 '[2001:db8::1]')" "$by4 $by4"
stop
order='-l udp:192.0.2.1:8080' start $usual_udp
is 'portpub: a UDP socket, too' "$(udp 192.0.2.1)" "$by4"
stop
order='-l udp:0.0.0.0:8080' start $usual_udp
is 'portpub: whose answers come from the address that was asked' "$(udp 192.0.2.1 192.0.2.11)" "$by4 $by4"
stop
order='-l udp::::8080' start $usual_udp
is 'portpub: also where it is of both families' "$(udp 192.0.2.11 2001:db8::1)" "$by4 $by4"
stop

"$HELPERS/talk" serve tcp 81 echo >"$tap_tmp/echo" &
pids="$pids $!"
until_true grep -q ready "$tap_tmp/echo"
order='-l tcp:192.0.2.1:8080 -w 0' start -use-listen-fd $(flags 192.0.2.1 8080 127.0.0.1 81)
ok 'portpub: a client who was there before is served' until_true grep -q '^early echo: early.n$' "$tap_tmp/said"
is 'portpub: and is looked after like those who come later' \
	"$("$HELPERS/options" "$child" | sed 's/^[0-9]* //' | sort | uniq -c | sed 's/^ *//')" \
	'2 nodelay 1 keepalive 1 idle 60 interval 15 count 4'
stop
"$HELPERS/talk" serve udp 81 echo >"$tap_tmp/echo_udp" &
pids="$pids $!"
until_true grep -q ready "$tap_tmp/echo_udp"
order='-l udp:0.0.0.0:8080 -w 0:192.0.2.11' start -use-listen-fd $(flags 0.0.0.0 8080 127.0.0.1 81 udp)
ok 'portpub: so is one of datagrams, from the address it asked' until_true grep -q '^early echo: early.n$' "$tap_tmp/said"
stop

# MPTCP, whose clients may speak TCP.
if [ "$(cat /proc/sys/net/mptcp/enabled 2>/dev/null)" = 1 ]; then
	mb=1048576
	order='-l mptcp:192.0.2.1:8080' start $usual
	is 'portpub: an MPTCP socket serves clients of TCP' "$(tcp 192.0.2.1)" "$by4"
	stop
	answering "$container" 3000 both:$((8 * mb)) end
	order='-l mptcp:192.0.2.1:8080' start -use-listen-fd $(flags 192.0.2.1 8080 10.0.0.2 3000)
	is 'portpub: and of MPTCP, both ways' "$(calls "$lan" mptcp 192.0.2.1 8080 both:$((8 * mb)) fin end)" \
		"connected $((8 * mb)) bytes eof"
	hears 'portpub: to the last byte' "$((8 * mb)) bytes eof"
	is 'portpub: it was MPTCP' "$(nstat -asz MPTcpExtMPCapableSYNRX | awk '/^MPTcp/ { print $2 }')" 1
	stop
	answering "$container" 3001 hear:5 end say:world end
	order='-l mptcp:192.0.2.1:8080' start -use-listen-fd $(flags 192.0.2.1 8080 10.0.0.2 3001)
	is 'portpub: who may close one way first' "$(calls "$lan" mptcp 192.0.2.1 8080 say:hello fin hear:5 end)" 'connected world eof'
	stop
	order='-l mptcp:192.0.2.1:8080' start -use-listen-fd $(flags 192.0.2.1 8080 10.0.0.2 1)
	is 'portpub: and are reset where nobody answers' "$(calls "$lan" mptcp 192.0.2.1 8080 end)" 'connected reset'
	stop
else
	skip 'portpub: an MPTCP socket serves clients of TCP and of MPTCP' 'this kernel has no MPTCP'
fi

for wrong in udp:192.0.2.1:8080 bound:192.0.2.1:8080 unix file; do
	order="-l $wrong"
	is "portpub: $wrong is not what tcp wants" "$(try $usual)" \
		'read 1\ndescriptor 4 is not a tcp socket that listens rest  exit 1'
done
for wrong in tcp:192.0.2.1:8080 unix file; do
	order="-l $wrong"
	is "portpub: $wrong is not what udp wants" "$(try $usual_udp)" \
		'read 1\ndescriptor 4 is not a udp socket rest  exit 1'
done
order=
is 'portpub: nor is nothing' "$(try $usual)" 'read 1\ndescriptor 4 is not open rest  exit 1'
finish
