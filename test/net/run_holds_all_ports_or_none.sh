#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# `portpub run` binds every port it is asked for, in one process, or says which it cannot have and why, and binds none.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../forward.sh"

answering "$container" 3000 say:one fin end
answering "$container" 3001 say:two fin end
answering "$container" 3002 say:three fin end
datagrams_at "$container" :: 7000
hello() { calls "$1" "$2" "$3" hear:5 end; }
said() { paste -sd ' ' "$says"; }

# Many at once.
forward --id many --to 10.0.0.2,fd00::2 4000-4002:3000-3002 127.0.0.1:4000:3001/udp 4003:3000 '[::1]:4004:3000' 7000-7009:7000/udp
is 'what was published is told' "$(said)" \
	'4000-4002:3000-3002/tcp 127.0.0.1:4000:3001/udp 4003:3000/tcp [::1]:4004:3000/tcp 7000:7000/udp'
is 'a range' "$(hello "$lan" 192.0.2.1 4000) $(hello "$lan" 2001:db8::1 4001) $(hello "$lan" 192.0.2.1 4002)" \
	'connected one eof connected two eof connected three eof'
is 'a port, and one of ::1' "$(hello "$lan" 192.0.2.1 4003) $(hello $$ ::1 4004)" 'connected one eof connected one eof'
is 'the first of a pool' "$(burst "$lan" 192.0.2.1 7000 1)$(burst "$lan" 2001:db8::1 7000 1)" allall
is 'one socket a port' "$(ss -Hltunp | grep -c "pid=$engine,")" 7
holder='published by many'

run "$PORTPUB" run --via userspace --to 10.0.0.2 4010:3000 4001:3000 4011:3000
is 'one port of several is taken: exit status 3, and no answer' "$status $out" '3 '
is 'the error says which, and who has it' "$err" "portpub: 4001:3000/tcp: already $holder"
run "$PORTPUB" run --via userspace --to 10.0.0.2 3990-4000:3000-3010
is 'one of a range' "$status $err" "3 portpub: 4000:3010/tcp: already $holder"
run "$PORTPUB" run --via userspace --to 10.0.0.2 4012:3000 127.0.0.1:4000:3000/udp
is 'of UDP' "$status $err" "3 portpub: 127.0.0.1:4000:3000/udp: already $holder"
run "$PORTPUB" run --via userspace --to 10.0.0.2 4000-4002:3000
is 'every one of a pool' "$status $err" '3 portpub: 4000-4002:3000/tcp: every host port of the pool is taken'
is 'nothing of these stays bound' "$(ss -Hltun '( sport >= :4010 and sport <= :4019 ) or ( sport >= :3990 and sport <= :3999 )')" ''
run "$PORTPUB" run --via userspace --to 10.0.0.2 203.0.113.9:4012:3000
is 'an address that this host has not' "$status $err" \
	'1 portpub: listen tcp4 203.0.113.9:4012: bind: cannot assign requested address'

engine2=$engine
forward --to 10.0.0.2 4000-4009:3000 127.0.0.1::3001 --json
is 'the next of a pool is what is free' "$(jq -c '.publications[0] | [.host_port, .count, .container_port]' "$says")" '[4005,1,3000]'
port=$(jq '.publications[1].host_port' "$says")
is 'and a free port is chosen, and served' "$(hello $$ 127.0.0.1 "$port")" 'connected two eof'
stop
engine=$engine2
stop
is 'it ends with 0' "$status" 0

# All of a host's interesting ports, and more than there are descriptors for.
forward --to 10.0.0.2 20000-20999:3000-3999
is 'a thousand ports are one process' "$(ss -Hltnp | grep -c "pid=$engine,") $(hello "$lan" 192.0.2.1 20002)" '1000 connected three eof'
stop
within='prlimit --nofile=100:100'
run $within "$PORTPUB" run --via userspace --to 10.0.0.2 20000-20999:3000-3999
is 'more ports than descriptors are an error' "$status $out" '1 '
if is_in_valgrind; then
	skip 'with the numbers' 'some of the descriptors are valgrind'\''s'
else
	has 'with the numbers' "$err" '1000 ports need a descriptor each, and this process may have 100'
fi
within=

# A port of this host that would lead to itself.
itself() { run timeout 2 "$PORTPUB" run --via userspace "$@"; }
for wrong in '192.0.2.1 4000:4000' '192.0.2.1 0.0.0.0:4000:4000/udp' 'fd00::1 [::]:4000-4002:4000-4002' \
	'127.0.0.1 127.0.0.1:4000:4000' '10.0.0.2,::1 5000:80 4000:4000'; do
	# shellcheck disable=SC2086 # words are wanted
	itself --to $wrong
	is "$wrong would be forwarded to itself" "$status $out" '2 '
	has 'and it says so' "$err" 'would be forwarded to itself'
