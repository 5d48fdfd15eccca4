#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# One port that is taken, by a publication or by a process, and nothing of the command has any effect; the
# error names the holder.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../publish.sh"

to='--to 10.0.0.2,fd00::2'
echo 0 >/proc/sys/net/ipv4/ip_forward
first=$(sysctls)

# refuses CLAIM HOLDER SPEC...: exit status 3, the holder in words, and all is as before.
refuses() {
	claim=$1 words=$2
	shift 2
	everything >"$tap_tmp/before"
	# shellcheck disable=SC2086 # words are wanted
	run add $to "$@"
	everything >"$tap_tmp/after"
	is "$claim: exit status, and nothing on stdout" "$status $out" '3 '
	has "$claim: who has it" "$err" "$words"
	ok "$claim: nothing changed" diff "$tap_tmp/before" "$tap_tmp/after"
}

# takes CLAIM SPEC...: it is published, and taken back.
takes() {
	claim=$1
	shift
	# shellcheck disable=SC2086
	run add $to --id guest "$@"
	is "$claim" "$status" 0
	del guest 2>/dev/null
}

del nobody 2>/dev/null # makes the directories
hold $$ tcp 127.0.0.1 9005 udp 0.0.0.0 9006 tcp '' 9007 tcp ::1 9008
refuses 'before anything was published' "in use by hold (pid $holder)" 127.0.0.1:9001-9010:1-10
is 'not even the table is made' "$(nft list ruleset)" ''

# shellcheck disable=SC2086
run add $to --id web --pid $$ 80:80
is 'a container is named once' "$status" 2
# shellcheck disable=SC2086
run add $to --id web 80:80 81:81/udp 127.0.0.1:82:82 0.0.0.0:83:83 '[::]:84:84' '[2001:db8::1]:85:85' 192.0.2.1:86:86
is 'what nobody has is published' "$status" 0
is 'the answer is a line for each' "$out" "$(printf 'web  %s\n' 80:80/tcp 81:81/udp 127.0.0.1:82:82/tcp 0.0.0.0:83:83/tcp \
	'[::]:84:84/tcp' '[2001:db8::1]:85:85/tcp' 192.0.2.1:86:86/tcp)"
is 'and it is what should be there' "$("$PORTPUB" check)" ''

published='is already published by web'
refuses 'the last of many ports is published' "host port 0.0.0.0:80/tcp $published" 127.0.0.1:7000-7100:1-101 90:90 80:81
refuses 'the first of many is' "host port 0.0.0.0:80/tcp $published" 80:80 127.0.0.1:7000-7100:1-101
refuses 'a range runs over a port that is' "/tcp $published" 70-90:170-190
refuses 'the same publication again' "host port 0.0.0.0:80/tcp $published" 80:80
refuses 'a range runs over a udp port' "host port 0.0.0.0:81/udp $published" 70-90:170-190/udp
refuses 'a process has one of many' "127.0.0.1:9000-9010:1-11/tcp: host port 9005/tcp is in use by hold (pid $holder)" \
	100:100 127.0.0.1:9000-9010:1-11
refuses 'a process has an IPv4 port' "host port 9006/udp is in use by hold (pid $holder)" 9006:1/udp
refuses 'a dual-stack listener has the IPv4 port, too' "in use by hold (pid $holder)" 10.0.0.1:9007:1
refuses 'a dual-stack listener has the IPv6 port, too' "in use by hold (pid $holder)" '[2001:db8::1]:9007:1'
takes 'TCP has its own port beside a published one of UDP' 81:81
takes 'and UDP beside one of TCP' 80:80/udp
takes 'TCP has its own port beside a process that has that of UDP' 9006:1
takes 'and UDP beside one that has that of TCP' 127.0.0.1:9005:1/udp
takes 'many of UDP, too' 127.0.0.1:9000-9005:1-6/udp
takes 'a port of each in one command' 99:99 99:99/udp

# What is bound and does not listen keeps the port from others as well.
hold $$ bound 127.0.0.1 9105 bound :: 9107
if [ "$(printf '6.8\n%s\n' "$(uname -r)" | sort -V | head -n 1)" = 6.8 ]; then
	refuses 'a process has bound the port' "127.0.0.1:9105:1/tcp: host port 9105/tcp is in use by hold (pid $holder)" 127.0.0.1:9105:1
	refuses 'one of many' "host port 9107/tcp is in use by hold (pid $holder)" 9106-9110:1-5
	is 'who names it' "$("$PORTPUB" who 9107)" "[::]:9107/tcp in use by hold (pid $holder)"
	run "$PORTPUB" who 9106
	is 'and not for the port beside it' "$status" 1
