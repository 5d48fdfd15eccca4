#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# An element that somebody removes by hand leaves a place, which another publication may get, or somebody fills by
# hand. What stands there then is not the first one's: it stays when that goes, and is told. What is lost is put
# back by publishing the same again.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../publish.sh"

# shellcheck disable=SC2086 # words are wanted
publish() { add $to "$@" >/dev/null 2>&1; }
take() { add --to 10.0.0.3 "$@" >/dev/null 2>&1; }
check() { run "$PORTPUB" check; }
element() { nft "$1 element inet portpub $2 { $3 }"; }
of() { nft list map inet portpub any4 | grep -o 'comment "[^"]*"' | sort | uniq -c | sed 's/^ *//; s/comment //' | paste -sd ' '; }
to='--to 10.0.0.2'
serve "$neighbour" 80 other

publish --id web 80:80/tcp 81:81
element delete any4 'tcp . 80'
ok 'the place of what is lost may be taken' take --id other 80:80
run del web
is 'del of the first succeeds' "$status" 0
is 'and tells what it leaves' "$(echo "$err" | grep -c 'left in the kernel: any4 tcp . 80, which is not of web but of other$')" 1
is 'which answers' "$(ask "$lan" http://192.0.2.1/)" 'hello from other, 192.0.2.2'
is 'the rest is gone' "$(of)" '1 "other"'
check
is 'and check is content' "$status $out" '0 '

publish --id web 82-84:82-84
for port in 82 83; do element delete any4 "tcp . $port"; done
element add any4 'tcp . 82 : 10.0.0.2 . 99'
element add any4 'tcp . 83 : 10.0.0.3 . 83'
run del web
is 'what somebody has put there stays, too, wherever it leads, and is told once' \
	"$status $(echo "$err" | grep -c left) $(echo "$err" | sed -n 's/.*left in the kernel/left/p')" \
	'0 1 left: any4 tcp . 82, which is not of web but of somebody else (and 1 more)'
is 'both are there' "$(nft list map inet portpub any4 | grep -c 'tcp . 8[23] counter')" 2
for port in 82 83; do element delete any4 "tcp . $port"; done
publish --id web 82:82
element delete any4 'tcp . 82'
element add any4 'tcp . 82 comment "web" : 10.0.0.9 . 99'
run del web
is 'what has its id is its own, wherever it leads' "$status $(of)" '0 1 "other"'
publish --id web 82:82
element delete any4 'tcp . 82'
element add any4 'tcp . 82 : 10.0.0.2 . 82'
run del web
is 'and so is what has none, and leads where it did' "$status $(of) $(nft list map inet portpub any4 | grep -c counter.packets)" '0 1 "other" 1'

# Many of them: the first, the last and some between.
publish --id web 1000-1399:1000-1399
for port in 1000 1063 1064 1065 1200 1399; do element delete any4 "tcp . $port"; done
for port in 1000 1064 1399; do take --id "other$port" $port:80; done
run del web
is 'of many, what others have stays' "$status $(of)" '0 1 "other" 1 "other1000" 1 "other1064" 1 "other1399"'
has 'and they are counted' "$err" 'but of other1000 (and 2 more)'
del other1000 other1064 other1399

# To publish the same again puts back what is lost, and no more than that.
to='--to 10.0.0.2,fd00::2'
# shellcheck disable=SC2086 # words are wanted, or none
same() { publish --id web --allow 192.0.2.0/24 --allow 2001:db8::/32 $replace 90:90 127.0.0.1:91:91 95-98:95-98/udp; }
replace=
same
replace=--replace
sorted() { tr ',' '\n' <"$1" | sed 's/elements = {//; s/ }$//' | tr -d ' \t' | sort; }
kernel >"$tap_tmp/whole"
lost() {
	claim=$1
	shift
	while [ $# -gt 0 ]; do
		element delete "$1" "$2"
		shift 2
	done
	ok "$claim: it is published again" same
	kernel >"$tap_tmp/again"
	is "$claim: what is lost is there again" "$(sorted "$tap_tmp/whole" | tr -d '"')" "$(sorted "$tap_tmp/again" | tr -d '"')"
	check
	is "$claim: and check is content" "$status $out" '0 '
}
lost 'nothing'
lost 'a port' any4 'tcp . 90'
lost 'some of a range' any4 'udp . 95' any6 'udp . 96' any4 'udp . 98'
lost 'a network' admit4 'tcp . 0.0.0.0/0 . 90 . 192.0.2.0/24' admit6 'tcp . ::/0 . 90 . 2001:db8::/32'
lost 'an allow list' closed4 'tcp . 0.0.0.0/0 . 90' closed6 'udp . ::/0 . 95'
lost 'what is shared' hairpin '"br0" . "br0"' own6 'fd00::2 . fd00::2' direct4 'tcp . 10.0.0.2 . 91'
element delete any4 'tcp . 90'
element add any4 'tcp . 90 comment "web" : 10.0.0.9 . 99'
lost 'a port that leads elsewhere'
element delete any4 'tcp . 90'
take --id taker 90:90
everything >"$tap_tmp/before"
# shellcheck disable=SC2086
run add $to --id web --replace 90:90
is 'what another has taken is not to be had back' "$status" 3
has 'and it is named' "$err" 'already published by taker'
everything >"$tap_tmp/after"
ok 'all is as it was' diff "$tap_tmp/before" "$tap_tmp/after"
element delete any4 'udp . 95'
take --id taker --replace 192.0.2.1:95:95/udp
# shellcheck disable=SC2086
run add $to --id web --replace 95:95/udp
is 'nor by another address' "$status" 3
del taker
ok 'once that is gone it is' same
run del web other
is 'in the end nothing is left' "$status $(left_over)" '0 '
finish
