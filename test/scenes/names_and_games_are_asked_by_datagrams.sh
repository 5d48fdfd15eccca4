#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A DNS server, and then one that answers as those of games do, behind publishedPorts: each answers whoever asks, however
# long the answer is, and the answer comes from the address that was asked.
. "${0%/*}/../tap.sh"
. "${0%/*}/../machine.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../scene.sh"
need_programs dig dnsmasq
cd "$tap_tmp" || exit
echo '[{"publishedAs":12000,"fromContainerPort":11000,"protocol":"udp"}]' >ports.json

# More than a packet has place for, and less than a resolver takes.
for n in $(seq 28); do
	echo "txt-record=long.test,a text that is long enough to fill what a packet has place for$(printf '%03d' "$n")"
done >"$tap_tmp/dnsmasq.conf"
serves "$container" dnsmasq --no-daemon --conf-file="$tap_tmp/dnsmasq.conf" --no-resolv --no-hosts --port=11000 --user=root \
	--address=/short.test/10.1.2.3 --edns-packet-max=4096
names=$server
until_true listens "$container" 11000 || cat "$tap_tmp/server" >&2

# query FROM ADDRESS ARGUMENT...: what dig is told there. It takes no answer from another address.
query() {
	where=$1 address=$(echo "$2" | tr -d '[]')
	if [ "$1" = 0 ]; then where=$$; fi
	shift 2
	at "$where" dig -p 12000 +tries=2 +time=2 +short +ignore +notcp "@$address" "$@"
}

for how in auto userspace; do
	publish --via $how --from ports.json
	id=${out%% *}
	is "$how: the port is told" "$out" "$id  12000:11000/udp"
	while read -r from address; do
		way=$(told "$from" "$address")
		is "$how: an address, $way" "$(query "$from" "$address" short.test A)" 10.1.2.3
		is "$how: a long answer, $way" "$(query "$from" "$address" +bufsize=4096 long.test TXT | grep -c 'text that is long')" 28
	done <<WAYS
$ways
WAYS
	is "$how: nothing answers at the container's own number" \
		"$(at "$lan" dig -p 11000 +tries=1 +time=1 +short @192.0.2.1 short.test A | grep -c 10.1.2.3)" 0
	unpublish "$id"
done
kill "$names"
wait "$names" 2>/dev/null

datagrams_at "$container" :: 11000
for how in auto userspace; do
	publish --via $how --from ports.json
	id=${out%% *}
	while read -r from address; do
		way=$(told "$from" "$address") address=$(echo "$address" | tr -d '[]')
		if [ "$from" = 0 ]; then from=$$; fi
		is "$how: small and large ones, $way" "$(burst "$from" "$address" 12000 12x20 200x20 1200x20 1472 8000 65000)" all
	done <<WAYS
$ways
WAYS
	is "$how: who asks all addresses by one socket hears from each of them" \
		"$(who "$lan" 15000 12000 192.0.2.1 10.0.0.1 2001:db8::1 fd00::1 | cut -d ' ' -f 2 | paste -sd ' ')" \
		'192.0.2.1 10.0.0.1 2001:db8::1 fd00::1'
	is "$how: also who asks from this host" \
		"$(who $$ 15000 12000 127.0.0.1 127.0.0.2 192.0.2.1 ::1 2001:db8::1 | cut -d ' ' -f 2 | paste -sd ' ')" \
		'127.0.0.1 127.0.0.2 192.0.2.1 ::1 2001:db8::1'
	is "$how: sixty players at once" "$(crowd "$lan" 192.0.2.1 12000 60)" 60
	unpublish "$id"
done
finish
