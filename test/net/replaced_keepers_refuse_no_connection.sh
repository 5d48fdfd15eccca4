#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# add --replace puts one keeper in the place of another: nobody is refused meanwhile, by neither path, and whoever is
# connected stays with the old one, which ends with the last of them.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../publish.sh"

old='--to 10.0.0.2' new='--to 10.0.0.3'
# shellcheck disable=SC2086 # words are wanted
web() { keep --id web --replace "$@" >/dev/null 2>"$tap_tmp/web" || cat "$tap_tmp/web" >&2; }
check() { run "$PORTPUB" check; }
serve "$container" 80 old
serve "$neighbour" 80 new
for proto in tcp udp; do
	talker "$container" $proto 90 old
	talker "$neighbour" $proto 90 new
done

# asks NAME URL: without end, from outside; $asking has the pids.
asks() {
	nsenter -t "$lan" -n curl -sS --max-time 60 "$2?[1-1000000]" >"$tap_tmp/asked$1" 2>"$tap_tmp/failed$1" &
	pids="$pids $!" asking="${asking:-} $!"
	until_true grep -q hello "$tap_tmp/asked$1"
}
# shellcheck disable=SC2086
{
	web $old 80:80 90:90 90:90/udp
	asks kernel http://192.0.2.1/
	asks userspace 'http://[2001:db8::1]/'
	moves=0
	for i in $(seq 20); do
		case $((i % 4)) in
		0) web $old 80:80 90:90 90:90/udp ;;
		1) web $new 80:80 90:90 90:90/udp 91:90 ;;
		2) web $old --via userspace 80:80 90:90 ;;
		3) web $new --allow 192.0.2.0/24 --allow 2001:db8::/32 80:80 90:90 90:90/udp ;;
		esac && moves=$((moves + 1))
	done
	kill $asking
	wait $asking 2>/dev/null
	is 'it moved twenty times meanwhile' "$moves" 20
	for name in kernel userspace; do
		is "no request failed: $name" "$(cat "$tap_tmp/failed$name")" ''
		ok "and they came to both: $name" test "$(grep -c old "$tap_tmp/asked$name")" -gt 10 -a "$(grep -c new "$tap_tmp/asked$name")" -gt 10
	done
	ok 'at last there is one keeper' until_true has_keepers 1
	check
	is 'check agrees' "$status $out" '0 '

	# A new one lets nobody in before it is known to stay: of a command that is killed, what it has begun is undone.
	web $old 80:80 90:90
	asking=''
	asks cut 'http://[2001:db8::1]/'
	kills=0
	for step in $(seq 1 60); do
		"$HELPERS/kill_at" "$step" "$PORTPUB" add --id web --replace $new 80:80 90:90 >/dev/null 2>&1
		[ $? != 137 ] || kills=$((kills + 1))
		"$PORTPUB" restore >/dev/null 2>&1
	done
	kill $asking
	wait $asking 2>/dev/null
	ok "killed $kills times, at as many steps" test $kills -gt 5
	is 'and no request failed' "$(cat "$tap_tmp/failedcut")" ''
	ok 'at last there is one keeper' until_true has_keepers 1

	# Who is connected, by the kernel and by the keeper.
	web $old 80:80 90:90 90:90/udp
	ok 'again' until_true has_keepers 1
	first=$(keeper web)
	tcp "$lan" 5000 192.0.2.1 90
	kernel=$connection
	mkfifo "$tap_tmp/in6"
	nsenter -t "$lan" -n "$HELPERS/talk" tcp 5006 2001:db8::1 90 <"$tap_tmp/in6" >"$tap_tmp/out5006" &
	client=$!
	pids="$pids $client"
	exec 8>"$tap_tmp/in6"
	# says6: as says, on that one.
	says6() {
		said=$(wc -l <"$tap_tmp/out5006")
		echo hello >&8
		until_true sh -c "[ \$(wc -l <'$tap_tmp/out5006') -gt $said ]"
		tail -n 1 "$tap_tmp/out5006" | sed 's/: hello//'
	}
	is 'both are of the old one' "$(says) $(says6)" 'old old'
	web $new 80:80 90:90 90:90/udp
	is 'and stay, when it is replaced' "$(says) $(says6)" 'old old'
	is 'datagrams move at once, in both' "$(udp "$lan" 5001 192.0.2.1 90) $(udp "$lan" 5001 2001:db8::1 90)" 'new new'
	is 'and new connections' "$(ask "$lan" http://192.0.2.1/) $(ask "$lan" 'http://[2001:db8::1]/')" 'hello from new, 192.0.2.2 hello from new, 10.0.0.1'
	is 'the old keeper lives for the one that it carries' "$(keepers | wc -l) $(has_ended "$first" && echo ended)" '2 '
	web $old 80:80 90:90 90:90/udp
	web $new 80:80 90:90 90:90/udp
	ok 'those between, which have none, end' until_true has_keepers 2
	is 'it carries it still' "$(says6)" old
	exec 8>&-
	release $client
	ok 'and ends with it' until_true has_ended "$first"
	is 'with its file' "$(find "$PORTPUB_RUNTIME_DIR" -path '*/kept/web/*' | wc -l) $(keepers)" "1 $(keeper web)"
	check
	is 'check agrees with that' "$status $out" '0 '

	# Rules alone in its place, and the reverse.
	connection=$kernel
	add --id web --replace $old 80:80 90:90 >/dev/null 2>&1
	is 'rules alone take its place' "$? $("$PORTPUB" list web --json | jq -c '.[0].keeper')" '0 null'
	ok 'and it ends' until_true has_keepers 0
	is 'nobody holds the port' "$(ss -Hltun)" ''
	is 'which is served by the kernel' "$(ask "$lan" http://192.0.2.1/) $(ask "$lan" 'http://[2001:db8::1]/')" 'hello from old, 192.0.2.2 curl: 7'
	is 'who was connected is' "$(says)" old
	web $new 80:80 90:90
	is 'a keeper takes their place' "$? $(keepers)" "0 $(keeper web)"
	is 'and serves the rest' "$(ask "$lan" 'http://[2001:db8::1]/') $(says)" 'hello from new, 10.0.0.1 old'
	hold $$ tcp '' 92
	everything >"$tap_tmp/before"
	run keep --id web --replace $old 80:80 92:80
	is 'a port that somebody else has is not to be had by replacing' "$status $(ask "$lan" http://192.0.2.1/)" '3 hello from new, 192.0.2.2'
	everything >"$tap_tmp/after"
	ok 'and nothing has changed' diff "$tap_tmp/before" "$tap_tmp/after"
	is 'the keeper is the same' "$(keepers)" "$(keeper web)"
}
exec 7>&-

# A publication that runs in the foreground is replaced like others, and ends.
del web
"$PORTPUB" run --to 10.0.0.2 --id web 80:80 >"$tap_tmp/runs" 2>&1 &
runs=$!
pids="$pids $runs"
until_true grep -q 80:80 "$tap_tmp/runs"
is 'one that runs is listed' "$(keeper web)" "$runs"
web --to 10.0.0.3 80:80
wait $runs
is 'it ends when it is replaced' "$? $(grep -v portpub: "$tap_tmp/runs")" '0 80:80/tcp'
is 'and leaves all to the other' "$(ask "$lan" http://192.0.2.1/) $(keepers)" "hello from new, 192.0.2.2 $(keeper web)"
"$PORTPUB" run --to 10.0.0.2 --id web --replace 80:80 >"$tap_tmp/runs" 2>&1 &
runs=$!
pids="$pids $runs"
until_true grep -q 80:80 "$tap_tmp/runs"
ok 'and the reverse' until_true has_keepers 0
is 'is served' "$(ask "$lan" http://192.0.2.1/) $(keeper web)" "hello from old, 192.0.2.2 $runs"
kill -TERM $runs
wait $runs
is 'it ends with 0, and nothing is left' "$? $(left_over)" '0 '
finish
