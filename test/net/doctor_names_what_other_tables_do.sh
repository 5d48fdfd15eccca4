#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Rules of others that drop or translate what is published are named, and cured; those that let it pass are not.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../doctor.sh"
serve "$container" 80 container
first=$server
serve "$neighbour" 80 neighbour
server=$first
publish web 192.0.2.1:8080:80
publish web6 '[2001:db8::1]:8080:80'
publish local 127.0.0.1:81:80
nsenter -t "$container" -n "$HELPERS/hold" udp '' 53 >/dev/null &
pids="$pids $!"
publish names 192.0.2.1:53:53/udp
well 'at first all is well'

# filter RULE...: a chain that drops what is not accepted by RULE.
filter() {
	nft delete table inet filter 2>/dev/null
	nft 'add table inet filter; add chain inet filter forward { type filter hook forward priority 10; policy drop; }'
	for rule in "$@"; do
		nft "add rule inet filter forward $rule"
	done
}
policy='table inet filter, chain forward: its policy'

filter
sick 'a forward chain drops by its policy' web "$policy drops it"
has 'which a client outside has felt' "$out" 'from outside to 192.0.2.1:8080: no answer'
has 'but not this host' "$out" 'from this host to 192.0.2.1:8080: connected'
is 'the rule that cures it is told, once' "$(echo "$out" | grep fix:)" \
	'  fix: nft insert rule inet filter forward ct status dnat accept'
ok 'what is for this host alone does not pass there' "$PORTPUB" doctor local
sick 'IPv6 is dropped, too' web6 "$policy drops it"
sick 'and datagrams' names "$policy drops it"
has 'which are not taken for delivered' "$out" 'from outside to 192.0.2.1:53: no answer'
cure
well 'with the rule all is well'

filter 'ct state established,related accept' 'ip daddr 10.0.0.2 accept' 'ip6 daddr fd00::/64 accept'
well 'a rule that accepts the container is enough'
filter 'ct state vmap { established : accept, invalid : drop }' 'oifname "br*" meta l4proto { tcp, udp } accept'
well 'in other words, too'
filter 'ip daddr 10.0.0.2 accept'
sick 'one that forgets the answers is not' web "$policy may drop the answers"
cure
well 'with the rule they pass'
filter 'ct state established accept' 'ip saddr 198.51.100.0/25 accept'
sick 'one that accepts others may or may not' web "$policy may drop it"
cure
well 'with the rule it does not matter'
filter 'tcp dport 80 reject' 'accept'
handle=$(nft -a list chain inet filter forward | sed -n 's/.*reject.* handle //p')
sick 'a rule that rejects is named' web "table inet filter, chain forward: its rule with handle $handle drops it"
has 'and has been felt' "$out" 'from outside to 192.0.2.1:8080: refused'
cure
well 'with the rule it passes'
filter 'jump more'  2>/dev/null
nft 'add chain inet filter more; add rule inet filter more ct state established,new return; add rule inet filter more accept'
nft 'add rule inet filter forward jump more; add rule inet filter forward meta l4proto udp accept'
sick 'a jump that returns does not accept' web "$policy drops it"
well 'where another rule does' names
nft delete table inet filter

filter 'ct state established accept' 'tcp dport vmap { 22 : accept, * : drop }' accept
handle=$(nft -a list chain inet filter forward | sed -n 's/.*vmap.* handle //p')
sick 'a map has an element for all others' web "its rule with handle $handle drops it"
cure
well 'with the rule it passes them' web
filter 'ct state established accept' 'tcp dport vmap { 80 : accept, * : drop }'
well 'and what is an element of its own is not of all others' web
nft delete table inet filter

# unblamed CLAIM: with nothing listening every test connection fails, for which nobody else is to blame.
unblamed() {
	kill "$server"
	wait "$server"
	run "$PORTPUB" doctor web
	is "$1" "$(echo "$out" | sed -n 's/^  problem: //p' | sed 's/ in the container .*//')" 'nothing listens on 80/tcp'
	serve "$container" 80 container
}
filter 'iifname "br0" ct state established accept' 'ct status dnat accept'
unblamed 'a chain that accepts is not blamed for what is wrong elsewhere'
nft delete table inet filter

filter 'iif br0 ct state established accept' 'oif br0 accept'
unblamed 'nor where it knows interfaces by their numbers'
filter 'ct state established accept' 'ip daddr 10.0.0.2 fib saddr . iif oif exists accept' 'counter drop'
nft 'table inet early { chain pre { type filter hook prerouting priority -150; fib daddr . iif type != local drop; }; }'
kill "$server"
wait "$server"
run "$PORTPUB" doctor web
has 'what asks for a client'"'"'s interface may be either' "$out" 'table inet early, chain pre: its rule with handle 2 may drop it'
serve "$container" 80 container
nft delete table inet early
nft delete table inet filter

