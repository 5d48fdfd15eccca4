#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What list and who answer, to people and to programs, also to an ordinary user; and that check finds each kind of
# difference between the records and the kernel.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../publish.sh"

# What the container sends to itself is no way of its own where this is off.
for calls in /proc/sys/net/bridge/bridge-nf-call-ip*tables; do [ ! -e "$calls" ] || echo 0 >"$calls"; done
publish() { add "$@" >/dev/null 2>&1; }
man=${0%/*}/../../man/portpub.8
# keys SECTION: the first of a list of keys in the manual, and all of them.
keys() { sed -n "/^\.Sh $1/,/^\.Sh/s/^\.It Li //p" "$man" | sed 's/ , /\n/g' | sort | paste -sd ' '; }
ordinary() { unshare -U "$@"; } # in a user namespace of its own, without rights here

run "$PORTPUB" list
is 'nothing is nothing' "$status $out$err" '0 '
run "$PORTPUB" list --json
is 'and in JSON an empty list' "$status $out" '0 []'
run "$PORTPUB" list web
is 'a record of nobody' "$status $out $err" '1  portpub: nothing is published as web'
run "$PORTPUB" check
is 'of nothing there is nothing to check' "$status $out$err" '0 '
is 'and none of these has made anything' "$(ls "$PORTPUB_RUNTIME_DIR" 2>/dev/null; nft list ruleset)" ''

run add --json --pid "$container" --id web --allow 192.0.2.0/24 --allow 2001:db8::/32 80:80 127.0.0.1:81:81 '[2001:db8::1]:8000-8010:1-11/udp'
is 'add answers in JSON' "$status $(echo "$out" | jq -c '[.id, [.publications[] | [.protocol, .address, .host_port, .container_port, .count]]]')" \
	'0 ["web",[["tcp","",80,80,1],["tcp","127.0.0.1",81,81,1],["udp","2001:db8::1",8000,1,11]]]'
publish --to 10.0.0.3 --id dns 53:53/udp
serve "$container" 80 container
ask "$lan" http://192.0.2.1/ >/dev/null
ask "$lan" 'http://[2001:db8::1]/' >/dev/null
ask 0 http://127.0.0.1:81/ >/dev/null
is 'list has a line for each publication' "$("$PORTPUB" list)" "\
ID   HOST PORT                    CONTAINER       PATH       CONNECTIONS
dns  53/udp                       10.0.0.3:53     kernel     0
web  80/tcp                       10.0.0.2:80     kernel     2
web  127.0.0.1:81/tcp             10.0.0.2:81     kernel     1
web  [2001:db8::1]:8000-8010/udp  [fd00::2]:1-11  kernel     0"
is 'or for those of one id' "$("$PORTPUB" list dns | wc -l)" 2
is 'its keys in JSON stand in the manual, and no other' "$("$PORTPUB" list web --json | jq -r '.[0] | keys | join(" ")')" \
	"$(keys 'THE ANSWER OF LIST')"
is 'what they hold' "$("$PORTPUB" list web --json | jq -c '.[0] | [.id, .targets, .keeper, .allow, .container, .pid, (.created | type)]')" \
	"[\"web\",[{\"address\":\"10.0.0.2\",\"interface\":\"br0\"},{\"address\":\"fd00::2\",\"interface\":\"br0\"}],null,[\"192.0.2.0/24\",\"2001:db8::/32\"],\"sleep\",$container,\"number\"]"
is 'a publication is the object it is everywhere' "$("$PORTPUB" list web --json | jq -c '.[0].publications[1]')" \
	'{"protocol":"tcp","address":"127.0.0.1","host_port":81,"container_port":81,"count":1,"connections":1}'
is 'paths are told once each, with the reason' "$("$PORTPUB" list web --json |
	jq -c '[.[0].paths[] | [.family, .address_class, .path, (.reason | length > 9)]]')" \
	'[["ipv4","any","kernel",true],["ipv4","loopback","kernel",true],["ipv6","any","kernel",true],["ipv6","loopback","none",true],["ipv6","link-local","none",true],["ipv6","specific","kernel",true]]'
run ordinary "$PORTPUB" list
is 'an ordinary user sees it, without the connections' "$status $(echo "$out" | sed -n 3p) $err" \
	'0 web  80/tcp                       10.0.0.2:80     kernel     - '
is 'and in JSON' "$(ordinary "$PORTPUB" list web --json | jq -c '.[0].publications[0] | keys')" \
	'["address","container_port","count","host_port","protocol"]'

hold $$ tcp 127.0.0.1 90 udp '' 90
for user in '' ordinary; do
	run $user "$PORTPUB" who 80
	is "who: a publication, by each family, and who the container is${user:+, to an ordinary user}" "$status $out" \
		"0 0.0.0.0:80/tcp published by web (pid $container), to 10.0.0.2:80
[::]:80/tcp published by web (pid $container), to [fd00::2]:80"
	run $user "$PORTPUB" who 8005/udp
	is "who: one of a range${user:+, to an ordinary user}" "$status $out" \
		"0 [2001:db8::1]:8005/udp published by web (pid $container), to [fd00::2]:6"
	run $user "$PORTPUB" who 8011/udp
	is "who: and not the one behind it${user:+, to an ordinary user}" "$status $out $err" '1  portpub: nobody has port 8011/udp'
	run $user "$PORTPUB" who 80/udp
	is "who: the protocol counts${user:+, to an ordinary user}" "$status" 1
	run $user "$PORTPUB" who 8000/tcp --json
	is "who: nobody in JSON is an empty list, and a failure${user:+, to an ordinary user}" "$status $out" '1 []'
done
run "$PORTPUB" who 90
is 'who: processes, of both protocols' "$status $out" "0 127.0.0.1:90/tcp in use by hold (pid $holder)
90/udp in use by hold (pid $holder)"
is 'who: in JSON' "$("$PORTPUB" who 90/udp --json | jq -c .)" \
	"[{\"protocol\":\"udp\",\"address\":\"\",\"port\":90,\"publication\":null,\"process\":{\"name\":\"hold\",\"pid\":$holder}}]"
is 'who: a publication in JSON' "$("$PORTPUB" who 53 --json | jq -c .)" \
	'[{"protocol":"udp","address":"0.0.0.0","port":53,"publication":{"id":"dns","target":"10.0.0.3","container_port":53},"process":null}]'
is 'who: its keys stand in the manual, and no other' "$("$PORTPUB" who 53 --json | jq -r '.[0] | keys | join(" ")')" "$(keys 'THE ANSWER OF WHO')"
for text in '' 0 65536 x 80/ 80/tcpx /tcp 80/80 -1 080808; do
	run "$PORTPUB" who -- "$text"
	is "who: '$text' is no port" "$status $out" '2 '
done
run "$PORTPUB" who
is 'who: which?' "$status" 2
run "$PORTPUB" who 80 81
is 'who: one at a time' "$status" 2

# differs CLAIM LINES: check fails with these lines, and nothing else on stdout; then everything is put right.
run "$PORTPUB" check
is 'records and kernel agree' "$status $out$err" '0 '
differs() {
	run "$PORTPUB" check
	is "check: $1" "$status
$out$err" "1
$2"
	nft flush ruleset
	del nobody 2>/dev/null
	publish --to 10.0.0.3 --id more 54:54/udp
	del more
}
nft 'delete element inet portpub host4 { tcp . 127.0.0.1 . 81 }'
differs 'an element is missing' 'missing in the kernel: host4 tcp . 127.0.0.1 . 81 : 10.0.0.2 . 81, of web'
nft 'add element inet portpub any4 { tcp . 99 : 10.0.0.9 . 99 }'
differs 'an element of nobody' 'without a record: any4 tcp . 99 : 10.0.0.9 . 99'
nft 'add element inet portpub any4 { tcp . 99 comment "ghost" : 10.0.0.9 . 99 }'
differs 'an element of a record that there is not' 'without a record: any4 tcp . 99 : 10.0.0.9 . 99, of ghost'
nft 'delete element inet portpub any4 { udp . 53 }; add element inet portpub any4 { udp . 53 comment "dns" : 10.0.0.9 . 53 }'
differs 'an element leads elsewhere' 'another in the kernel: any4 udp . 53 : 10.0.0.9 . 53, of dns
missing in the kernel: any4 udp . 53 : 10.0.0.3 . 53, of dns'
nft 'delete element inet portpub any4 { udp . 53 }; add element inet portpub any4 { udp . 53 comment "web" : 10.0.0.3 . 53 }'
differs 'an element is somebody else'"'"'s' 'another in the kernel: any4 udp . 53 : 10.0.0.3 . 53, of web
missing in the kernel: any4 udp . 53 : 10.0.0.3 . 53, of dns'
nft 'delete element inet portpub direct4 { tcp . 10.0.0.2 . 81 }'
differs 'an element that is shared' 'missing in the kernel: direct4 tcp . 10.0.0.2 . 81'
nft 'delete element inet portpub admit_any4 { 80 . tcp . 192.0.2.0/24 }'
differs 'who may connect' 'missing in the kernel: admit_any4 80 . tcp . 192.0.2.0/24, of web'
nft 'add element inet portpub admit_any4 { 80 . tcp . 10.0.0.0/8 }'
differs 'somebody else may connect' 'without a record: admit_any4 80 . tcp . 10.0.0.0/8'
rule() { nft -a list chain inet portpub "$1" | sed -n "s/.*$2.*# handle //p" | head -n 1; }
nft delete rule inet portpub postrouting handle "$(rule postrouting own6)"
differs 'a rule is removed' 'missing in the kernel: rule of chain postrouting: ct status dnat ip6 saddr . ip6 daddr @own6 masquerade'
nft delete rule inet portpub prerouting handle "$(rule prerouting alone_host6)"
nft delete rule inet portpub guard handle "$(rule guard 'ip saddr')"
differs 'rules are removed, and those behind them are not said to be others' "\
missing in the kernel: rule of chain guard: ip saddr 127.0.0.0/8 iif != \"lo\" drop
missing in the kernel: rule of chain prerouting: fib daddr type local ip6 saddr . meta l4proto . ip6 daddr . th dport @alone_host6 accept"
nft 'flush chain inet portpub output'
differs 'a chain is empty' 'missing in the kernel: all 8 rules of chain output'
nft 'flush chain inet portpub direct; delete chain inet portpub direct'
differs 'a chain is removed' 'missing in the kernel: chain direct'
nft 'add chain inet portpub mine { type filter hook input priority 7; policy drop; }; add rule inet portpub mine accept; add chain inet portpub yours'
differs 'chains are added' 'another in the kernel: chain mine with type filter hook input priority 7; policy drop
another in the kernel: chain yours with no hook'
nft 'chain inet portpub guard { policy drop; }'
differs 'a policy is changed' 'another in the kernel: chain guard with type filter hook prerouting priority -300; policy drop, in the place of type filter hook prerouting priority -300; policy accept'
# again EDIT: the table anew, by nft, with this changed in it.
again() {
	nft list table inet portpub | sed "$1" >"$tap_tmp/changed"
	nft delete table inet portpub
	nft -f "$tap_tmp/changed"
}
again 's/prerouting priority raw/prerouting priority filter/'
differs 'a priority is another' 'another in the kernel: chain guard with type filter hook prerouting priority 0; policy accept, in the place of type filter hook prerouting priority -300; policy accept'
again 's/prerouting priority raw/input priority raw/'
differs 'a hook is another' 'another in the kernel: chain guard with type filter hook input priority -300; policy accept, in the place of type filter hook prerouting priority -300; policy accept'
again '/chain output/,/}/{s/type nat/type filter/; s/dnat.*/accept/}'
is 'check: a type is another' "$("$PORTPUB" check | head -n 1)" \
	'another in the kernel: chain output with type filter hook output priority -100; policy accept, in the place of type nat hook output priority -100; policy accept'
