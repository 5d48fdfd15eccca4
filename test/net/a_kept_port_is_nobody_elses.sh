#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What add publishes its keeper holds: nobody binds it, by exactly the kernel's rules, and another add is told by whom it
# is held. What somebody has is refused before there is any effect, as is what cannot be held.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../publish.sh"

to='--to 10.0.0.2,fd00::2'
addresses='every 0.0.0.0 127.0.0.1 192.0.2.1 :: ::1 2001:db8::1'

# spec ADDRESS PROTOCOL: port 8080 there.
spec() {
	case $1 in
	every) echo "8080:80/$2" ;;
	*:*) echo "[$1]:8080:80/$2" ;;
	*) echo "$1:8080:80/$2" ;;
	esac
}
# meet ADDRESS ADDRESS: may not both be bound with the same port.
meet() {
	case $1,$2 in
	every,* | *,every) return 0 ;;
	*:*,*:*) [ "$1" = "$2" ] || [ "$1" = :: ] || [ "$2" = :: ] ;;
	*:*,* | *,*:*) return 1 ;;
	*) [ "$1" = "$2" ] || [ "$1" = 0.0.0.0 ] || [ "$2" = 0.0.0.0 ] ;;
	esac
}
# binds PROTOCOL ADDRESS PORT: somebody else has it, for a moment.
binds() {
	"$HELPERS/hold" "$1" "$(echo "$2" | sed 's/every//')" "$3" >"$tap_tmp/binds" 2>&1 &
	binder=$!
	read -r word <"$tap_tmp/binds" # a FIFO: it says something, or ends
	kill -KILL $binder 2>/dev/null
	wait $binder 2>/dev/null
	[ "$word" = ready ]
}
mkfifo "$tap_tmp/binds"
# expect WANT CLAIM COMMAND...: WANT is "meet" or "not"; what differs goes to $wrong.
expect() {
	want=$1 claim=$2
	shift 2
	if "$@" >"$tap_tmp/said" 2>&1; then have=not; else have=meet; fi
	[ $have = "$want" ] || wrong="$wrong; $claim: $(cat "$tap_tmp/said")"
}
relation() { if meet "$1" "$2"; then echo meet; else echo not; fi; }
# shellcheck disable=SC2086 # words are wanted
guest() {
	keep $to --id guest "$@" && del guest
}

for protocol in tcp udp; do
	other=udp
	[ $protocol = tcp ] || other=tcp
	wrong='' unnamed=''
	for a in $addresses; do
		# shellcheck disable=SC2086
		keep $to --id first "$(spec "$a" $protocol)" >/dev/null 2>&1 || wrong="$wrong; $a is not published"
		for b in $addresses; do
			expect "$(relation "$a" "$b")" "$b is bound beside $a" binds $protocol "$b" 8080
			expect "$(relation "$a" "$b")" "$b is published beside $a" guest "$(spec "$b" $protocol)"
			! meet "$a" "$b" || grep -q 'published by first' "$tap_tmp/said" || unnamed="$unnamed; $b: $(cat "$tap_tmp/said")"
		done
		expect not "$other beside $a" binds $other "$a" 8080
		expect not "$other is published beside $a" guest "$(spec "$a" $other)"
		del first
	done
	is "$protocol: who may bind what beside a published port is the kernel's rule" "$wrong" ''
	is "$protocol: who has it is named" "$unnamed" ''
	wrong=''
	for a in every 127.0.0.1 :: 2001:db8::1; do
		hold $$ $protocol "$(echo "$a" | sed 's/every//')" 8080
		for b in $addresses; do
			expect "$(relation "$a" "$b")" "$b is published beside $a" guest "$(spec "$b" $protocol)"
			! meet "$a" "$b" || grep -q "in use by hold (pid $holder)" "$tap_tmp/said" || unnamed="$unnamed; $b: $(cat "$tap_tmp/said")"
		done
		release "$holder"
	done
	is "$protocol: and so it is beside a port of somebody else" "$wrong" ''
	is "$protocol: who has that is named, too" "$unnamed" ''
done
is 'nobody keeps anything any more' "$(keepers)$(left_over)" ''

# refuses CLAIM STATUS WORDS SPEC...: all is as before, and nobody stays.
refuses() {
	promise=$1 want=$2 words=$3
	shift 3
	everything >"$tap_tmp/before"
	ss -Hltun >>"$tap_tmp/before"
	count=$(keepers | wc -l)
	# shellcheck disable=SC2086
	run keep $to "$@"
	everything >"$tap_tmp/after"
	ss -Hltun >>"$tap_tmp/after"
	is "$promise: exit status, and no answer" "$status $out" "$want "
	has "$promise: it says why" "$err" "$words"
	ok "$promise: nothing has changed" diff "$tap_tmp/before" "$tap_tmp/after"
	is "$promise: and nobody was left" "$(keepers | wc -l)" "$count"
}

