#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A pool gives its first port that neither a publication nor a process has, and a free port is what the kernel
# would give any program; both are told.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../publish.sh"

# chosen SPEC...: the host ports that were announced, in the order of the answer.
chosen() {
	run add --to 10.0.0.2,fd00::2 "$@"
	[ "$status" = 0 ] || echo "exit status $status: $err"
	echo "$out" | sed -n 's/^[a-z0-9]*  //p' | sed -E 's/^(\[.*\]|[0-9]+\.[0-9.]+)://; s/:.*//' | paste -sd ' '
}

is 'a pool of nobody gives its first port' "$(chosen 8000-8004:80)" 8000
is 'the next in line gets the second' "$(chosen 8000-8004:80)" 8001
hold $$ tcp 127.0.0.1 8002
is 'a port of a process is passed over' "$(chosen 8000-8004:80)" 8003
is 'udp has the ports of its own' "$(chosen 8000-8004:80/udp)" 8000
is 'an address that nobody has a port of, too' "$(chosen 10.0.0.1:8002-8004:80)" 8002
is 'but every address meets it' "$(chosen 8002-8004:80)" 8004
everything >"$tap_tmp/before"
run add --to 10.0.0.2 7777:1 8000-8004:80
is 'a pool of which every port is taken is an error of its own' "$status $out" '3 '
has 'in words' "$err" '8000-8004:80/tcp: every host port of the pool is taken'
everything >"$tap_tmp/after"
ok 'and nothing of the command is published' diff "$tap_tmp/before" "$tap_tmp/after"
release "$holder"
is 'what a process gives back is to be had again' "$(chosen 127.0.0.1:8002-8004:80)" 8002
is 'check agrees with all of it' "$("$PORTPUB" check)" ''
del --all 2>/dev/null

# In one command the strictest chooses first, whatever the order in which they are written.
echo '8000 8003' >/proc/sys/net/ipv4/ip_local_port_range
is 'exact ports come before pools, and pools before free ones, and are told as they were asked for' \
	"$(chosen 80 8000-8002:81 8000-8002:82 8000:83)" '8003 8001 8002 8000'
del --all 2>/dev/null
is 'two pools of one command share nothing' "$(chosen 9000-9001:80 9000-9001:81)" '9000 9001'
run add --to 10.0.0.2 9002-9003:80 9002-9003:81 9002-9003:82
is 'and one too many is exhausted' "$status" 3
is 'a pool may end with the last port of all' "$(chosen 65534-65535:80) $(chosen 65534-65535:80)" '65534 65535'
run add --to 10.0.0.2 65534-65535:80
is 'and is exhausted there' "$status" 3
is 'a range may end there, too' "$(chosen 65500-65533:1-34 127.0.0.1:60000-65499:60000-65499) $("$PORTPUB" check)" '65500-65533 60000-65499 '
del --all 2>/dev/null

# Free ports: the range of the kernel, without what is reserved, published or bound by either family.
echo '7000 7009' >/proc/sys/net/ipv4/ip_local_port_range
echo 7001,7003-7005 >/proc/sys/net/ipv4/ip_local_reserved_ports
hold $$ tcp 0.0.0.0 7000 tcp :: 7002 udp '' 7006 tcp 127.0.0.1 7007
add --to 10.0.0.2,fd00::2 192.0.2.1:7008:1 >/dev/null 2>&1
is 'of ten ports two are free: six are reserved or bound, one is published, one is of udp' \
	"$(chosen 80-81 | tr ' ' '\n' | sort | paste -sd ' ')" '7006 7009'
run add --to 10.0.0.2,fd00::2 80
is 'the next one finds none' "$status $out" '3 '
has 'in words' "$err" 'no free port'
is 'those that are bound or published by IPv4 alone are free by IPv6' \
	"$(chosen '[2001:db8::1]::80-82' | tr ' ' '\n' | sort | paste -sd ' ')" '7000 7007 7008'
release "$holder"
del --all 2>/dev/null
chosen 1-4 192.0.2.1::5 >"$tap_tmp/chosen"
is 'free ports that are published are told in JSON, too' \
	"$("$PORTPUB" list --json | jq -r '[.[].publications[].host_port] | map(tostring) | join(" ")')" "$(cat "$tap_tmp/chosen")"
is 'each is another one' "$(tr ' ' '\n' <"$tap_tmp/chosen" | sort -u | grep -c '^70')" 5
serve "$container" 4 container
port=$(cut -d ' ' -f 4 "$tap_tmp/chosen")
is 'and leads to the container by IPv4' "$(ask "$lan" "http://192.0.2.1:$port/")" 'hello from container, 192.0.2.2'
is 'and by IPv6' "$(ask "$lan" "http://[2001:db8::1]:$port/")" 'hello from container, 2001:db8::2'
is 'nobody holds them for portpub: the rules are enough' "$("$PORTPUB" who "$port/tcp" | grep -c 'in use')" 0
del --all 2>/dev/null

# Each is held by a socket until it is published.
echo '32768 60999' >/proc/sys/net/ipv4/ip_local_port_range
run sh -c 'ulimit -Sn 20; exec "$@"' sh "$PORTPUB" add --no-keeper --to 10.0.0.2 1-30
is 'more free ports than descriptors may be had where the limit may be raised' "$status $(echo "$out" | wc -l)" '0 30'
everything >"$tap_tmp/before"
run sh -c 'ulimit -n 20; exec "$@"' sh "$PORTPUB" add --no-keeper --to 10.0.0.2 7777:1 80/udp 1-30
is 'and are an error where it may not' "$status $out" '1 '
has 'with the numbers' "$err" '31 free ports are held by as many sockets until they are published, and this process may have 20 descriptors'
everything >"$tap_tmp/after"
ok 'before anything is published' diff "$tap_tmp/before" "$tap_tmp/after"
run add --to 10.0.0.2 198.51.100.1::80
is 'an address of another host has no free port' "$status $err" \
	'1 portpub: 198.51.100.1::80/tcp: no free port: Cannot assign requested address'
run add --to 10.0.0.2 198.51.100.1::80/sctp
if grep -q '^SCTP ' /proc/net/protocols; then
	has 'nor one of SCTP' "$err" 'no free port: Cannot assign requested address'
else
	is 'of SCTP nobody can have one where the kernel has none: any will do' "$status" 0
fi
del --all 2>/dev/null
is 'and nothing is left of all this' "$(left_over)" ''
finish