nft 'add table inet portpub { flags dormant; }'
is 'check: the table is dormant' "$("$PORTPUB" check | grep dormant)" \
	'another in the kernel: the table inet portpub is dormant, so that none of its rules counts'
nft flush ruleset
publish --to 10.0.0.3 --id more 54:54/udp
del more
for place in add insert; do
	nft "$place rule inet portpub direct tcp dport 22 drop"
	run "$PORTPUB" check
	is "check: a rule is added, by $place" "$status $(echo "$out" | cut -c 1-36)" '1 another rule in the kernel: direct: '
	nft delete rule inet portpub direct handle "$(rule direct 'dport 22')"
done
nft replace rule inet portpub guard handle "$(rule guard 'ip saddr')" iif != lo ip saddr 127.0.0.0/16 drop
run "$PORTPUB" check
is 'check: a rule is changed, and no other is said to be' "$status $(echo "$out" | cut -c 1-51)" \
	'1 another rule in the kernel: guard: load iif => reg 
missing in the kernel: rule of chain guard: ip sadd'
nft flush ruleset
publish --to 10.0.0.3 --id more 54:54/udp
del more
echo 0 >/proc/sys/net/ipv4/conf/br0/route_localnet
run "$PORTPUB" check
is 'check: a sysctl is off' "$status $(echo "$out" | sort | paste -sd ,)" \
	'1 net.ipv4.conf.br0.route_localnet is 0, and dns needs it,net.ipv4.conf.br0.route_localnet is 0, and web needs it'
