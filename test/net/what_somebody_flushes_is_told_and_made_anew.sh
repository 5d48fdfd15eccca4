#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Others may flush rulesets: check tells a line for each thing that is missing, and the next add or del makes a
# table that is not whole anew, with all that is published.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../publish.sh"

to='--to 10.0.0.2,fd00::2'
serve "$container" 80 container
serve "$container" 81 container
here='hello from container, 192.0.2.2'
# shellcheck disable=SC2086 # words are wanted
publish() { add $to "$@" >/dev/null 2>&1; }
# What is published by web, and answers: outside, and on this host.
answers() { echo "$(ask "$lan" http://192.0.2.1:80/) $(ask 0 http://127.0.0.1:81/)"; }
all_answer="$here hello from container, 10.0.0.1"
quiet() { "$@" 2>&1 >/dev/null | grep -v -e 'reachable from' -e 'not carried'; }
check() { run "$PORTPUB" check "$@"; }

publish --id web 80:80 127.0.0.1:81:81 53:53/udp
kernel >"$tap_tmp/whole"
is 'what is published answers' "$(answers)" "$all_answer"

# anew: what a command says of a table that it makes anew: nothing of one that is not there.
anew() {
	case $damage in
	*ruleset | delete*) ;;
	*) echo 'portpub: the table inet portpub was damaged, with rules missing, added or asleep: it has been made anew' ;;
	esac
}

# After each way to damage the table: check has something to say, and what a command makes of it.
for damage in 'flush ruleset' 'delete table inet portpub' 'flush chain inet portpub prerouting' \
	'flush chain inet portpub guard' 'insert rule inet portpub guard accept' 'flush table inet portpub' \
	'add rule inet portpub direct accept' 'add table inet portpub { flags dormant; }'; do
	# shellcheck disable=SC2016 # eval expands it
	for command in 'quiet add $to --id other 90:90' 'del other'; do
		nft "$damage"
		check
		is "$damage: check fails" "$status" 1
		ok "$damage: and tells in lines what is missing, or odd" \
			grep -q -e '^missing in the kernel: ' -e '^another rule in the kernel: ' -e '^another in the kernel: the table' "$tap_tmp/out"
		is "$damage: $command succeeds" "$(eval "$command" 2>&1)" "$(anew)"
		is "$damage: after $command what was published answers as before" "$(answers)" "$all_answer"
		check
		is "$damage: and check is content" "$status $out$err" '0 '
	done
	kernel >"$tap_tmp/again"
	ok "$damage: the table is the one there was" sh -c "tr ',' '\n' <'$tap_tmp/whole' | sed 's/elements = {//; s/ }\$//' | tr -d ' \t' | sort >'$tap_tmp/1'
		tr ',' '\n' <'$tap_tmp/again' | sed 's/elements = {//; s/ }\$//' | tr -d ' \t' | sort | diff '$tap_tmp/1' -"
done

