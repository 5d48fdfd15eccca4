#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A flow of UDP stays for as long as either side says something, and --udp-timeout longer.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../forward.sh"

datagrams_at "$container" :: 7000
# sources: how many ports datagrams have come from since the last call.
sources() {
	sed -n "$((${seen:-1} + 1)),\$p" "$tap_tmp/from" | sort -u | wc -l
	seen=$(wc -l <"$tap_tmp/from")
}

forward --to 10.0.0.2 --udp-timeout 300ms 7000:7000/udp
before=$(descriptors "$engine")
burst "$lan" 192.0.2.1 7000 10 >"$tap_tmp/ignored"
comes_to flows_open 0
is 'a flow that is silent ends' "$(counted flows flows_open evicted)" ' flows 1 flows_open 0 evicted 0'
is 'its descriptor is closed' "$(descriptors "$engine")" "$before"
sources >"$tap_tmp/ignored"
drip "$lan" 192.0.2.1 7000 12 100
is 'one whose client alone sends stays' "$(counted flows) $(sources)" ' flows 2 1'
comes_to flows_open 0
is 'one whose container alone sends stays' "$(listen "$lan" 192.0.2.1 7000 12 100)" 12
is 'and is one' "$(counted flows)" ' flows 3'
stop

forward --to 10.0.0.2 --udp-timeout 0 7000:7000/udp
burst "$lan" 192.0.2.1 7000 10 >"$tap_tmp/ignored"
sleep 0.3
is 'with a time of 0 it stays' "$(counted flows flows_open)" ' flows 1 flows_open 1'
stop

# SIGUSR1: who is there is served, nobody else is; UDP is not waited for.
answering "$container" 3000 say:hello hear:3 end
forward --to 10.0.0.2 7000:7000/udp 4000:3000
first=$(who "$lan" 9000 7000 192.0.2.1)
at "$lan" "$HELPERS/wire" 192.0.2.1 4000 hear:5 wait:"$tap_tmp/go" say:bye end >"$tap_tmp/client" &
client=$!
comes_to open 1
kill -USR1 "$engine"
until_true sh -c "! nsenter -t $lan -n '$HELPERS/datagrams' ask 9001 7000 192.0.2.1 | grep -q 192"
is 'who was there before the end is served' "$(who "$lan" 9000 7000 192.0.2.1)" "$first"
is 'who comes then is not' "$(who "$lan" 9001 7000 192.0.2.1)" lost
touch "$tap_tmp/go"
wait "$client"
wait "$engine"
is 'flows are not waited for' $? 0
finish