run "$PORTPUB" check dns
is 'check: to one of them' "$out" 'net.ipv4.conf.br0.route_localnet is 0, and dns needs it'
echo 1 >/proc/sys/net/ipv4/conf/br0/route_localnet
echo 0 >/proc/sys/net/ipv4/ip_forward
run "$PORTPUB" check web
is 'check: forwarding is off' "$status $out" '1 net.ipv4.ip_forward is 0, and web needs it'
echo 1 >/proc/sys/net/ipv4/ip_forward
for interface in br0 lan0; do
	echo 0 >/proc/sys/net/ipv4/conf/$interface/forwarding
	run "$PORTPUB" check web
	is "check: forwarding of one interface is off: $interface" "$status $out" "1 net.ipv4.conf.$interface.forwarding is 0, and web needs it"
	echo 1 >/proc/sys/net/ipv4/conf/$interface/forwarding
done
run "$PORTPUB" check
is 'check: and agrees when they are on' "$status $out" '0 '
echo 0 >/proc/sys/net/ipv6/conf/all/forwarding
run "$PORTPUB" check
is 'check: forwarding of IPv6 is off' "$status $out" '1 net.ipv6.conf.all.forwarding is 0, and web needs it'
add --id web --replace --pid "$container" 80:80 127.0.0.1:81:81 '[2001:db8::1]:8000-8010:1-11/udp' >/dev/null 2>&1
run "$PORTPUB" check
is 'check: which publishing it anew cures' "$status $out" '0 '
if [ -e /proc/sys/net/ipv6/conf/br0/force_forwarding ]; then
	ip addr add 2001:db8::11/64 dev lan0 nodad
	for interface in br0 lan0; do
		echo 0 >/proc/sys/net/ipv6/conf/$interface/force_forwarding
		run "$PORTPUB" check
		is "check: forwarding of IPv6 from one interface is off: $interface" "$status $out" \
			"1 net.ipv6.conf.$interface.force_forwarding is 0, and web needs it"
		echo 1 >/proc/sys/net/ipv6/conf/$interface/force_forwarding
	done
	echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
	echo 0 >/proc/sys/net/ipv6/conf/lan0/force_forwarding
	run "$PORTPUB" check
	is 'check: forwarding for all is enough' "$status $out" '0 '
