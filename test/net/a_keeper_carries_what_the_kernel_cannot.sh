#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What is published is reached by every way there is: by the kernel where that can carry it, and by the keeper where it
# cannot; list tells which, and why. When the keeper is killed the kernel goes on, and that is told.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../publish.sh"

man=${0%/*}/../../man/portpub.8
serve "$container" 80 container
serve_udp "$container" 80 container
from() { echo "hello from container, $1"; }
# paths: "FAMILY CLASS PATH" for each way.
paths() { "$PORTPUB" list web --json | jq -r '.[0].paths[] | "\(.family) \(.address_class) \(.path)"' | paste -sd ,; }
reason() { "$PORTPUB" list web --json | jq -r --arg f "$1" --arg c "$2" '.[0].paths[] | select(.family == $f and .address_class == $c).reason'; }

calls=/proc/sys/net/bridge/bridge-nf-call
call() { [ ! -e ${calls}-iptables ] || { echo "$1" >${calls}-iptables && echo "$1" >${calls}-ip6tables; }; }

# A container with both families.
call 0
keep --to 10.0.0.2,fd00::2 --id web 80:80 80:80/udp >/dev/null 2>&1
is 'localhost by IPv4' "$(ask 0 http://127.0.0.1/) $(ask_udp 0 127.0.0.1 80)" "$(from 10.0.0.1) $(from 10.0.0.1)"
is 'and by ::1' "$(ask 0 'http://[::1]/') $(ask_udp 0 ::1 80)" "$(from fd00::1) $(from fd00::1)"
is 'by the name' "$(at $$ curl -sS --max-time 3 -6 http://localhost/ 2>&1) $(at $$ curl -sS --max-time 3 -4 http://localhost/ 2>&1)" "$(from fd00::1) $(from 10.0.0.1)"
is 'clients outside keep their address' "$(ask "$lan" http://192.0.2.1/) $(ask "$lan" 'http://[2001:db8::1]/')" "$(from 192.0.2.2) $(from 2001:db8::2)"
is 'each way has its path' "$(paths)" 'ipv4 any kernel,ipv4 loopback kernel,ipv6 any kernel,ipv6 loopback userspace,ipv6 link-local userspace'
has 'with the reason of the kernel' "$(reason ipv4 any)" 'nftables DNAT'
has 'and of the keeper' "$(reason ipv6 loopback)" 'does not route ::1'
is 'explain says the same' "$("$PORTPUB" explain --to 10.0.0.2,fd00::2 80:80 --json | jq -c '[.paths[] | del(.publications)]' | tr -d ' \n')" \
	"$("$PORTPUB" list web --json | jq -c '.[0].paths' | tr -d ' \n')"
link=$(at "$lan" ip -6 -o addr show dev eth0 scope link | sed 's/.*inet6 \([^/]*\).*/\1/')
here=$(ip -6 -o addr show dev lan0 scope link | sed 's/.*inet6 \([^/]*\).*/\1/')
if [ -n "$link" ] && [ -n "$here" ]; then
	is 'by a link-local address' "$(at "$lan" curl -sS -g --max-time 3 "http://[$here%25eth0]/" 2>&1)" "$(from fd00::1)"
else
	skip 'by a link-local address' 'there is none here'
fi
table=$("$PORTPUB" list)
for key in $("$PORTPUB" list web --json | jq -r '.[0].keeper | paths | map(strings)[-1]' | sort -u); do
	ok "the manual knows $key of a keeper" grep -qw "$key" "$man"
done
has 'the table tells both' "$table" ' both '

# The container itself, where the bridge calls netfilter and sends nothing back where it came from.
to='--to 10.0.0.2,fd00::2'
own='ipv4 own userspace,ipv6 own userspace'
# shellcheck disable=SC2086 # words are wanted
for called in '0 off' '0 on' '1 on' '1 off'; do
	if [ ! -e ${calls}-iptables ]; then
		skip "the container itself, bridge-nf-call and hairpin $called" 'no br_netfilter here'
		continue
	fi
	call ${called% *}
	ip link set c0 type bridge_slave hairpin ${called#* }
	keep --replace $to --id web 80:80 80:80/udp >/dev/null 2>&1
	before=$("$PORTPUB" list web --json | jq '.[0].keeper.counters | .connections + .flows')
	is "the container itself, bridge-nf-call and hairpin $called" "$(ask "$container" http://192.0.2.1/) $(ask "$container" 'http://[2001:db8::1]/')" "$(from 10.0.0.1) $(from fd00::1)"
	is "by UDP, bridge-nf-call and hairpin $called" "$(ask_udp "$container" 192.0.2.1 80) $(ask_udp "$container" 2001:db8::1 80)" "$(from 10.0.0.1) $(from fd00::1)"
	after=$("$PORTPUB" list web --json | jq '.[0].keeper.counters | .connections + .flows')
	carried=$([ "$before" = "$after" ] || echo "$own")
	is "list tells when it is the keeper that carries it, $called" "$(paths | grep -o 'ipv4 own.*')" "$carried"
	is "as explain does, $called" "$("$PORTPUB" explain $to 80:80 --json | jq -c '[.paths[] | del(.publications)]' | tr -d ' \n')" \
		"$("$PORTPUB" list web --json | jq -c '.[0].paths' | tr -d ' \n')"
	if [ "$called" != '1 off' ]; then continue; fi
	is 'that is so without hairpin alone' "$carried" "$own"
	has 'with the reason' "$(reason ipv6 own)" 'bridge-nf-call-ip6tables is on, and hairpin off'
	has 'explain draws it' "$("$PORTPUB" explain $to 80:80)" '  container  --> 0.0.0.0:80   -- userspace ---> 10.0.0.2:80'
	run add $to --id rules 81:80
	has 'without a keeper it is told that nothing carries it' "$err" '81:80/tcp: ipv4 own is not carried: what the container sends to itself'
	del rules
done
call 0
del web

# A container that has but one family.
keep --to 10.0.0.2 --id web 80:80 80:80/udp >/dev/null 2>&1
is 'IPv6 clients reach a container of IPv4 alone' "$(ask "$lan" 'http://[2001:db8::1]/') $(ask_udp "$lan" 2001:db8::1 80)" "$(from 10.0.0.1) $(from 10.0.0.1)"
is 'and IPv4 clients as themselves' "$(ask "$lan" http://192.0.2.1/)" "$(from 192.0.2.2)"
is 'each way has its path, here, too' "$(paths)" 'ipv4 any kernel,ipv4 loopback kernel,ipv6 any userspace,ipv6 loopback userspace,ipv6 link-local userspace'
has 'and its reason' "$(reason ipv6 any)" 'the container has no IPv6'
is 'what the keeper has carried is counted' "$("$PORTPUB" list web --json | jq -c '.[0].keeper.counters | [.connections, .flows]')" '[1,1]'
is 'beside what the kernel has' "$("$PORTPUB" list web --json | jq -c '[.[0].publications[].connections]')" '[1,0]'
del web
keep --to fd00::2 --id web 80:80 >/dev/null 2>&1
is 'IPv4 clients reach a container of IPv6 alone' "$(ask "$lan" http://192.0.2.1/) $(ask 0 http://127.0.0.1/)" "$(from fd00::1) $(from fd00::1)"
del web
keep --to 10.0.0.2 --id web --allow 192.0.2.0/24 80:80 >/dev/null 2>&1
is 'who may not connect may not by the keeper either' "$(ask "$lan" 'http://[2001:db8::1]/') $(ask "$lan" http://192.0.2.1/)" "curl: 28 $(from 192.0.2.2)"
is 'but this host may' "$(ask 0 'http://[::1]/')" "$(from 10.0.0.1)"
del web
keep --to 10.0.0.2 --id web --via kernel 80:80 80:80/udp >/dev/null 2>&1
is 'where the kernel is insisted on, the rest has no path' "$(ask "$lan" http://192.0.2.1/) $(paths)" \
	"$(from 192.0.2.2) ipv4 any kernel,ipv4 loopback kernel,ipv6 any none,ipv6 loopback none,ipv6 link-local none"
# It depends on how soon the reset comes what curl says of it.
refusal() { ask "$@" | sed 's/^curl: \(7\|56\)$/refused/'; }
is 'it is refused at once, and not carried' "$(refusal 0 'http://[::1]/') $(refusal "$lan" 'http://[2001:db8::1]/')" 'refused refused'
is 'nor are datagrams' "$(ask_udp 0 ::1 80) $(ask_udp "$lan" 192.0.2.1 80)" "udp: no answer $(from 192.0.2.2)"
run "$PORTPUB" run --via userspace --to 10.0.0.3 80:80
is 'the port is held all the same' "$status $err" '3 portpub: 80:80/tcp: already published by web'
is 'who was refused is counted' "$("$PORTPUB" list web --json | jq -c '.[0].keeper.counters | [.connections, .refused, .bytes[0], .lost[0]]')" '[2,2,0,1]'
# While somebody has flushed the rules, for as long as a command keeps the keeper from putting them back.
exec 9<"$(find "$PORTPUB_RUNTIME_DIR" -name lock)"
flock 9
nft flush ruleset
is 'nor is what the kernel does not know any more' "$(refusal "$lan" http://192.0.2.1/)" refused
exec 9<&-
all_back() { "$PORTPUB" check; }
until_true all_back
is 'until it does again' "$(ask "$lan" http://192.0.2.1/)" "$(from 192.0.2.2)"
del web

# The keeper is killed.
serve "$neighbour" 80 neighbour
keep --to 10.0.0.2 --id web 80:80 127.0.0.1:81:80 >/dev/null 2>&1
kill_keeper web
is 'the kernel goes on' "$(ask "$lan" http://192.0.2.1/) $(ask 0 http://127.0.0.1:81/)" "$(from 192.0.2.2) $(from 10.0.0.1)"
is 'the keeper does not' "$(ask 0 'http://[::1]/')" 'curl: 7'
run "$PORTPUB" check
is 'check says so' "$status $out" '1 the keeper of web has ended: portpub restore begins another'
is 'and so does list' "$("$PORTPUB" list web --json | jq -c '.[0].keeper')" '{"pid":null}'
run "$PORTPUB" gc
is 'gc leaves what is of use' "$status $("$PORTPUB" list --json | jq length)" '0 1'
run keep --to 10.0.0.3 --id other 80:80
is 'its port is still nobody else'"'"'s' "$status $err" '3 portpub: host port 0.0.0.0:80/tcp is already published by web'
run keep --to 10.0.0.3 --id web --replace 80:80
is 'to replace it is to begin another' "$status $(keepers | wc -l) $("$PORTPUB" check)" '0 1 '
is 'that serves' "$(ask 0 'http://[::1]/')" 'hello from neighbour, 10.0.0.1'
kill_keeper web
run del web
is 'del removes what a killed one has left' "$status $err $(left_over)" '0  '
nsenter -t "$container" -n sleep 300 &
main=$!
pids="$pids $main"
until_true sh -c "[ \"\$(readlink /proc/$main/ns/net)\" = \"\$(readlink /proc/$container/ns/net)\" ]"
keep --pid $main --id web 80:80 >/dev/null 2>&1
add --pid $main --id bare 81:80 >/dev/null 2>&1
elsewhere() { run unshare -pf --mount-proc "$PORTPUB" "$@"; }
everything >"$tap_tmp/before"
elsewhere gc
is 'in another pid namespace gc cannot tell who has ended' "$status $out$err" '0 '
elsewhere del web
is 'nor can del end a keeper there' "$status $err" \
	'1 portpub: the keeper of web is in another pid namespace: go there, or stop it from there'
everything >"$tap_tmp/after"
ok 'which nothing comes of' diff "$tap_tmp/before" "$tap_tmp/after"
is 'it is served' "$(ask "$lan" http://192.0.2.1/) $("$PORTPUB" check) $(keepers | wc -l)" "$(from 192.0.2.2)  1"
keep --to 10.0.0.3 --id lease --ttl 2s 82:80 >/dev/null 2>&1
kill_keeper lease
kill_keeper web
release $main
until_true sh -c "'$PORTPUB' gc 2>&1 | grep -q lease"
is 'gc removes it when its container has ended, or its lease' "$("$PORTPUB" list)$(left_over)" ''

# One that is killed while it is replaced takes a while to close its ports.
replaced=0
for i in 01 02 04 06 08 10 14 18; do
	keep --to 10.0.0.2 --id many --replace 20000-23999:20000-23999 >/dev/null 2>&1
	engine=$(keeper many)
	keep --to 10.0.0.2 --id many --replace 20000-23999:20000-23999 >"$tap_tmp/replaces" 2>&1 &
	replacing=$!
	sleep "0.$i" # into another step of it
	kill -KILL "$engine"
	if wait $replacing; then replaced=$((replaced + 1)); else cat "$tap_tmp/replaces" >&2; fi
done
is 'one that is killed meanwhile is replaced' $replaced 8
kill_keeper many
run "$PORTPUB" restore
is 'or restored' "$status $out" '0 put back: 1 keeper'
run del many
is 'and removed' "$status $(left_over)$(ss -Hltn)" '0 '

# A number that another process has got since is told by the time at which that has begun.
for named in "--pid $container" "--netns /proc/$container/ns/net"; do
	# shellcheck disable=SC2086 # words are wanted
	add $named --id web 80:80 >/dev/null 2>&1
	run "$PORTPUB" gc
	is "gc leaves what is of use, by ${named% *}" "$status $("$PORTPUB" list --json | jq length)" '0 1'
	sed -i -E 's/("pid_start": *)[0-9]+/\11/' "$(find "$PORTPUB_RUNTIME_DIR" -name web.json)"
	run "$PORTPUB" gc
	is "gc removes what was another process's, by ${named% *}" "$("$PORTPUB" list)$(left_over)" ''
done
finish