# All, or none.
hold $$ tcp 127.0.0.1 9005 tcp 0.0.0.0 9007 tcp 0.0.0.0 9008 udp 0.0.0.0 9006
# shellcheck disable=SC2086
keep $to --id web 80:80 9100-9109:80 >/dev/null 2>&1
refuses 'a process has the last of many' 3 "9005:6/tcp: already in use by hold (pid $holder)" 100:100 101:101/udp 9000-9005:1-6
refuses 'or one of UDP' 3 "9006:1/udp: already in use by hold (pid $holder)" 100:100 9006:1/udp
refuses 'a publication has the first' 3 '80:80/tcp: already published by web' 80:80 100:100
refuses 'or one of a range' 3 '80:91/tcp: already published by web' 70-90:81-101
refuses 'every one of a pool is taken' 3 'every host port of the pool is taken' 101:101 9007-9008:80
refuses 'an address is of another host' 1 '203.0.113.9' 100:100 203.0.113.9:101:80
refuses 'an id is there already' 1 'web is published already' --id web 100:100
add --to 10.0.0.2 --id rules 9200:80 >/dev/null 2>&1
refuses 'rules alone have the port' 3 'published by rules' 100:100 9200:80
refuses 'rules alone have a port of the range' 3 'published by rules' --via userspace 9199-9201:80-82
run add --to 10.0.0.3 9100:80
is 'a keeper has a port that rules are asked for' "$status $out" '3 '
has 'which is said' "$err" 'published by web'
within='prlimit --nofile=100:100'
# shellcheck disable=SC2086
run $within "$PORTPUB" add $to 20000-20999:1-1000
is 'more ports than descriptors' "$status $out" '1 '
has 'are an error with the numbers' "$err" '1000 ports need a descriptor each, and this process may have 100'
is 'and nobody was left' "$(keepers | wc -l) $(ss -Hltn 'sport >= :20000' | wc -l)" '1 0'
# shellcheck disable=SC2086
run prlimit --nofile=100:2000 "$PORTPUB" add $to --id many 20000-20999:1-1000
is 'where the limit may be raised it is' "$status $(ss -Hltn 'sport >= :20000' | wc -l)" '0 1000'
del many

# Pools and free ports.
is 'a pool gives the first that can be bound' "$(keep --to 10.0.0.2 --id pool 9005-9010:80 2>/dev/null)" 'pool  9006:80/tcp'
is 'and the next one after it' "$(keep --to 10.0.0.2 --id next 9005-9010:80 2>/dev/null)" 'next  9009:80/tcp'
is 'rules alone are passed over' "$(keep --to 10.0.0.2 --id third 9200-9201:80 2>/dev/null)" 'third  9201:80/tcp'
keep --to 10.0.0.2,fd00::2 --id free 80 81/udp 82 >"$tap_tmp/free" 2>/dev/null
is 'free ports are told' "$(grep -cE '^free  [0-9]+:8[0-2]/(tcp|udp)$' "$tap_tmp/free")" 3
port=$(sed -n 's/^free  \([0-9]*\):80.*/\1/p' "$tap_tmp/free")
is 'and held by the keeper' "$(ss -Hltnp "sport = :$port" | grep -c "pid=$(keeper free),")" 1
serve "$container" 80 container
is 'and lead to the container' "$(ask "$lan" "http://192.0.2.1:$port/")" 'hello from container, 192.0.2.2'
is 'in both families' "$(ask "$lan" "http://[2001:db8::1]:$port/")" 'hello from container, 2001:db8::2'
range=$(cat /proc/sys/net/ipv4/ip_local_port_range)
hold $$ tcp '' 9300 tcp '' 9301
echo 9300 9301 >/proc/sys/net/ipv4/ip_local_port_range
run keep --to 10.0.0.2 80
is 'where none is free, it says so' "$status $out$err" \
	'3 portpub: 80/tcp: no free port was found in net.ipv4.ip_local_port_range'
echo "$range" >/proc/sys/net/ipv4/ip_local_port_range
release "$holder"
is 'check agrees' "$("$PORTPUB" check)" ''

# SCTP, which not every kernel has: then it is left to the rules, and a free port cannot be told.
if grep -q '^SCTP ' /proc/net/protocols; then
	skip 'without SCTP the rules carry it' 'this kernel has it'
	skip 'and a free port is an error' 'this kernel has it'
else
	run keep --to 10.0.0.2 --id sctp 9:9/sctp
	is 'without SCTP the rules carry it' "$status $(nft list map inet portpub any4 | grep -c 'sctp . 9 ')" '0 1'
	del sctp
	run keep --to 10.0.0.2 --id sctp 9/sctp
	is 'and a free port is an error' "$status $out" '1 '
fi
run del --all
is 'nothing is left' "$status $(keepers)$(left_over)" '0 '

# Where there is no room for records, or for the keeper's file beside them.
mount -t tmpfs -o size=256k none "$PORTPUB_RUNTIME_DIR"
keep --to 10.0.0.2 --id web 80:80 >/dev/null 2>&1
filled=0
while dd if=/dev/zero of="$PORTPUB_RUNTIME_DIR/$filled" bs=4096 count=1 2>/dev/null; do filled=$((filled + 1)); done
run keep --to 10.0.0.2 --id late 90:90
has 'a full file system has room for no record' "$status $err" '1 portpub: cannot write'
rm "$PORTPUB_RUNTIME_DIR/0"
run keep --to 10.0.0.2 --id late 90:90
is 'or for no keeper' "$status $err" "1 portpub: cannot make room for the keeper's file: No space left on device"
run "$PORTPUB" run --to 10.0.0.2 --id late 90:90
is 'also in the foreground' "$status $err" "1 portpub: cannot make room for the keeper's file: No space left on device"
rm "$PORTPUB_RUNTIME_DIR"/[1-9]
is 'then nothing has been done' "$("$PORTPUB" check 2>&1)$(keepers | wc -l)" 1
run keep --to 10.0.0.2 --id late 90:90
is 'with room it is' "$status $(keepers | wc -l)" '0 2'
run del --all
is 'in the end nothing is left' "$status $(keepers)$(left_over)" '0 '
umount "$PORTPUB_RUNTIME_DIR"
finish
