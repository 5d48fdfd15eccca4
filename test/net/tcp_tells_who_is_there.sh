#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Clients of either family reach a container of either, the container can be told who they are, and whoever is not
# allowed is not heard at all.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../forward.sh"

# hello MACHINE ADDRESS PORT: what the client gets, or why it does not.
hello() { calls "$1" "$2" "$3" hear:5 end; }
answering "$container" 3000 say:hello fin end

# Families.
forward --to 10.0.0.2 4000:3000 '[2001:db8::1]:4001:3000'
is 'IPv4 to IPv4' "$(hello "$lan" 192.0.2.1 4000)" 'connected hello eof'
is 'IPv6 to IPv4, at a port of both' "$(hello "$lan" 2001:db8::1 4000)" 'connected hello eof'
is 'IPv6 to IPv4, at a port of IPv6' "$(hello "$lan" 2001:db8::1 4001)" 'connected hello eof'
is 'a port of IPv6 is not one of IPv4' "$(hello "$lan" 192.0.2.1 4001)" 'Connection refused'
stop
forward --to fd00::2 4000:3000 192.0.2.1:4001:3000
is 'IPv6 to IPv6' "$(hello "$lan" 2001:db8::1 4000)" 'connected hello eof'
is 'IPv4 to IPv6, at a port of both' "$(hello "$lan" 192.0.2.1 4000)" 'connected hello eof'
is 'IPv4 to IPv6, at a port of IPv4' "$(hello "$lan" 192.0.2.1 4001)" 'connected hello eof'
stop

# The PROXY protocol. introduced CLAIM ADDRESS PORT LENGTH HEX: the header, but for the client's port.
introduced() {
	answering "$container" "3${3#4}" "hex:$4" hear:5
	port=$(calls "$lan" "$2" "$3" me say:hello end | cut -d ' ' -f 2)
	# shellcheck disable=SC2059 # the format is the argument
	hears "$1" "$("$5" "$port" "$6") hello"
}
# text PORT FORM, binary PORT FORM: the header in hexadecimal digits.
# shellcheck disable=SC2059 # the format is the argument
text() { printf "$2\r\n" "$1" | od -An -v -tx1 | tr -d ' \n'; }
# shellcheck disable=SC2059
binary() { printf "$2" "$(printf %04x "$1")"; }

forward --to 10.0.0.2,fd00::2 --proxy-protocol v1 4100-4109:3100-3109 '[2001:db8::1]:4110:3110' 192.0.2.1:4111:3111
introduced 'v1, IPv4' 192.0.2.1 4100 43 text 'PROXY TCP4 192.0.2.2 192.0.2.1 %s 4100'
introduced 'v1, IPv6' 2001:db8::1 4101 47 text 'PROXY TCP6 2001:db8::2 2001:db8::1 %s 4101'
introduced 'v1, a port of IPv4' 192.0.2.1 4111 43 text 'PROXY TCP4 192.0.2.2 192.0.2.1 %s 4111'
stop
forward --to 10.0.0.2 --proxy-protocol v2 4200-4209:3200-3209 '[2001:db8::1]:4210:3210'
magic=0d0a0d0a000d0a515549540a
introduced 'v2, IPv4' 192.0.2.1 4200 28 binary "${magic}2111000cc0000202c0000201%s1068"
introduced 'v2, IPv6' 2001:db8::1 4201 52 binary \
	"${magic}2121002420010db800000000000000000000000220010db8000000000000000000000001%s1069"
introduced 'v2, a port of IPv6' 2001:db8::1 4210 52 binary \
	"${magic}2121002420010db800000000000000000000000220010db8000000000000000000000001%s1072"
stop

# Who is allowed.
# tries MACHINE SOURCE ADDRESS: from that address; somebody who is dropped hears nothing.
tries() {
	case $2 in
	*:*) at "$1" ip addr add "$2/64" dev eth0 nodad && at "$1" ip -6 route replace 2001:db8::1 dev eth0 src "$2" ;;
	*) at "$1" ip addr add "$2/24" dev eth0 && at "$1" ip route replace 192.0.2.1 dev eth0 src "$2" ;;
	esac
	at "$1" timeout 0.4 "$HELPERS/wire" "$3" 4000 hear:5 | paste -sd ' '
	at "$1" ip addr del "$2/64" dev eth0 2>/dev/null || at "$1" ip addr del "$2/24" dev eth0
}
in='connected hello' out=
forward --to 10.0.0.2,fd00::2 --allow 192.0.2.16/28 --allow 2001:db8::40/123 --allow 2001:db8::80 --allow 2001:db8:0:0:8000::/65 4000:3000
for row in 192.0.2.15/out 192.0.2.16/in 192.0.2.31/in 192.0.2.32/out \
	2001:db8::3f/out 2001:db8::40/in 2001:db8::5f/in 2001:db8::60/out 2001:db8::7f/out 2001:db8::80/in 2001:db8::81/out \
	2001:db8::7fff:0:0:1/out 2001:db8::8000:0:0:1/in; do
	case $row in
	*:*) to=2001:db8::1 ;;
	*) to=192.0.2.1 ;;
	esac
	if [ "${row#*/}" = in ]; then want=$in; else want=$out; fi
	is "allowed: ${row%/*} is ${row#*/}" "$(tries "$lan" "${row%/*}" $to)" "$want"
done
is 'the host itself is always in, by IPv4' "$(hello $$ 192.0.2.1 4000) $(hello $$ 127.0.0.1 4000)" 'connected hello eof connected hello eof'
is 'the host itself is always in, by IPv6' "$(hello $$ 2001:db8::1 4000) $(hello $$ ::1 4000)" 'connected hello eof connected hello eof'
stop
forward --to 10.0.0.2,fd00::2 --allow 192.0.2.0/24 4000:3000
is 'a list of IPv4 alone' "$(hello "$lan" 192.0.2.1 4000)" 'connected hello eof'
is 'keeps all of IPv6 out' "$(tries "$lan" 2001:db8::9 2001:db8::1)" ''
stop
# shellcheck disable=SC2046 # words are wanted
forward --to 10.0.0.2,fd00::2 $(seq -f '--allow 10.9.%.0f.0/25' 0 255) $(seq -f '--allow 10.8.%.0f.0/25' 0 255) \
	$(seq -f '--allow 2001:db8:1:%.0f::/127' 0 99) --allow 192.0.2.3 --allow 2001:db8::3 4000:3000
is 'the last of hundreds is in' "$(tries "$lan" 192.0.2.3 192.0.2.1) $(tries "$lan" 2001:db8::3 2001:db8::1)" "$in $in"
is 'who is none of hundreds is out' "$(tries "$lan" 192.0.2.4 192.0.2.1) $(tries "$lan" 2001:db8::4 2001:db8::1)" ' '
stop
# shellcheck disable=SC2046 # words are wanted
run "$PORTPUB" run --via userspace --to 10.0.0.2 $(seq -f '--allow 10.9.%.0f.0/25' 0 255) \
	$(seq -f '--allow 2001:db8:1:%.0f::/127' 0 400) 4000:3000
is 'more than can be held is an error' "$status" 1
has 'that says so' "$err" 'more than a socket'
forward --to 10.0.0.2 --proxy-protocol v2 4000:3000 4001:3000/udp 4002:3000/udp
has 'of datagrams it tells nothing, and says so' "$(cat "$says.err")" \
	'portpub: 4001:3000/udp: --proxy-protocol is for tcp alone: the container is not told who asks'
is 'once' "$(grep -c 'proxy-protocol' "$says.err")" 1
stop
finish
