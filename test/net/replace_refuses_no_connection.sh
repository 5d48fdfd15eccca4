#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# add --replace puts a container in the place of another: no client is refused meanwhile, TCP stays where it is,
# UDP moves at once, and who is no longer allowed is cut off.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../publish.sh"

old='--to 10.0.0.2,fd00::2' new='--to 10.0.0.3,fd00::3'
# shellcheck disable=SC2086,SC2120 # words are wanted
web() { add --id web --replace "$@" >/dev/null 2>&1; }
check() { run "$PORTPUB" check; }
serve "$container" 80 old
serve "$neighbour" 80 new
for proto in tcp udp; do
	talker "$container" $proto 90 old
	talker "$neighbour" $proto 90 new
done

# shellcheck disable=SC2086
{
	ok 'an id that is not published is added' web $old 80:80 90:90 90:90/udp
	is 'and answers' "$(ask "$lan" http://192.0.2.1/)" 'hello from old, 192.0.2.2'
	# In both families, from outside, a connection for each request.
	for address in 192.0.2.1 '[2001:db8::1]'; do
		nsenter -t "$lan" -n curl -sS --max-time 20 "http://$address/?[1-100000]" >"$tap_tmp/asked$address" 2>"$tap_tmp/failed$address" &
		pids="$pids $!"
		asking="${asking:-} $!"
	done
	until_true grep -q old "$tap_tmp/asked192.0.2.1"
	moves=0
	for i in $(seq 40); do
		if [ $((i % 2)) = 1 ]; then web $new 80:80 90:90 90:90/udp; else web $old 80:80 90:90 90:90/udp; fi && moves=$((moves + 1))
	done
	kill $asking
	wait $asking 2>/dev/null
	is 'it moved forty times meanwhile' "$moves" 40
	for address in 192.0.2.1 '[2001:db8::1]'; do
		is "no request of many to $address failed" "$(cat "$tap_tmp/failed$address")" ''
		ok "there were hundreds of them, to both" \
			test "$(grep -c old "$tap_tmp/asked$address")" -gt 100 -a "$(grep -c new "$tap_tmp/asked$address")" -gt 100
		is 'and every answer was one of theirs' "$(grep -cv '^hello from \(old\|new\), \(192.0.2.2\|2001:db8::2\)$' \
			"$tap_tmp/asked$address")" 0
	done

	# Established TCP stays; UDP moves, also of a client that goes on from the same port.
	tcp "$lan" 5000 192.0.2.1 90
	is 'before, both go to the old one' "$(says) $(udp "$lan" 5001 192.0.2.1 90) $(udp "$lan" 5001 2001:db8::1 90)" 'old old old'
	web $new 80:80 90:90 90:90/udp
	is 'TCP that is established stays' "$(says)" old
	is 'UDP moves at once' "$(udp "$lan" 5001 192.0.2.1 90) $(udp "$lan" 5001 2001:db8::1 90)" 'new new'
	is 'UDP of the host itself, too' "$(udp $$ 5001 192.0.2.1 90)" new
	is 'and so do new connections' "$(ask "$lan" http://192.0.2.1/)" 'hello from new, 192.0.2.2'
	check
	is 'check agrees' "$status $out" '0 '
	web $old 80:80 90:90 90:90/udp
	is 'TCP that was there all the time still is' "$(says)" old

	# Ports that change.
	web $old 81:80 90:90/udp
	is 'a port that is not in it any longer is closed' "$(ask "$lan" http://192.0.2.1/)" 'curl: 7'
	is 'the one in its place answers' "$(ask "$lan" http://192.0.2.1:81/)" 'hello from old, 192.0.2.2'
	is 'a connection of the port that went is cut off' "$(says)" closed
	is 'what it holds is what it was replaced by' "$("$PORTPUB" list web --json | jq -c '[.[].publications[] | .host_port]')" '[81,90]'
	add $new --id other 80:80 >/dev/null 2>&1
	run add $old --id web --replace 82:80 80:80
	is 'a port of another is not to be had by replacing either' "$status" 3
	has 'and its holder is named' "$err" 'is already published by other'
	is 'it stays as it was' "$(ask "$lan" http://192.0.2.1:81/) $(ask "$lan" http://192.0.2.1:82/)" \
		'hello from old, 192.0.2.2 curl: 7'
	check
	is 'check agrees with that' "$status $out" '0 '
	del other

	# Who may connect.
	web $old 80:80 90:90 90:90/udp
	exec 7>&-
	tcp "$lan" 5002 192.0.2.1 90
	is 'everybody may' "$(says) $(udp "$lan" 5003 192.0.2.1 90) $(udp "$neighbour" 5003 10.0.0.1 90)" 'old old old'
	web $old --allow 10.0.0.0/24 80:80 90:90 90:90/udp
	is 'who is no longer allowed is cut off' "$(says) $(udp "$lan" 5003 192.0.2.1 90) $(ask "$lan" http://192.0.2.1/)" \
		'lost lost curl: 28'
	is 'a list of one family denies the other' "$(ask "$lan" 'http://[2001:db8::1]/')" 'curl: 28'
	is 'who is stays connected' "$(udp "$neighbour" 5003 10.0.0.1 90)" old
	is 'and the host itself' "$(ask 0 http://192.0.2.1/)" 'hello from old, 192.0.2.1'
	web $old --allow 192.0.2.0/30 --allow 10.0.0.0/24 80:80 90:90 90:90/udp
	is 'who is allowed again may connect' "$(udp "$lan" 5003 192.0.2.1 90) $(ask "$lan" http://192.0.2.1/)" \
		'old hello from old, 192.0.2.2'
	check
	is 'and check agrees with lists, too' "$status $out" '0 '
}
run add --to 10.0.0.2 --replace 80:80
is 'what is replaced has to be named' "$status" 2
run del web
is 'in the end nothing is left' "$status $(left_over)" '0 '
finish
