#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# However many clients of UDP there are, the forwarder has a bounded number of flows, of descriptors and of memory;
# those that have been silent longest make room, and what a flood has taken is given back.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../forward.sh"

datagrams_at "$container" :: 7000

# A cap. seen PORT: the port that the container sees a client of the lan at.
seen() { who "$lan" "$1" 7000 192.0.2.1 | cut -d ' ' -f 1; }
forward --to 10.0.0.2 --max-flows 3 7000:7000/udp
one=$(seen 9001) two=$(seen 9002) three=$(seen 9003)
is 'as many flows as there may be stay' "$(seen 9001) $(seen 9002) $(seen 9003)" "$one $two $three"
is 'and none has made room' "$(counted flows_open evicted)" ' flows_open 3 evicted 0'
one=$(seen 9001) four=$(seen 9004)
is 'one more takes the place of the most silent one' "$(seen 9003) $(seen 9001) $(seen 9004)" "$three $one $four"
is 'of one alone' "$(counted flows flows_open evicted)" ' flows 4 flows_open 3 evicted 1'
ok 'which is served anew' test -n "$(seen 9002)"
is 'at the cost of the next' "$(counted flows flows_open evicted)" ' flows 5 flows_open 3 evicted 2'
stop

forward --to 10.0.0.2 --max-flows 1 7000:7000/udp
is 'a hundred clients at once and one place: each is served that waits for the other' "$(crowd "$lan" 192.0.2.1 7000 100 1)" 100
crowd "$lan" 192.0.2.1 7000 300 300 >"$tap_tmp/ignored"
is 'all at once, the forwarder lives' "$(counted flows_open)" ' flows_open 1'
is 'and what was lost is counted' "$(counted datagrams lost | awk -F '[ /]' '{ print $3 + $6 }')" 400
stop

# Descriptors.
within='prlimit --nofile=64:64' forward --to 10.0.0.2 7000:7000/udp 7001:7000/udp 4000:3000
greeting "$container" 3000 go
is 'many clients and few descriptors: all of them are served' "$(crowd "$lan" 192.0.2.1 7000 300 16)" 300
below 'some are left for connections' "$(descriptors "$engine")" 59
is 'which are served' "$(calls "$lan" 192.0.2.1 4000 hear:1 end)" 'connected ! eof'
stop

# Local ports.
echo '40000 40099' >/proc/sys/net/ipv4/ip_local_port_range
for to in 10.0.0.2 fd00::2; do
	forward --to $to 7000:7000/udp
	is "more clients than local ports towards $to: all of them are served" "$(crowd "$lan" 192.0.2.1 7000 300 16)" 300
	is 'each of the others in the place of the most silent one' "$(counted flows_open evicted)" ' flows_open 100 evicted 200'
	stop
done
echo '32768 60999' >/proc/sys/net/ipv4/ip_local_port_range

# Memory.
forward --to 10.0.0.2 --udp-timeout 1 7000:7000/udp
burst "$lan" 192.0.2.1 7000 10 >"$tap_tmp/ignored"
comes_to flows_open 0
least=$(dirty "$engine") rest=$(descriptors "$engine")
prlimit --nofile=8192:8192 true && prlimit --pid $$ --nofile=8192:8192
is 'four thousand clients are served' "$(crowd "$lan" 192.0.2.1 7000 4000 50)" 4000
is 'and each of them was one' "$(counted flows)" ' flows 4001'
comes_to flows_open 0
is 'when they are gone, so are their descriptors' "$(descriptors "$engine")" "$rest"
if is_sanitized; then
	skip 'and their memory' 'the sanitizers keep it'
else
	ok 'and their memory' until_true sh -c "[ \$(awk '/^Private_Dirty/ { print \$2 }' /proc/$engine/smaps_rollup) -le $((least + 40)) ]"
fi
stop

forward --to 10.0.0.2 --max-flows 2000 7000:7000/udp
least=$(dirty "$engine")
crowd "$lan" 192.0.2.1 7000 4000 50 >"$tap_tmp/ignored"
is 'with a cap, no more than that many' "$(counted flows_open evicted)" ' flows_open 2000 evicted 2000'
until_true sh -c "[ \$(awk '/^Private_Dirty/ { print \$2 }' /proc/$engine/smaps_rollup) -lt $((least + 1000)) ]"
is_sanitized || below 'a flow costs less than 500 bytes' "$((($(dirty "$engine") - least) * 1024 / 2000))" 500
before=$(cpu "$engine")
sleep 0.5
below 'and nothing while it is silent' "$(($(cpu "$engine") - before))" 20
stop
is 'it ends with 0' "$status" 0
finish