# While there is no table, conflicts are still found: what is published is what the records say. With hairpin on,
# no element tells of the container alone, and no two of them would overlap.
for port in c0 n0; do ip link set $port type bridge_slave hairpin on; done
publish --id web --replace 80:80 127.0.0.1:81:81 53:53/udp
publish --id loop 127.0.0.1:9099:80
publish --id six '[2001:db8::1]:9098:80'
for spec in 80:80 192.0.2.1:80:80 '[2001:db8::1]:80:80' 9099:80 9098:80 127.0.0.1:9099:81 '[::]:9098:1' 127.0.0.1:53:53/udp; do
	nft flush ruleset
	# shellcheck disable=SC2086
	run add $to --id late "$spec"
	is "after a flush $spec is still taken" "$status" 3
	has "after a flush the holder of $spec is named" "$err" 'is already published by '
	port=${spec%:*}
	has "and who names it, too" "$("$PORTPUB" who "${port##*:}$(expr "$spec" : '.*\(/udp\)')")" ' published by '
done
nft flush ruleset
# shellcheck disable=SC2086
run add $to --id late 9096-9099:80
is 'after a flush a pool passes over what is published' "$status $out" '0 late  9096:80/tcp'
nft flush ruleset
# shellcheck disable=SC2086
run add $to --id later 9098-9099:80
is 'and is exhausted where all of it is' "$status" 3
echo '9096 9099' >/proc/sys/net/ipv4/ip_local_port_range
# shellcheck disable=SC2086
run add $to --id later 80
is 'after a flush a free port is one that is not published' "$status $out" '0 later  9097:80/tcp'
check
is 'and check is content' "$status $out$err" '0 '
ok 'those who replace themselves are not in their own way' nft flush ruleset
# shellcheck disable=SC2086
run add $to --id late --replace 127.0.0.1:9096:80
is 'after a flush' "$status $out" '0 late  127.0.0.1:9096:80/tcp'
del loop six late later
for port in c0 n0; do ip link set $port type bridge_slave hairpin off; done
publish --id web --replace 80:80 127.0.0.1:81:81 53:53/udp

# Elements alone: the table has all its rules.
nft flush map inet portpub any4
check
is 'a flushed map: a line for each element, with its record' "$status
$out" '1
missing in the kernel: any4 tcp . 80 : 10.0.0.2 . 80, of web
missing in the kernel: any4 udp . 53 : 10.0.0.2 . 53, of web'
check web
is 'the same of its record' "$(echo "$out" | wc -l)" 2
publish --id other 90:90
check other
is 'another record is none of it' "$status $out" '0 '
ok 'it can be removed' del other
# shellcheck disable=SC2086
run add $to --id other 80:80
is 'a port that has lost the element of one family is not to be had' "$status" 3
has 'since the other is there' "$err" 'already published by web'
# shellcheck disable=SC2086
run add --to 10.0.0.2 --id other 80:80
is 'nor is it where only what goes with it is left' "$status" 1
has 'which is told' "$err" 'see portpub check'
ok 'what has lost elements can be removed and published again' sh -c "'$PORTPUB' del web"
publish --id web 80:80 127.0.0.1:81:81 53:53/udp
is 'and answers' "$(answers)" "$all_answer"
check
is 'and is whole' "$status $out" '0 '
nft delete element inet portpub any4 '{ udp . 53 }'
nft delete element inet portpub own4 '{ 10.0.0.2 . 10.0.0.2 }'
check
is 'single elements: a line for each' "$status
$out" '1
missing in the kernel: any4 udp . 53 : 10.0.0.2 . 53, of web
missing in the kernel: own4 10.0.0.2 . 10.0.0.2'
run del web
is 'what has lost elements can be removed' "$status $(left_over)" '0 '

publish --id web 80:80
publish --id other 90:90
for set in any4 any6 own4 own6 hairpin alone_any4 alone_any6; do
	nft flush "$(if [ "${set#any}" != "$set" ]; then echo map; else echo set; fi)" inet portpub $set
done
run del 80:80 other
is 'all of them, and several records at once' "$status $(left_over)" '0 '
publish --id own 127.0.0.1:81:81
nft flush set inet portpub direct4
run publish --id web 80:80 90:81
is 'one that ends what keeps others from the container succeeds where that is lost' "$status $("$PORTPUB" check)" '0 '
del own web

publish --id first 80:80
nft 'delete element inet portpub any4 { tcp . 80 }; delete element inet portpub any6 { tcp . 80 }'
ok 'a port whose element is lost can be had by another' add --to 10.0.0.3,fd00::3 --id second 80:80
nft flush ruleset
# shellcheck disable=SC2086 # words are wanted
run add $to --id third 82:80
is 'of two that have one port since its element was removed, one can be put back: that is told' "$status $err" \
	'3 portpub: host port 0.0.0.0:80/tcp is published by first and by second, of which only one can be put back: remove the other (portpub del first, or portpub del second)'
ok 'removing one of them will do' del first
is 'and the other is back' "$("$PORTPUB" check) $("$PORTPUB" list | grep -c second)" ' 1'
del second

publish --id web 80:80
nft flush ruleset
ok 'what has no table is removed, too' del web
is 'and nothing is left' "$(left_over)" ''
finish
