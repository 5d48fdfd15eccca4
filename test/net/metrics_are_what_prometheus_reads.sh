#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# metrics prints the text that Prometheus reads, and its numbers are those of list --json.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../publish.sh"

metrics() { "$PORTPUB" metrics; }
# faults: what is not the format: a sample of a metric that has no heading right before it, a heading twice, a name or a
# value that is none.
faults() {
	metrics | awk '
		/^# HELP / { if (seen[$3]++ || NF < 4) print "heading: " $0; name = $3; next }
		/^# TYPE / { if ($3 != name || ($4 != "counter" && $4 != "gauge") || ($4 == "counter") != ($3 ~ /_total$/)) print "type: " $0; typed = $3; next }
		{
			split($0, part, /[{ ]/)
			if (part[1] != name || typed != name) print "no heading: " $0
			if ($0 !~ /^[a-z_]+\{([a-z_]+="([^"\\]|\\["\\n])*",?)*\} [0-9]+$/) print "sample: " $0
			if (sample[$1]++) print "twice: " $0
		}'
}
# value METRIC LABELS
value() { metrics | grep -F "portpub_$1{$2} " | sed 's/.* //'; }

run "$PORTPUB" metrics
is 'with nothing published there is no sample' "$status $(echo "$out" | grep -vc '^#') $(faults)" '0 0 '
serve "$container" 80 container
serve_udp "$container" 80 container
keep --to 10.0.0.2 --id web 80:80 80:80/udp 1000-1009:1000-1009 >/dev/null 2>&1
add --to 10.0.0.2 --id rules 90:80 >/dev/null 2>&1
keep --to 10.0.0.2 --id dead 91:80 >/dev/null 2>&1
kill_keeper dead
for _ in 1 2 3; do
	ask "$lan" http://192.0.2.1/ >/dev/null
	ask "$lan" 'http://[2001:db8::1]/' >/dev/null
done
ask "$lan" http://192.0.2.1:90/ >/dev/null
ask_udp "$lan" 2001:db8::1 80 >/dev/null
ask "$lan" 'http://[2001:db8::1]:1000/' >/dev/null
is 'every sample has its heading, and is one' "$(faults)" ''
is 'what is published' "$(value info 'id="web",container=""') $(value ports 'id="web"') $(value ports 'id="rules"')" '1 12 1'
is 'what the kernel has translated' "$(value kernel_connections_total 'id="web"') $(value kernel_connections_total 'id="rules"')" '3 1'
is 'who keeps it' "$(value keeper_up 'id="web"') $(value keeper_up 'id="dead"') $(value keeper_up 'id="rules"')" '1 0 '
is 'what the keeper has carried' "$(value userspace_connections_total 'id="web"') $(value userspace_refused_total 'id="web"') $(value userspace_flows_total 'id="web"')" '4 1 1'
is 'and both ways' "$(value userspace_datagrams_total 'id="web",from="clients"') $(value userspace_datagrams_total 'id="web",from="container"')" '1 1'
is 'nothing has been put back' "$(value restores_total 'id="web"')" 0
nft delete table inet portpub
until_true nft list table inet portpub
counted() { [ "$(value restores_total 'id="web"')" = 1 ]; }
ok 'how often the keeper has put back is counted' until_true counted
is 'of one that has been killed nothing is known' "$(metrics | grep -c 'userspace.*id="dead"')" 0
"$PORTPUB" list --json >"$tap_tmp/list"
metrics >"$tap_tmp/metrics"
jq -r '.[] | select(.keeper.counters) | .id as $id | .keeper.counters | to_entries[] | if (.value | type) == "array" then
	"\(.key) id=\"\($id)\",from=\"clients\" \(.value[0])", "\(.key) id=\"\($id)\",from=\"container\" \(.value[1])"
	else "\(.key) id=\"\($id)\" \(.value)" end' "$tap_tmp/list" | sort >"$tap_tmp/listed"
sed -n 's/^portpub_userspace_\([a-z_]*\){\(.*\)} \([0-9]*\)$/\1 \2 \3/p' "$tap_tmp/metrics" | sed 's/_total / /' | sort >"$tap_tmp/told"
is 'each number of list is there, and no other' "$(diff "$tap_tmp/listed" "$tap_tmp/told")" ''
is 'the counters are many' "$(wc -l <"$tap_tmp/listed")" 14
ln -s "$(command -v sleep)" "$tap_tmp/a\"b\\c"
nsenter -t "$neighbour" -n "$tap_tmp/a\"b\\c" 300 &
odd=$!
pids="$pids $odd"
until_true sh -c "[ \"\$(readlink /proc/$odd/ns/net)\" = \"\$(readlink /proc/$neighbour/ns/net)\" ] && grep -q b '/proc/$odd/comm'"
keep --pid $odd --id odd 92:80 >/dev/null 2>&1
is 'what would end a label is escaped' "$(metrics | grep 'info.*odd') $(faults)" 'portpub_info{id="odd",container="a\"b\\c"} 1 '
run "$PORTPUB" metrics extra
is 'it takes nothing' "$status $out" '2 '
run sh -c "'$PORTPUB' metrics >/dev/full"
is 'an answer that cannot be written is an error' "$status" 1
del --all
is 'and in the end there is nothing' "$(metrics | grep -vc '^#') $(left_over)" '0 '
finish
