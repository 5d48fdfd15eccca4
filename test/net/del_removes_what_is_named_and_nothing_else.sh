#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# del takes ids and specs, all of them or none, and puts back what the last one leaves behind.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../publish.sh"

for sysctl in ipv4/ip_forward ipv6/conf/all/forwarding; do echo 0 >/proc/sys/net/$sysctl; done
start=$(sysctls)
publish() { add "$@" >/dev/null 2>&1; }
specs() { "$PORTPUB" list | awk 'NR > 1 {print $1, $2}' | paste -sd ,; }
refuses() {
	claim=$1 words=$2 want=$3
	shift 3
	everything >"$tap_tmp/before"
	run del "$@"
	is "$claim: exit status" "$status $out" "$want "
	has "$claim: in words" "$err" "$words"
	everything >"$tap_tmp/after"
	ok "$claim: nothing changed" diff "$tap_tmp/before" "$tap_tmp/after"
}

publish --to 10.0.0.2,fd00::2 --id web 80:80 127.0.0.1:81:81 '[2001:db8::1]:82:82' 7000-7010:1-11/udp
publish --to 10.0.0.3 --id dns 53:53/udp 127.0.0.1:54:53/udp
publish --to 10.0.0.2 --id 8080 8080:80
refuses 'an id of nobody' 'nothing is published as nobody' 1 nobody
refuses 'an id of nobody among others' 'nothing is published as nobody' 1 web dns nobody
refuses 'a spec of nobody' '80:81/tcp is not published' 1 80:81/tcp
refuses 'a spec of nobody among others' '53:53 is not published' 1 80:80 53:53
refuses 'a part of a range' '7000:1/udp is not published' 1 7000:1/udp
refuses 'the same spec twice' '80:80 is not published' 1 80:80 80:80
refuses 'what is no name' 'no place in a spec' 2 'web;'
refuses 'nothing' 'del what?' 2
refuses 'all, and a name' '--all leaves nothing to name' 2 --all web
refuses 'a path in the place of an id' '' 2 ../active/web

run del 80:80
is 'a spec takes one publication of several' "$status $(specs)" \
	'0 8080 8080/tcp,dns 53/udp,dns 127.0.0.1:54/udp,web 127.0.0.1:81/tcp,web [2001:db8::1]:82/tcp,web 7000-7010/udp'
is 'and check agrees' "$("$PORTPUB" check)" ''
run del 127.0.0.1:54:53/udp 7000-7010:1-11/udp 127.0.0.1:81:81/tcp
is 'several take from several' "$status $(specs)" '0 8080 8080/tcp,dns 53/udp,web [2001:db8::1]:82/tcp'
is 'and check still agrees' "$("$PORTPUB" check)" ''
run del 8080
is 'an id that looks like a spec is an id' "$status $(specs)" '0 dns 53/udp,web [2001:db8::1]:82/tcp'
run del '[2001:db8::1]:82:82' dns
is 'with its last publication a record goes' "$status $(specs) $(left_over)" '0  '
is 'and the sysctls are as they were' "$(sysctls)" "$start"

# By its host port, as list shows it.
publish --to 10.0.0.2,fd00::2 --id web 80:8080 127.0.0.1:81:8081 '[2001:db8::1]:82:82' 7000-7010:1-11/udp 0.0.0.0:83:83 80:80/udp
for text in 81/tcp 81 127.0.0.1:80/tcp 127.0.0.1:80 127.0.0.1 :80 127.0.0.1:81/udp 127.0.0.2:81/tcp 8080/tcp 7000/udp 7000-7009/udp 0/tcp \
	'[::1]:82/tcp' '[::]:83/tcp' 83/tcp '[127.0.0.1/tcp' /tcp :80/tcp 80:81/tcp "$(printf '%0300d' 1)/tcp"; do
	run del "$text"
	is "nothing that list shows: $text" "$([ "$status" -gt 0 ] && [ "$status" -lt 3 ] && "$PORTPUB" list | wc -l)" 7
done
while read -r port; do
	shown=$(specs)
	run del "$port"
	is "as list shows it: $port" "$status $(specs)" "0 $(echo "$shown" | tr , '\n' | grep -vxF "web $port" | paste -sd ,)"
done <<'LIST'
127.0.0.1:81/tcp
[2001:db8::1]:82/tcp
80/tcp
7000-7010/udp
0.0.0.0:83/tcp
LIST
publish --to 10.0.0.2 --id more 127.0.0.1:81:8081 82:82 90-91:1-2 83:83/udp
run del 127.0.0.1:81 82 90-91
is 'of TCP without that word' "$status $(specs)" '0 more 83/udp,web 80/udp'
del more
publish --to 10.0.0.2 --id more 127.0.0.1:81:8081 82:82
# shellcheck disable=SC2046 # words are wanted
run del $("$PORTPUB" list | awk 'NR > 1 {print $2}')
is 'or all that it shows' "$status $(left_over)" '0 '

# Two of one container: what they share stays until the second goes.
publish --to 10.0.0.2 --id one 127.0.0.1:80:80
publish --to 10.0.0.2 --id two 127.0.0.1:81:81
del one
is 'what another still needs stays' "$("$PORTPUB" check; cat /proc/sys/net/ipv4/conf/br0/route_localnet)" 1
serve "$container" 81 container
is 'and it answers' "$(ask 0 http://127.0.0.1:81/)" 'hello from container, 10.0.0.1'
del two
publish --to 10.0.0.2 --id one 80:80
publish --to 10.0.0.2 --id two 81:81
del one
is 'of two that are open to all, too' "$("$PORTPUB" check)" ''
del two
echo 1 >/proc/sys/net/ipv4/ip_forward
publish --to 10.0.0.2 --id three 82:82
del --all 2>/dev/null
is 'what was on before it was published stays on' "$(cat /proc/sys/net/ipv4/ip_forward)" 1
is 'and what was off is off again' "$(cat /proc/sys/net/ipv4/conf/br0/route_localnet)" 0
echo 0 >/proc/sys/net/ipv4/ip_forward
publish --to 10.0.0.2 --id four 83:83
is 'what is off is set' "$(cat /proc/sys/net/ipv4/ip_forward)" 1
nft 'add table ip docker; add chain ip docker postrouting { type nat hook postrouting priority 100; }'
run del four
is 'and is left on where another table forwards' "$status $(cat /proc/sys/net/ipv4/ip_forward)" '0 1'
has 'which is told, with the table' "$err" 'table ip docker'
is 'nothing is left of that' "$(left_over)" ''
nft delete table ip docker
echo 0 >/proc/sys/net/ipv4/ip_forward
publish --to 10.0.0.2 --id five 84:84
ip link set lan0 down
ip link del br0
run del five
is 'a bridge that is gone is no obstacle' "$status $(left_over)" '0 '
is 'the sysctl that is not its own is put back all the same' "$(cat /proc/sys/net/ipv4/ip_forward)" 0
run del --all
is 'all of nothing is nothing' "$status $out$err" '0 '
finish
