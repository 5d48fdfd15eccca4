#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A del that fails, or is killed, before its batch has changed nothing; after it, the next command goes through
# with it: flows are forgotten, sysctls put back, and nothing is left.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../publish.sh"
export ASAN_OPTIONS=detect_leaks=0 # which needs ptrace for itself

echo 0 >/proc/sys/net/ipv4/ip_forward
publish() { add --to 10.0.0.2 --id web 192.0.2.1:53:53/udp 192.0.2.1:80:80 >/dev/null 2>&1; }
element() { nft list map inet portpub host4 2>/dev/null | grep -q 'udp . 192.0.2.1 . 53'; }
flow() { grep -q 'sport=5001 dport=53 .*src=10.0.0.2' /proc/net/nf_conntrack; }
talker "$container" udp 53 container
publish
[ -r /proc/net/nf_conntrack ] || skip_all 'no /proc/net/nf_conntrack here'
is 'the container answers' "$(udp "$lan" 5001 192.0.2.1 53)" container
ok 'by a flow that is known' flow

# A sysctl that cannot be put back: that is after the batch.
cat /proc/sys/net/ipv4/ip_forward >"$tap_tmp/fixed"
if mount --bind "$tap_tmp/fixed" /proc/sys/net/ipv4/ip_forward &&
	mount -o remount,bind,ro /proc/sys/net/ipv4/ip_forward; then
	run del web
	is 'del fails where a sysctl cannot be put back' "$status" 1
	has 'and says which' "$err" 'net.ipv4.ip_forward'
	run "$PORTPUB" check
	is 'check tells what is unfinished' "$status $out" '1 interrupted: web was being added or removed'
	run add --to 10.0.0.2 --id web 192.0.2.1:53:53/udp
	is 'as long as that lasts, so do others' "$status" 1
	umount /proc/sys/net/ipv4/ip_forward
	run del nobody
	is 'then the next command goes through with it' "$(left_over) $(cat /proc/sys/net/ipv4/ip_forward)" ' 0'
	has 'and says so' "$err" 'removed web, whose removal was interrupted'
	ok 'the flow is forgotten' sh -c "! grep -q 'sport=5001 dport=53 .*src=10.0.0.2' /proc/net/nf_conntrack"
	is 'and who asked is refused' "$(udp "$lan" 5001 192.0.2.1 53)" refused
else
	skip 'del fails where a sysctl cannot be put back' 'nothing may be mounted on /proc here'
fi

# Refused before its batch.
publish
udp "$lan" 5001 192.0.2.1 53 >/dev/null
disk >"$tap_tmp/before"
run unshare -U "$PORTPUB" del web
is 'without rights del fails' "$status" 4
disk >"$tap_tmp/after"
ok 'and its record is as it was' diff "$tap_tmp/before" "$tap_tmp/after"
is 'and it answers' "$(udp "$lan" 5001 192.0.2.1 53)" container
del web

# Killed before each effect.
"$HELPERS/kill_at" 1 true >/dev/null 2>&1
[ $? != 125 ] || { skip 'killed before each effect' 'no ptrace here'; finish; exit; }
wrong='' behind='' k=0 status=137
while [ "$status" = 137 ] && [ $k -lt 100 ]; do
	k=$((k + 1))
	publish
	[ "$(udp "$lan" 5001 192.0.2.1 53)" = container ] && flow || wrong="$wrong; at $k: it did not answer"
	"$HELPERS/kill_at" $k "$PORTPUB" del web >/dev/null 2>&1
	status=$?
	[ "$status" != 137 ] || element || ! flow || behind="$behind $k"
	del nobody >/dev/null 2>&1
	if element; then
		[ "$(udp "$lan" 5001 192.0.2.1 53)" = container ] || wrong="$wrong; at $k: it is there, and does not answer"
		del web
	elif flow || [ "$(udp "$lan" 5001 192.0.2.1 53)" != refused ]; then
		wrong="$wrong; at $k: it is gone, and its flow is not"
	fi 2>/dev/null
	[ -z "$(left_over)" ] || wrong="$wrong; at $k: left over"
done
is 'killed at any step, what is gone has no flows after the next command' "$wrong" ''
ok 'also where the batch was through, and the flow there' test -n "$behind"
is 'and it comes to its end' "$status" 0
finish
