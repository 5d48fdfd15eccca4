#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A client of UDP gets its answer from the address it asked, whichever of the host's it is; the container sees another
# port for each client, and for each address that one client asks, and always the same one for the same.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../forward.sh"

ip addr add 192.0.2.11/24 dev lan0
ip addr add 2001:db8::11/64 dev lan0 nodad
ip addr add 203.0.113.1/32 dev lo
ip addr add fe80::1/64 dev lan0 nodad
at "$lan" ip addr add fe80::2/64 dev eth0 nodad
datagrams_at "$container" :: 7000

# answers MACHINE SOURCE_PORT PORT ADDRESS...: who answered.
answers() { who "$@" | cut -d ' ' -f 2 | paste -sd ' '; }
# ports MACHINE SOURCE_PORT PORT ADDRESS...: how many different ports the container has seen.
ports() { who "$@" | cut -d ' ' -f 1 | sort -u | wc -l; }

forward --to 10.0.0.2,fd00::2 7000:7000/udp 7001:7000/udp 192.0.2.11:7002:7000/udp '[2001:db8::11]:7003:7000/udp'
all='192.0.2.1 192.0.2.11 203.0.113.1 10.0.0.1 2001:db8::1 2001:db8::11 fd00::1'
# shellcheck disable=SC2086 # words are wanted
is 'a port of every address answers from the one that was asked' "$(answers "$lan" 0 7000 $all)" "$all"
is 'from one of the link, too' "$(answers "$lan" 0 7000 fe80::1%eth0)" fe80::1
is 'and from those of loopback' "$(answers $$ 0 7000 127.0.0.1 127.0.0.2 ::1)" '127.0.0.1 127.0.0.2 ::1'
is 'and to the container itself' "$(answers "$container" 0 7000 10.0.0.1 fd00::1)" '10.0.0.1 fd00::1'
is 'a port of one address answers from it' "$(answers "$lan" 0 7002 192.0.2.11) $(answers "$lan" 0 7003 2001:db8::11)" \
	'192.0.2.11 2001:db8::11'
is 'and from no other' "$(who "$lan" 0 7002 192.0.2.1)" lost
stop

forward --to 10.0.0.2,fd00::2 7000:7000/udp 7001:7000/udp
is 'one client that asks two addresses is two flows' "$(ports "$lan" 9000 7000 192.0.2.1 192.0.2.11)" 2
is 'and two still when it asks them again' "$(ports "$lan" 9000 7000 192.0.2.1 192.0.2.11 192.0.2.1 192.0.2.11)" 2
is 'of IPv6, too' "$(ports "$lan" 9000 7000 2001:db8::1 2001:db8::11 2001:db8::1)" 2
is 'what is counted says so' "$(counted flows flows_open)" ' flows 4 flows_open 4'
first=$(who "$lan" 9000 7000 192.0.2.1)
is 'a flow outlives the socket of its client' "$(who "$lan" 9000 7000 192.0.2.1)" "$first"
is 'another port of the host is another flow' "$({ who "$lan" 9000 7001 192.0.2.1; echo "$first"; } | sort -u | wc -l)" 2
is 'so is another port of the client' "$({ who "$lan" 9001 7000 192.0.2.1; echo "$first"; } | sort -u | wc -l)" 2
stop
# Families.
serve_udp "$container" 7100 four 10.0.0.2
serve_udp "$container" 7100 six fd00::2
forward --to 10.0.0.2,fd00::2 7000:7100/udp
is 'clients of IPv4 go to the address of IPv4' "$(ask_udp "$lan" 192.0.2.1 7000)" 'hello from four, 10.0.0.1'
is 'and those of IPv6 to that of IPv6' "$(ask_udp "$lan" 2001:db8::1 7000)" 'hello from six, fd00::1'
stop
forward --to 10.0.0.2 7000:7100/udp
is 'or to the other, where there is no such' "$(ask_udp "$lan" 2001:db8::1 7000)" 'hello from four, 10.0.0.1'
stop
forward --to fd00::2 7000:7100/udp
is 'either way' "$(ask_udp "$lan" 192.0.2.1 7000)" 'hello from six, fd00::1'
stop

# Who is not allowed.
at "$lan" ip addr add 192.0.2.17/24 dev eth0
forward --to 10.0.0.2 --allow 192.0.2.16/28 7000:7100/udp
is 'who is not allowed has no flow' "$(ask_udp "$lan" 192.0.2.1 7000)$(counted flows)" 'udp: no answer flows 0'
at "$lan" ip route replace 192.0.2.1 dev eth0 src 192.0.2.17
is 'who is allowed has' "$(ask_udp "$lan" 192.0.2.1 7000)$(counted flows)" 'hello from four, 10.0.0.1 flows 1'
is 'and so has this host' "$(ask_udp 0 127.0.0.1 7000)" 'hello from four, 10.0.0.1'
stop
finish