# At prerouting the packet has not been translated yet, or conntrack has not seen it.
for priority in -300 -150 -50; do
	for name in web web6 names; do
		nft "table inet early { chain pre { type filter hook prerouting priority $priority; policy drop;
			iifname lo accept; meta l4proto { icmp, ipv6-icmp } accept; }; }"
		sick "a prerouting chain at priority $priority drops $name" $name 'table inet early, chain pre: its policy'
		cure
		well "with the rules $name passes, at priority $priority" $name
		nft delete table inet early
	done
done
nft 'table inet early { chain pre { type filter hook prerouting priority -300; policy drop;
	iifname lo accept; meta l4proto { icmp, ipv6-icmp } accept; ct state new,established accept; }; }'
sick 'what conntrack has not seen is neither new nor old' web 'table inet early, chain pre: its policy may drop'
cure
well 'with the rules it passes without conntrack' web
nft delete table inet early
nft 'table ip out { chain out { type filter hook output priority 0; policy drop; ct state established accept; }; }'
sick 'an output chain is in the way of this host' web 'table ip out, chain out: its policy drops it'
cure
well 'with the rule it is not' web
nft delete table ip out
nft 'table inet in { chain in { type filter hook input priority 0; policy drop; ct state established accept; }; }'
well 'an input chain is in nobody'"'"'s way' web
nft 'flush chain inet in in; add rule inet in in iifname lo accept'
sick 'but if it drops what the container answers to this host' web 'table inet in, chain in: its policy drops the answers'
cure
well 'with the rule they come in' web
nft delete table inet in

# shadow RULE: somebody else translates first, and sends it to the neighbour.
shadow() {
	nft 'add table ip theirs; add chain ip theirs pre { type nat hook prerouting priority -110; }'
	nft "add rule ip theirs pre $1"
	handle=$(nft -a list chain ip theirs pre | sed -n 's/.*dnat.* handle //p;s/.*redirect.* handle //p')
	sick "the port is taken by $1" web \
		"table ip theirs, chain pre: its rule with handle $handle sends port 8080/tcp elsewhere first"
	cure
	well "without the rule it is ours: $1" web
	nft delete table ip theirs
}
shadow 'tcp dport 8080 dnat to 10.0.0.3:80'
has 'a test connection that somebody else answers does not count' "$(
	nft 'table ip theirs { chain pre { type nat hook prerouting priority -110; tcp dport 8080 dnat to 10.0.0.3:80; }; }'
	"$PORTPUB" doctor web
	nft delete table ip theirs
)" 'from outside to 192.0.2.1:8080: answered by 10.0.0.3:80'
kept=$server
serve "$container" 81 other
server=$kept
shadow 'tcp dport 8080 dnat to 10.0.0.2:81'
shadow 'tcp dport 8000-8100 dnat to 10.0.0.3:80'
shadow 'tcp dport { 22, 8080 } dnat to 10.0.0.3:80'
shadow 'ip daddr . tcp dport { 192.0.2.1 . 8000-9000 } dnat to 10.0.0.3:80'
shadow 'fib daddr type local meta l4proto tcp th dport != 22 redirect to :99'
shadow 'dnat to tcp dport map { 8080 : 10.0.0.3 . 80 }'
nft 'table ip theirs { set ports { type inet_service; flags interval; elements = { 8000-8200 }; }
	chain ours { tcp dport @ports dnat to 10.0.0.3:80; }
	chain pre { type nat hook prerouting priority -110; ip protocol vmap { tcp : goto ours }; }; }'
sick 'the port is taken by a named set, behind a map of verdicts' web 'table ip theirs, chain ours: its rule with handle'
cure
well 'without the rule it is ours' web
nft delete table ip theirs
nft 'table ip theirs { chain pre { type nat hook prerouting priority -110;
	tcp dport 8081 dnat to 10.0.0.3:80; udp dport 8080 dnat to 10.0.0.3:80; tcp dport { 1-8079, 8081-9000 } dnat to 10.0.0.3
	ip daddr 192.0.2.9 tcp dport 8080 dnat to 10.0.0.3:80; }
	chain late { type nat hook prerouting priority -90; tcp dport 8080 dnat to 10.0.0.3:80; }; }'
well 'other ports, other protocols, other addresses and later chains are none of our business' web
nft delete table ip theirs
nft 'table ip theirs { chain out { type nat hook output priority -100; tcp dport 8080 dnat to 10.0.0.3:80; }; }'
sick 'what this host sends may be taken, too' web 'table ip theirs, chain out: its rule with handle'
has 'which it has felt' "$out" 'from this host to 192.0.2.1:8080: answered by 10.0.0.3:80'
has 'and a client outside has not' "$out" 'from outside to 192.0.2.1:8080: connected'
cure
well 'without the rule it is ours again' web
nft delete table ip theirs