done
for right in '192.0.2.1 4000:4001' '127.0.0.1 192.0.2.1:4000:4000' '10.0.0.2 4000:4000'; do
	# shellcheck disable=SC2086 # words are wanted
	itself --to $right
	is "$right is not" "$status" 124
done
if is_in_valgrind; then
	skip 'nor in a container' 'valgrind knows no pidfds'
else
	itself --to 10.0.0.1 4000:4000 --pid "$lan"
	is 'nor in a container' "$status" 124
fi

run timeout 5 "$PORTPUB" run --via userspace --to 10.0.0.2 '[fe80::1]:4012:3000'
is 'a link-local address has no link' "$status $err" \
	'2 portpub: listen tcp6 [fe80::1]:4012: a link-local address says nothing without its link, which cannot be given: choose another address of this host, or every one'

# Where IPv6 is off, every address is every one of IPv4.
echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6
forward --to 10.0.0.2 4000:3000
is 'without IPv6' "$(hello "$lan" 192.0.2.1 4000)" 'connected one eof'
stop

# refuses CLAIM STATUS PART ARGUMENTS...
refuses() {
	claim=$1 want=$2 part=$3
	shift 3
	run timeout 5 "$PORTPUB" run "$@"
	is "$claim" "$status $out" "$want "
	has "$claim: it says so" "$err" "$part"
}
long=$(printf '%0500d' 7)
refuses 'nothing to publish' 2 'run what?' --via userspace
refuses 'the same port twice' 2 '4000' --via userspace --to 10.0.0.2 4000:3000 4000:3001
refuses 'an option that there is not' 2 'frobnicate' --via userspace --frobnicate 4000:3000
refuses 'a pid that is none' 2 'a pid is a number' --via userspace --pid 12x 4000:3000
refuses 'a pid beyond all' 2 'a pid is a number' --via userspace --pid 99999999999999999999 4000:3000
refuses 'an empty pid' 2 'a pid is a number' --via userspace --pid '' 4000:3000
for option in max-conns max-flows; do
	for value in '' 0 -1 1x 99999999999999999999 ' 1'; do
		refuses "--$option '$value'" 2 "$(printf 'portpub: %s' "$value")" --via userspace --to 10.0.0.2 --$option "$value" 4000:3000
	done
done
for option in connect-timeout idle-timeout half-open-timeout udp-timeout drain; do
	for value in '' x 1d -1s 1e9 99999999999999999999s; do
		refuses "--$option '$value'" 2 "$(printf 'portpub: %s' "$value")" --via userspace --to 10.0.0.2 --$option "$value" 4000:3000
	done
done
refuses 'a header that there is not' 2 'v1 or v2' --via userspace --to 10.0.0.2 --proxy-protocol v3 4000:3000
refuses 'an address that is none' 2 '10.0.0' --via userspace --to 10.0.0 4000:3000
refuses 'a network that is none' 2 '10.0.0.0/33' --via userspace --to 10.0.0.2 --allow 10.0.0.0/33 4000:3000
refuses 'a port beyond all' 2 'host port must be' --via userspace --to 10.0.0.2 70000:3000
refuses 'five hundred digits' 2 'port' --via userspace --to 10.0.0.2 "$long:3000"
refuses 'what would colour a terminal' 2 'portpub' --via userspace --to 10.0.0.2 "$(printf '\033[31m:3000')"
is 'is not passed to it' "$(printf %s "$err" | tr -d '[:print:]\n')" ''
echo '[]' >"$tap_tmp/empty"
run timeout 5 "$PORTPUB" run --via userspace --to 10.0.0.2 --from "$tap_tmp/empty"
is 'an empty document is no error, and nothing to wait for' "$status $out$err" '0 '
run timeout 5 sh -c "'$PORTPUB' run --via userspace --to 10.0.0.2 4000:3000 >/dev/full"
is 'an answer that cannot be written is an error' "$status" 1
is 'and nothing stays bound' "$(ss -Hltun 'sport = :4000')" ''

# SCTP, which not every kernel has.
if grep -q '^SCTP ' /proc/net/protocols; then
	skip 'without SCTP in the kernel, it says so' 'this kernel has it'
	skip 'and nothing is published' 'this kernel has it'
else
	run timeout 5 "$PORTPUB" run --via userspace --to 10.0.0.2 4000:3000 4001:3000/sctp
	is 'without SCTP in the kernel, it says so' "$status $err" \
		'1 portpub: listen sctp [::]:4001: this kernel has no SCTP: modprobe sctp, if there is a module'
	is 'and nothing is published' "$out$(ss -Hltun 'sport = :4000')" ''
fi
finish
