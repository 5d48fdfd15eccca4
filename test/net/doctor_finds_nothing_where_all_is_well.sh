#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What is reachable is said to be, what must not be is kept out, and the doctor leaves nothing behind.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../doctor.sh"
page=${0%/*}/../../man/portpub.8

is 'where nothing is published, there is nothing to do' "$("$PORTPUB" doctor; echo $?)" "$(printf 'nothing is published\n0')"
serve "$container" 80 container
nsenter -t "$container" -n "$HELPERS/hold" udp '' 53 udp '' 40000 >/dev/null &
pids="$pids $!"
publish web 8080:80
publish local 127.0.0.1:81:80
publish address 192.0.2.1:82:80 '[2001:db8::1]:82:80'
publish names 53:53/udp 40000:40000/udp
publish range 9000-9100:70-170
"$PORTPUB" add --no-keeper --to 10.0.0.2,fd00::2 --id few --allow 192.0.2.0/24 83:80 >/dev/null 2>&1

state() {
	ip -br link | sed 's/ .*//'
	ip -br addr
	ip route show table all | sort
	ip -6 route show table all | sort
	ip neigh show | grep -c 198.18
	nft list ruleset | sed 's/packets [0-9]* bytes [0-9]*//'
}
# TCP connections that are closed the kernel forgets by itself.
flows() { grep 198.18 /proc/net/nf_conntrack 2>/dev/null | grep -vc ' CLOSE '; }
state >"$tap_tmp/before"
well 'all of it is well'
state >"$tap_tmp/after"
is 'and left as it was' "$(diff "$tap_tmp/before" "$tap_tmp/after")" ''
is 'conntrack has forgotten the client outside, too' "$(flows)" 0

web=$("$PORTPUB" doctor web)
has 'every address is tried from this host' "$web" 'from this host to 127.0.0.1:8080: connected'
has 'and from outside' "$web" 'from outside to 192.0.2.1:8080: connected'
has 'by IPv6, too' "$web" 'from outside to [2001:db8::1]:8080: connected'
has 'what is not carried is told' "$web" 'note: ipv6 loopback is not carried'
"$PORTPUB" add --to 10.0.0.2,fd00::2 --id kept 84:80 >/dev/null 2>&1
kept=$("$PORTPUB" doctor kept)
has 'and what the keeper carries' "$kept" 'note: ipv6 loopback is carried in userspace, and was not tried'
lacks 'but not that it has the port' "$kept" 'also in use'
"$PORTPUB" del kept
local=$("$PORTPUB" doctor local)
has 'loopback is tried from this host' "$local" 'from this host to 127.0.0.1:81: connected'
has 'and is closed to a client outside, who sends packets for it' "$local" 'from outside to 127.0.0.1:81: kept out'
few=$("$PORTPUB" doctor few)
has 'who is not admitted is kept out' "$few" 'from outside to 192.0.2.1:83: kept out'
has 'where this host is admitted' "$few" 'from this host to 127.0.0.1:83: connected'
has 'that the admitted get in is not claimed' "$few" \
	'note: the client outside is not on the allow list: whether one that is gets in was not tried'
names=$("$PORTPUB" doctor names)
has 'a datagram leaves for a container that listens' "$names" \
	'from outside to 192.0.2.1:53: sent on to the container, not answered'
has 'on a port of the range that clients have, too' "$names" 'from outside to 192.0.2.1:40000: sent on'
has 'that it is taken is not claimed' "$names" 'that it takes them only an answer could prove'
serve_udp "$container" 54 container
publish answers 54:54/udp
answers=$("$PORTPUB" doctor answers)
has 'where one is answered it is' "$answers" 'from outside to 192.0.2.1:54: answered'
lacks 'which needs no note' "$answers" 'could prove'
ok 'it is unpublished again' "$PORTPUB" del answers
has 'of a range, the port that is listened on is tried' "$("$PORTPUB" doctor range)" \
	'from outside to 192.0.2.1:9010: connected'

is 'a single publication is examined by its spec' "$("$PORTPUB" doctor 192.0.2.1:82:80 | grep -c '^address')" 1
is 'and by its host port, as list shows it' "$("$PORTPUB" doctor 192.0.2.1:82/tcp | grep -c '^address')" 1
is 'a record by its id' "$("$PORTPUB" doctor address | grep -c '^address')" 2
run "$PORTPUB" doctor nobody
is 'an unknown id is an error' "$status $err" '1 portpub: nothing is published as nobody: portpub list tells what is'
run "$PORTPUB" doctor 99:99
is 'and so is a spec that is not published' "$status" 1
run "$PORTPUB" doctor 127.0.0.1:x
is 'a spec that is none is bad input' "$status" 2

publish large 192.0.2.1:20000-65534:20000-65534
begun=$(date +%s)
run "$PORTPUB" doctor large
ok 'a range of 45,535 ports is examined in no time' test $(($(date +%s) - begun)) -lt 10
has 'by its first port, where nothing listens' "$out" 'note: of the range, port 20000 is tried'
ok 'it is unpublished again' "$PORTPUB" del large

