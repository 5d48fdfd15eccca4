#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A flow outlives a change of the rules: those of a port that is published, moved or gone are forgotten, and no
# others. The kernel's list of flows is the witness, and who answers.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../publish.sh"

publish() { add "$@" >/dev/null 2>&1; }
# Each flow by an id of its own, the source port, and who answers it: "5001>10.0.0.2:53".
flows() {
	sed -n 's/^.* sport=\([0-9]*\) dport=[0-9]* .*src=\([^ ]*\) dst=[^ ]* sport=\([0-9]*\) .*/\1>\2:\3/p' /proc/net/nf_conntrack |
		sort | paste -sd ' '
}
has_not() { case $2 in *"$3"*) is "$1" "$2" "without $3" ;; *) is "$1" yes yes ;; esac }

publish --to 10.0.0.9 --id first 9:9/udp # conntrack begins with the first rule that asks for it
[ -r /proc/net/nf_conntrack ] || skip_all 'no /proc/net/nf_conntrack here'
for port in 53 54; do
	talker "$container" udp $port container
	talker "$lan" udp $port lan
	talker "$neighbour" udp $port neighbour
	talker "$container" tcp $port container
	talker $$ udp $port host
	if [ $port = 53 ]; then host53=$talker; else host54=$talker; fi
done
talker $$ tcp 53 host
hosttcp=$talker

# Flows of every kind, of which only the first is what is to be published.
is 'before, the host answers' "$(udp "$lan" 5001 192.0.2.1 53)" host
is 'at another port' "$(udp "$lan" 5002 192.0.2.1 54)" host
is 'by another address' "$(udp "$neighbour" 5003 10.0.0.1 53)" host
is 'another machine answers the same port through the host' "$(udp "$neighbour" 5004 192.0.2.2 53)" lan
tcp "$lan" 5005 192.0.2.1 53
is 'and another protocol' "$(says)" host
is 'all five are known' "$(flows)" '5001>192.0.2.1:53 5002>192.0.2.1:54 5003>10.0.0.1:53 5004>192.0.2.2:53 5005>192.0.2.1:53'

release "$host53"
publish --to 10.0.0.2 --id dns 192.0.2.1:53:53/udp
is 'of these, the one that is published is forgotten' "$(flows)" '5002>192.0.2.1:54 5003>10.0.0.1:53 5004>192.0.2.2:53 5005>192.0.2.1:53'
is 'and goes to the container from now on, from the same source port' "$(udp "$lan" 5001 192.0.2.1 53)" container
is 'the others go on' "$(udp "$lan" 5002 192.0.2.1 54) $(udp "$neighbour" 5004 192.0.2.2 53) $(says)" 'host lan host'

publish --to 10.0.0.3 --id dns --replace 192.0.2.1:53:53/udp
is 'when it moves, so does the flow' "$(udp "$lan" 5001 192.0.2.1 53)" neighbour
is 'and no other' "$(flows | sed 's/5001[^ ]* //')" '5002>192.0.2.1:54 5003>10.0.0.1:53 5004>192.0.2.2:53 5005>192.0.2.1:53'
del dns
has_not 'when it goes, the flow is forgotten' "$(flows)" 5001
is 'and no other is' "$(flows)" '5002>192.0.2.1:54 5003>10.0.0.1:53 5004>192.0.2.2:53 5005>192.0.2.1:53'
is 'the container does not get it any longer' "$(udp "$lan" 5001 192.0.2.1 53)" refused

# Every address: those of this host are meant, and not those of others.
release "$host54"
publish --to 10.0.0.2,fd00::2 --id all 54:54/udp 53:53/udp
is 'every address: the flows to this host are forgotten, and not the one through it' "$(flows)" '5004>192.0.2.2:53 5005>192.0.2.1:53'
is 'who asked another machine still does' "$(udp "$neighbour" 5004 192.0.2.2 53)" lan
is 'every address of this host leads to the container' \
	"$(udp "$lan" 5002 192.0.2.1 54) $(udp "$neighbour" 5003 10.0.0.1 53) $(udp "$lan" 5006 2001:db8::1 54) $(udp $$ 5007 127.0.0.1 53)" \
	'container container container container'
is 'TCP of the host is left with it' "$(says)" host
del 53:53/udp
is 'of two ports the one that stays is not forgotten' "$(flows | tr ' ' '\n' | grep -e ':54$' | paste -sd ' ')" \
	'5002>10.0.0.2:54 5006>fd00:0000:0000:0000:0000:0000:0000:0002:54'
has_not 'and the one that went is' "$(flows)" '>10.0.0.2:53'

# TCP: a connection through a publication ends with it, and one to the container's own address does not.
exec 7>&-
release "$hosttcp"
publish --to 10.0.0.2 --id tcp 53:53
at "$lan" ip route add 10.0.0.0/24 via 192.0.2.1
tcp "$lan" 5008 192.0.2.1 53
is 'a connection through a publication' "$(says)" container
exec 8>&7
mkfifo "$tap_tmp/direct"
nsenter -t "$lan" -n "$HELPERS/talk" tcp 5009 10.0.0.2 53 <"$tap_tmp/direct" >"$tap_tmp/answers" &
pids="$pids $!"
exec 9>"$tap_tmp/direct"
echo one >&9
until_true grep -q one "$tap_tmp/answers"
publish --to 10.0.0.2 --id more 5300:53
is 'goes on when another port is published' "$(says)" container
del more
is 'and when that is gone again' "$(says)" container
del tcp
is 'and ends with its own' "$(says)" closed
echo two >&9
until_true grep -q two "$tap_tmp/answers"
is 'one that went to the container directly does not' "$(paste -sd ' ' "$tap_tmp/answers")" 'container: one container: two'
del --all
is 'in the end nothing is left' "$(left_over)" ''
finish