else
	skip 'check: forwarding of IPv6 by interface' 'this kernel has no force_forwarding'
fi
"$HELPERS/kill_at" 8 "$PORTPUB" add --no-keeper --to 10.0.0.3 --id killed 99:99 >/dev/null 2>&1
run "$PORTPUB" check
is 'check: a command was killed' "$status $out" '1 interrupted: killed was being added or removed'
run "$PORTPUB" check nobody
is 'check: of nobody' "$status" 1
del --all 2>/dev/null
run "$PORTPUB" check
is 'check: and all is well when all is gone' "$status $out$err" '0 '
# What no rule carries needs no table.
keep --to 10.0.0.2 --id plain --via userspace 70:80 >/dev/null 2>&1
keep --to 10.0.0.2 --id crossed '[2001:db8::1]:71:80' >/dev/null 2>&1
nft flush ruleset
run "$PORTPUB" check
is 'check: where no rule is needed none is missed' "$status $out $("$PORTPUB" restore)" '0  nothing was missing'
del crossed
add --to 10.0.0.2 --id web 80:80 >/dev/null 2>&1
nft flush ruleset
run "$PORTPUB" check
is 'check: where one is needed the table is' "$status $(echo "$out" | head -n 1)" '1 missing in the kernel: the table inet portpub'
del --all
# A connected UDP socket keeps its port from everybody else, too.
bash -c 'exec 3<>/dev/udp/127.0.0.1/9 && exec sleep 60' &
pids="$pids $!"
connected() { ss -Hun state established | sed -n 's/.*127.0.0.1:\([0-9]*\) .*127.0.0.1:9.*/\1/p'; }
until_true sh -c 'ss -Hun state established | grep -q 127.0.0.1:9'
run "$PORTPUB" who "$(connected)/udp"
has 'who: a connected UDP socket' "$status $out" "0 127.0.0.1:$(connected)/udp in use by sleep"
run "$PORTPUB" add --no-keeper --to 10.0.0.2 "$(connected):53/udp"
is 'whose port is taken' "$status" 3
finish