# The server answers one after the other, and lets sixteen wait.
# shellcheck disable=SC2046 # words are wanted
ok 'many is published: 300 ports of one server' "$PORTPUB" add --no-keeper --id many --to 10.0.0.2,fd00::2 \
	$(seq 10001 10300 | sed 's/.*/192.0.2.1:&:80/')
well 'a server with many ports is not asked by all at once' many
well 'which it is still well after' many
no_clients() { ! at "$container" ss -Htan 'sport = 80' | grep -E 'ESTAB|CLOSE-WAIT'; }
ok 'and has no client left' until_true no_clients
nft 'table inet block { chain forward { type filter hook forward priority 0; policy drop; };
	chain output { type filter hook output priority 0; tcp dport 80 drop; }; }'
begun=$(date +%s)
run "$PORTPUB" doctor many
ok 'those that are silent are waited for together' test $(($(date +%s) - begun)) -lt 8
is 'and all are told' "$(echo "$out" | grep -c 'not reachable$')" 300
nft delete table inet block
ok 'it is unpublished again' "$PORTPUB" del many

publish sctp 192.0.2.1:9:80/sctp
publish own 127.0.0.1:9:80/sctp
run "$PORTPUB" doctor sctp
case $out in
*'not tried'*)
	is 'what this host has no sockets for is not tried' "$status $(echo "$out" | head -2)" \
		"$(printf '1 sctp 192.0.2.1:9:80/sctp: not tried\n  from this host to 192.0.2.1:9: not tried: Protocol not supported')"
	has 'which is the problem' "$out" 'problem: this host'"'"'s kernel has no sctp to try it with'
	lacks 'and not that nobody listens, which cannot be told' "$out" 'nothing listens'
	lacks 'nor is it taken for kept out' "$("$PORTPUB" doctor own)" 'kept out'
	;;
*) skip 'a protocol without sockets' 'this kernel has sctp' ;;
esac
ok 'it is unpublished again' "$PORTPUB" del sctp
ok 'and so is the other' "$PORTPUB" del own

json=$("$PORTPUB" doctor --json local)
is 'programs are told the same' "$(echo "$json" | jq -c '.[] | [.id, .spec, .reachable, .problems, .notes]')" \
	'["local","127.0.0.1:81:80/tcp",true,[],[]]'
is 'test by test' "$(echo "$json" | jq -c '.[0].tests')" \
	'[{"from":"this host","to":"127.0.0.1:81","result":"connected","good":true},{"from":"outside","to":"127.0.0.1:81","result":"kept out","good":true}]'
keys() { sed -n '/^\.Sh THE ANSWER OF DOCTOR/,/^\.Sh/s/^\.It Li //p' "$page" | sed 's/ , /\n/g' | sort | paste -sd ' '; }
is 'the keys stand in the manual, and no other' "$(echo "$json" | jq -r '.[0] | keys | join(" ")')" "$(keys)"

sets() { sed -n '/^\.Sh THE ANSWER OF DOCTOR/,/^\.Sh/s/\\(dq/"/gp' "$page" | grep -o '{".*}' | grep -o '"[a-z]*":' | tr -d '":' | paste -sd ' '; }
is 'and those of tests and problems' "$(
	"$PORTPUB" doctor --json range | jq -r '.[0].tests[0] | keys_unsorted | join(" ")'
	nft 'table inet block { chain output { type filter hook output priority 0; tcp dport 80 drop; }; }'
	"$PORTPUB" doctor --json local | jq -r '.[0].problems[0] | keys_unsorted | join(" ")'
	nft delete table inet block
)" "$(sets | sed 's/ problem / \nproblem /;s/ \n/\n/')"

is 'who may not make a client outside is told so, and the rest is tried' "$(
	setpriv --bounding-set -all --inh-caps -all --ambient-caps -all --no-new-privs "$PORTPUB" doctor local 2>&1
	echo $?
)" "$(
	cat <<-'WORDS'
		portpub: the kernel's rules have not been looked at: the kernel path needs CAP_NET_ADMIN in this network namespace: run it as root
		portpub: nothing was tried from outside: no client outside can be made: Operation not permitted
		local 127.0.0.1:81:80/tcp: reachable
		  from this host to 127.0.0.1:81: connected
		  note: the container is not to be found on this host: what it listens on is not known; not all processes could be looked into
		0
	WORDS
)"

# It takes two seconds to find that nothing comes through.
nft 'table inet block { chain forward { type filter hook forward priority 0; policy drop; }; }'
"$PORTPUB" doctor web >/dev/null 2>&1 &
doctor=$!
is_there() { ip -br link | grep -q '^ppdoc'; }
is_gone() { ! is_there; }
until_true is_there
kill -KILL $doctor
ok 'when it is killed, its client outside goes with it' until_true is_gone
nft delete table inet block
state >"$tap_tmp/after"
is 'and nothing else stays' "$(diff "$tap_tmp/before" "$tap_tmp/after")" ''
finish