nft 'table ip theirs { chain pre { type nat hook prerouting priority -100; tcp dport 8080 dnat to 10.0.0.3:80; }; }'
sick 'at the same priority it is not known who comes first' web 'may send port 8080/tcp elsewhere first'
cure
well 'without the rule nobody does' web
nft delete table ip theirs
nft 'table ip6 theirs { chain pre { type nat hook prerouting priority -110; tcp dport 8080 dnat to [fd00::3]:80; }; }'
handle=$(nft -a list chain ip6 theirs pre | sed -n 's/.*dnat.* handle //p')
sick 'IPv6 is taken, too' web6 "table ip6 theirs, chain pre: its rule with handle $handle sends port 8080/tcp elsewhere first"
has 'and answered by another' "$out" 'from outside to [2001:db8::1]:8080: answered by [fd00::3]:80'
cure
well 'without the rule IPv6 is ours' web6
nft 'add rule ip6 theirs pre udp dport 53 redirect to :99; table ip theirs {
	chain pre { type nat hook prerouting priority -110; udp dport 53 redirect to :99; }; }'
sick 'datagrams are taken' names 'table ip theirs, chain pre: its rule with handle 2 sends port 53/udp elsewhere first'
cure
well 'without the rule they are ours' names
nft 'delete table ip theirs; delete table ip6 theirs'

nft 'table bridge frames { chain out { type filter hook output priority 0; ip protocol tcp drop; }; }'
sick 'a bridge may drop frames' web 'are not answered'
has 'which is not looked at' "$out" 'note: table bridge frames, chain out: what it does is not looked at'
nft delete table bridge frames

if command -v iptables-legacy >/dev/null && iptables-legacy -P FORWARD DROP 2>/dev/null; then
	sick 'a table of the old iptables drops' web 'packets from outside do not get as far as the container'
	has 'which is not looked at either' "$out" 'note: tables of the old iptables are not looked at: filter; iptables-legacy-save shows them'
	iptables-legacy -P FORWARD ACCEPT
	lacks 'nor told where nothing is lost' "$("$PORTPUB" doctor web)" 'old iptables'
else
	skip 'tables of the old iptables' 'no iptables-legacy here'
fi

if ! command -v iptables-nft >/dev/null || ! iptables-nft -P FORWARD DROP 2>/dev/null; then
	skip 'the tables of iptables' 'no iptables-nft here'
	finish
	exit
fi
mkdir "$tap_tmp/bin" # where the fix finds it, whatever the system's iptables is
ln -s "$(command -v iptables-nft)" "$tap_tmp/bin/iptables"
PATH=$tap_tmp/bin:$PATH
sick 'Docker sets the policy of FORWARD' web 'table ip filter, chain FORWARD: its policy drops it'
has 'the fix is in the words of iptables' "$out" \
	'fix: iptables -t filter -I FORWARD -m conntrack --ctstate DNAT -j ACCEPT'
cure
well 'with the rule it passes' web
unblamed 'nor is it then blamed for what is wrong elsewhere'
iptables -t nat -A PREROUTING -m addrtype ! --dst-type LOCAL -p tcp -m tcp --dport 8080 -j DNAT --to-destination 10.0.0.3:80
unblamed 'nor a rule for addresses that are not this host'"'"'s'
iptables -t nat -F
iptables -F FORWARD
iptables -A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
iptables -A FORWARD -p tcp -m tcp --dport 80 -d 10.0.0.2 -j ACCEPT
well 'a rule for the container is enough' web
iptables -F FORWARD
iptables -N DOCKER-USER
iptables -A FORWARD -j DOCKER-USER
sick 'where there is a chain for such rules' web 'table ip filter, chain FORWARD: its policy drops it'
has 'that is the one for it' "$out" 'fix: iptables -t filter -I DOCKER-USER -m conntrack --ctstate DNAT -j ACCEPT'
cure
well 'with the rule there it passes' web
iptables -P FORWARD ACCEPT
for table in mangle raw; do
	chain=$([ $table = raw ] && echo PREROUTING || echo FORWARD)
	iptables -t $table -A "$chain" -p tcp -m tcp -j DROP
	sick "a rule of its table $table drops" web "table ip $table, chain $chain: its rule with handle"
	has "and $table is told as iptables says it" "$out" "fix: iptables -t $table -I $chain "
	cure
	well "with the rule it passes $table" web
	ok "which iptables still reads" iptables -t $table -S
	iptables -t $table -F
done
if iptables -t mangle -A FORWARD -j TTL --ttl-set 63 2>/dev/null; then
	kill "$server"
	wait "$server"
	run "$PORTPUB" doctor web
	has 'what a target does that is not known cannot be told' "$out" 'table ip mangle, chain FORWARD: its rules may drop it'
	serve "$container" 80 container
	iptables -t mangle -F
else
	skip 'a target that is not known' 'no TTL here'
fi
iptables -t nat -N DOCKER
iptables -t nat -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
iptables -t nat -A DOCKER ! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 10.0.0.3:80
sick 'Docker publishes the same port' web 'table ip nat, chain DOCKER: its rule with handle'
cure
well 'without its rule it is ours' web
finish
