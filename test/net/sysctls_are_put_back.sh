#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Sysctls are set where a publication needs them and they are off, which is said, and are what they were when the
# last one that needs them is gone. What others have set, or rely on, is left to them.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
export PORTPUB_RUNTIME_DIR="$tap_tmp/run"
echo 0 >/proc/sys/net/ipv6/conf/all/forwarding
echo 0 >/proc/sys/net/ipv4/ip_forward

# The other bridge: other 10.1.0.2, fd01::2 --- 10.1.0.1, fd01::1 br1.
machine && other=$machine
ip link add br1 type bridge
ip addr add 10.1.0.1/24 dev br1
ip addr add fd01::1/64 dev br1 nodad
ip link set br1 up
cable "$other" o0 10.1.0.2 fd01::2 10.1.0.1 fd01::1
ip link set o0 master br1
serve "$container" 3000 container
here='hello from container'

cd /proc/sys/net || exit
values() {
	grep . ipv4/ip_forward ipv4/conf/*/route_localnet ipv4/conf/*/forwarding ipv4/conf/all/accept_redirects ipv6/conf/*/force_forwarding \
		ipv6/conf/*/forwarding ipv6/conf/*/accept_ra 2>/dev/null
}
# changed: what is not as it was at first, in words as short as can be.
changed() { values | diff "$tap_tmp/first" - | sed -n 's/^> //p' | grep -v '^ipv4/conf/.*/\(forwarding\|accept_redirects\)' | paste -sd ' '; }
values >"$tap_tmp/first"
# said: of what the last command has told, the sysctls, in that order.
said() { echo "$err" | sed -n 's/^portpub: net.\(.*\) is \([0-9]\) now; .*/\1:\2/p' | tr . / | paste -sd ' '; }
add() { run "$PORTPUB" add --no-keeper --to 10.0.0.2,fd00::2 --id "$@"; }
del() { run "$PORTPUB" del "$@"; }
v4='ipv4/ip_forward:1' localnet='ipv4/conf/br0/route_localnet:1'
br0='ipv6/conf/br0/force_forwarding:1' br1='ipv6/conf/br1/force_forwarding:1' lan0='ipv6/conf/lan0/force_forwarding:1'

# with CLAIM SYSCTLS SPEC...: publishing sets these, says so, and no others.
with() {
	claim=$1 want=$2
	shift 2
	add web "$@"
	is "$claim" "$status, $(changed)" "0, $want"
	is "$claim: is said" "$(said | tr ' ' '\n' | sort | paste -sd ' ')" "$(echo "$want" | tr ' ' '\n' | sort | paste -sd ' ')"
	del web
	is "$claim: is put back" "$status, $(values | diff "$tap_tmp/first" -)" '0, '
}

with 'for 127.0.0.1, route_localnet of the bridge is set' "$localnet" 127.0.0.1:80:3000
with 'for an IPv4 address, ip_forward is set' "$v4" 192.0.2.1:80:3000
if [ -e ipv6/conf/all/force_forwarding ]; then
	with 'for an IPv6 address, forwarding of each interface with a global address is set' "$br0 $br1 $lan0" '[2001:db8::1]:80:3000'
	with 'for every address, all of them are set' "$v4 $localnet $br0 $br1 $lan0" 80:3000

	add web 80:3000
	is 'clients outside come through by IPv4' "$(ask "$lan" http://192.0.2.1/)" "$here, 192.0.2.2"
	is 'clients outside come through by IPv6' "$(ask "$lan" 'http://[2001:db8::1]/')" "$here, 2001:db8::2"
	del web

	add web '[2001:db8::1]:80:3000'
	add more '[2001:db8::1]:81:3000'
	is 'what another publication has set is not said again' "$(said)" ''
	del web
	is 'forwarding of IPv6 stays while another needs it' "$(changed)" "$br0 $br1 $lan0"
	del more
	is 'and goes with the last' "$(values | diff "$tap_tmp/first" -)" ''
else
	skip 'forwarding of IPv6 by interface' 'this kernel has no force_forwarding'
fi

add web 127.0.0.1:80:3000 192.0.2.1:80:3000
add more 127.0.0.1:81:3000 192.0.2.1:81:3000
del more
is 'what two need stays while one of them does' "$(changed)" "$v4 $localnet"
del web
is 'and goes with the last of them' "$(values | diff "$tap_tmp/first" -)" ''
add web 127.0.0.1:80:3000 192.0.2.1:80:3000
del 127.0.0.1:80:3000
is 'of one with several publications, what the rest does not need is put back' "$(changed)" "$v4"
run "$PORTPUB" add --no-keeper --id web --replace --to 10.1.0.2 127.0.0.1:80:3000
is 'what moves to another bridge takes its sysctl along' "$(changed)" 'ipv4/conf/br1/route_localnet:1'
del --all
is 'all is put back when all is taken back' "$(values | diff "$tap_tmp/first" -)" ''

# What is on already is not ours.
echo 1 >ipv4/ip_forward
echo 1 >ipv4/conf/br0/route_localnet
echo 1 >ipv6/conf/all/forwarding
values >"$tap_tmp/on"
add web 80:3000
is 'what is on already is not set, and not said' "$status, $(said), $(values | diff "$tap_tmp/on" -)" '0, , '
del web
is 'and stays on' "$status, $(values | diff "$tap_tmp/on" -)" '0, '
echo 0 >ipv6/conf/all/forwarding
echo 0 >ipv4/ip_forward
echo 0 >ipv4/conf/br0/route_localnet
echo 1 >ipv4/conf/all/route_localnet
add web 127.0.0.1:80:3000
is 'where all interfaces have route_localnet, none needs it' "$(changed)" 'ipv4/conf/all/route_localnet:1'
del web
echo 0 >ipv4/conf/all/route_localnet
is 'all is as it was' "$(values | diff "$tap_tmp/first" -)" ''

# To turn forwarding off for all turns it off for those, too, that forwarded by themselves.
echo 1 >ipv4/conf/br1/forwarding
values >"$tap_tmp/single"
add web 192.0.2.1:80:3000
is 'forwarding is on for all' "$(cat ipv4/ip_forward ipv4/conf/br0/forwarding | paste -sd ' ')" '1 1'
del web
is 'an interface that forwarded by itself still does' "$(values | diff "$tap_tmp/single" -) $(cat ipv4/conf/br1/forwarding)" ' 1'
echo 0 >ipv4/conf/br1/forwarding
is 'and nothing else does' "$(values | diff "$tap_tmp/first" -)" ''

# The same of interfaces to come; and a host that does not forward any longer would take redirects.
echo 1 >ipv4/conf/default/forwarding
echo 0 >ipv4/conf/all/accept_redirects
values >"$tap_tmp/default"
add web 192.0.2.1:80:3000
del web
is 'an interface to come forwards, and redirects are refused, as before' "$(values | diff "$tap_tmp/default" -)" ''
echo 0 >ipv4/conf/default/forwarding
echo 1 >ipv4/conf/all/accept_redirects
is 'all is as it was at first' "$(values | diff "$tap_tmp/first" -)" ''

# A firewall need not route: it is no reason to go on.
add web 192.0.2.1:80:3000
nft 'add table inet filter; add chain inet filter forward { type filter hook forward priority 0; policy drop; }'
del web
is 'ip_forward is put back where a firewall stands' "$(changed)" ''
nft delete table inet filter

# What others rely on is left to them.
add web 127.0.0.1:80:3000 192.0.2.1:80:3000
nft 'add table inet firewall; add chain inet firewall postrouting { type nat hook postrouting priority 100; }'
del web
is 'ip_forward is left on where another table translates, and nothing else' "$(changed)" "$v4"
has 'which is said, with the table' "$err" 'IPv4 forwarding is left on: table inet firewall forwards, too'
nft delete table inet firewall
add web 192.0.2.1:80:3000
del web
is 'it is not ours any longer then' "$(changed)" "$v4"
echo 0 >ipv4/ip_forward
add web 127.0.0.1:80:3000 192.0.2.1:80:3000
echo 0 >ipv4/conf/br0/route_localnet
echo 2 >ipv4/conf/br0/route_localnet
del web
is 'what somebody has set to something else since is theirs' "$(changed)" 'ipv4/conf/br0/route_localnet:2'
echo 0 >ipv4/conf/br0/route_localnet

# What fails leaves nothing.
serve $$ 81 host
add web 80:3000 81:3000
is 'where a port is taken, nothing is set' "$status, $(values | diff "$tap_tmp/first" -)" '3, '
# fixed SYSCTL: it may only be read, as on a kernel that is locked down.
fixed() {
	cat "$1" >"$tap_tmp/fixed"
	mount --bind "$tap_tmp/fixed" "$1" && mount -o remount,bind,ro "$1"
}
if fixed ipv4/ip_forward; then
	add web 80:3000
	umount ipv4/ip_forward
	is 'where one cannot be set, the others are put back' "$status, $(values | diff "$tap_tmp/first" -)" '1, '
else
	skip 'where one cannot be set, the others are put back' 'nothing may be mounted on /proc here'
fi

# A kernel before 6.17, where forwarding is for all interfaces: what advertisements gave has to survive that.
: >"$tap_tmp/empty"
for sysctl in ipv6/conf/*/force_forwarding; do
	[ ! -e "$sysctl" ] || mount --bind "$tap_tmp/empty" "$sysctl" || skip_all 'nothing may be mounted on /proc here'
done
echo 0 >ipv6/conf/br1/accept_ra
echo 1 >ipv6/conf/br1/forwarding
all='ipv6/conf/all/forwarding:1'
values >"$tap_tmp/first"
add web '[2001:db8::1]:80:3000'
is 'without forwarding by interface, accept_ra is set to 2 first where it is on, then forwarding' "$status, $(said)" \
	"0, ipv6/conf/br0/accept_ra:2 ipv6/conf/lan0/accept_ra:2 $all"
is 'and no others are' "$(changed | tr ' ' '\n' | grep -v '/forwarding' | paste -sd ' ') $(cat ipv6/conf/all/forwarding)" \
	'ipv6/conf/br0/accept_ra:2 ipv6/conf/lan0/accept_ra:2 1'
is 'clients outside come through' "$(ask "$lan" 'http://[2001:db8::1]/')" "$here, 2001:db8::2"
add more '[2001:db8::1]:82:3000'
del web
is 'all of it stays while another needs it' "$(cat ipv6/conf/br0/accept_ra ipv6/conf/all/forwarding | paste -sd ' ')" '2 1'
del more
is 'and is put back with the last' "$(values | diff "$tap_tmp/first" -)" ''
for sysctl in ipv6/conf/*/force_forwarding; do
	[ ! -e "$sysctl" ] || umount "$sysctl"
done

# The old iptables. What it has made stays: nothing comes behind this. In a user namespace of their own, an ordinary
# user cannot read what tables it has.
values >"$tap_tmp/first"
add web 192.0.2.1:80:3000
if "$HELPERS/legacy" filter && cat /proc/net/ip_tables_names >/dev/null 2>&1; then
	del web
	is 'a firewall of the old iptables is no reason to go on' "$(changed)" ''
	add web 192.0.2.1:80:3000
	"$HELPERS/legacy" nat
	del web
	is 'where it may translate, ip_forward is left on' "$(changed)" "$v4"
	has 'which is said' "$err" 'IPv4 forwarding is left on: table nat of iptables-legacy forwards, too'
else
	skip 'the old iptables is another that translates' 'this kernel has none, or we cannot see what it has'
fi
finish