else
	skip 'a process has bound the port' 'Linux before 6.8 does not tell'
fi
takes 'the port is free at another address' 192.0.2.1:9105:1
takes 'and by another family' 10.0.0.1:9107:1
release "$holder"
takes 'and everywhere when it is given back' 9105:1
talker $$ tcp 9111 passing
tcp "$lan" 5555 192.0.2.1 9111
is 'somebody is connected' "$(says)" passing
release "$talker"
is 'a connection outlives who listened at the port' "$(ss -Htan sport = :9111 | wc -l)" 1
takes 'which is to be had nevertheless' 9111:1
exec 7>&-

# Which addresses meet: every address, those of one family, one of them.
for row in 80/127.0.0.1:80:1 80/0.0.0.0:80:1 '80/[::]:80:1' '80/[2001:db8::1]:80:1' 80/192.0.2.1:80:1 82/82:1 \
	82/0.0.0.0:82:1 82/127.0.0.1:82:1 83/127.0.0.1:83:1 83/83:1 '84/[2001:db8::1]:84:1' 84/84:1 85/85:1 '85/[::]:85:1' \
	86/86:1 86/0.0.0.0:86:1; do
	refuses "${row#*/} meets what is there" "host port" "${row#*/}"
done
for spec in 80:1/udp 80:1/sctp 81:1 127.0.0.2:82:1 10.0.0.1:82:1 '[::]:82:1' '[::]:83:1' '[2001:db8::1]:83:1' 0.0.0.0:84:1 \
	127.0.0.1:84:1 '[fd00::1]:85:1' 0.0.0.0:85:1 127.0.0.1:86:1 '[::]:86:1' 127.0.0.2:9005:1 '[2001:db8::1]:9005:1' \
	9005:1/udp '[2001:db8::1]:9006:1/udp' 9006:1/tcp 10.0.0.1:9008:1 '[2001:db8::1]:9008:1'; do
	takes "$spec meets nobody" "$spec"
done

run add --pid "$container" --id named 192.0.2.1:99:99
refuses 'the words say which container it is, where that is known' "already published by named (pid $container)" 99:99 7000-7010:1-11

# What a process has while it is published stays published: the port is the publication's to keep.
del web named 2>/dev/null
# shellcheck disable=SC2086
add $to --id web 80:80 >/dev/null 2>&1
hold $$ tcp '' 80
# shellcheck disable=SC2086
run add $to --id web --replace 80:81
is 'to be replaced a port may have a listener beside it' "$status" 0
# shellcheck disable=SC2086
run add $to --id web --replace 80:81 9007:1
is 'but not the ones that are new' "$status" 3
is 'and it keeps what it had' "$("$PORTPUB" list web --json | jq -c '[.[].publications[] | [.host_port, .container_port]]')" '[[80,81]]'

run add --to 10.0.0.2,fd00::2 --id web 8081:81
is 'an id is published once, but to replace it' "$status" 1
has 'which is said' "$err" 'web is published already'
# A target that a route denies is none.
while read -r type words; do
	ip route add "$type" 10.9.0.0/16
	ip -6 route add "$type" fd09::/64
	for target in 10.9.0.1 fd09::1; do
		everything >"$tap_tmp/before"
		run add --to $target 80:80
		is "a route is of the type $type: $target" "$status $out $err" "1  portpub: no way to $target: $words"
		everything >"$tap_tmp/after"
		ok 'and nothing changed' diff "$tap_tmp/before" "$tap_tmp/after"
	done
	ip route del "$type" 10.9.0.0/16
	ip -6 route del "$type" fd09::/64
done <<'LIST'
blackhole the routing table has a blackhole there, or nobody can have that address
prohibit the routing table prohibits it
unreachable the routing table says that it is unreachable
throw Network is unreachable
LIST

# What to beware of is said once of each kind, and not what an allow list sees to.
said() { echo "$(echo "$err" | grep -c 'multicast or broadcast') $(echo "$err" | grep -c 'every network')"; }
run add --to 10.0.0.2 --id all 192.0.2.1:70:70 224.0.0.1:71:71 224.0.0.1:72:72 0.0.0.0:73:73 0.0.0.0:74:74
is 'what to beware of is said, once of each kind' "$status $(said)" '0 1 1'
run add --to 10.0.0.2 --id all --replace --allow 192.0.2.0/24 192.0.2.1:70:70 224.0.0.1:71:71 0.0.0.0:73:73
is 'and with an allow list what still holds' "$status $(said)" '0 1 0'
run del --all
is 'when all is gone nothing is left' "$status $(left_over)" '0 '
is 'and the sysctls are as they were' "$(sysctls)" "$first"
finish
