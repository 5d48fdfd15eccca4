#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What an operator publishes with a keeper and what a CNI runtime adds have the same host ports to share, and the same
# commands know of both.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../publish.sh"
. "${0%/*}/../cni.sh"

serve "$container" 80 web
serve "$neighbour" 80 other
answer() { ask "$lan" "http://192.0.2.1:$1/" | cut -d, -f1; }
# attach [CONTAINER [NETNS]]: the neighbour, as CONTAINER.
attach() { run cni ADD "${1-other}" eth0 "${2-/proc/$neighbour/ns/net}"; }
ips='{"interface": 1, "address": "10.0.0.3/24"}'

# What a keeper holds is refused, whether the kernel knows of it or not.
keep --to 10.0.0.2 --id web 8080:80 8083:80 >/dev/null 2>&1
keep --to 10.0.0.2 --id alone --via userspace 127.0.0.1:8081:80 8084-8086:80-82 >/dev/null 2>&1
keep --to 10.0.0.2 --id six '[::1]:8082:80' >/dev/null 2>&1
everything >"$tap_tmp/before"
while IFS='|' read -r claim port address owner; do
	ports="$(mapping 9090 80), $(mapping "$port" 80 tcp "$address")"
	attach
	is "$claim: ADD fails" "$status $(code)" '1 999'
	has "$claim: and names it" "$(message)" "$port/tcp is already published by $owner"
done <<-LIST
	with rules|8080||web
	with rules, at an address|8080|192.0.2.1|web
	without rules|8081||alone
	without rules, in a range|8085|192.0.2.1|alone
LIST
everything | diff "$tap_tmp/before" - >"$tap_tmp/diff"
is 'nothing has changed' "$(cat "$tap_tmp/diff")" ''
ports="$(mapping 8082 80), $(mapping 8081 80 tcp 192.0.2.1)"
attach
is 'an address or a family that it has not is to be had' "$status $(answer 8081) $(answer 8082)" '0 hello from other hello from other'
is 'and what was there goes on' "$(ask 0 http://127.0.0.1:8081/) $(ask 0 'http://[::1]:8082/')" 'hello from web, 10.0.0.1 hello from web, 10.0.0.1'

ports="$(mapping 8080 80), $(mapping 8085 80), $(mapping 9090 80)"
keys='"onConflict": "keep"'
attach
is 'keep: it stays with the keeper' "$status $(answer 8080) $(answer 9090)" '0 hello from web hello from other'
ips='{"interface": 1, "address": "fd00::3/64"}' ports="$(mapping 8080 80 tcp ::), $(mapping 9091 80)"
attach six
is 'so does IPv6, which its keeper alone carries' "$status $(ask "$lan" 'http://[2001:db8::1]:8080/' | cut -d, -f1) $(ask "$lan" 'http://[2001:db8::1]:9091/' | cut -d, -f1)" '0 hello from web hello from other'
cni DEL six
ips='{"interface": 1, "address": "10.0.0.3/24"}' ports="$(mapping 8080 80), $(mapping 8085 80), $(mapping 9090 80)"
keys='"onConflict": "replace"'
attach
is 'replace: it is taken, and the rest is kept' "$status $(answer 8080) $(answer 8085) $(answer 8084) $(answer 8083)" \
	'0 hello from other hello from other hello from web hello from web'
keys=
is 'who tells whose it is' "$("$PORTPUB" who 8080 --json | jq -r '.[].publication.id' | cut -c1-9)" cni-other
is 'and check agrees' "$("$PORTPUB" check 2>&1)" ''
del web alone six 2>/dev/null
is 'no keeper stays' "$(until_true has_keepers 0 && keepers | wc -l)" 0

# What was added is refused to keepers.
for via in auto userspace; do
	run keep --to 10.0.0.2 --id web --via $via 8080:80
	is "$via: a port that was added is taken" "$status" 3
	has "$via: it is named" "$err" 'published by cni-other-'
	is "$via: nobody keeps it" "$(keepers | wc -l)" 0
done
keys='"conditionsV4": ["-s", "192.0.2.0/24"]'
attach
run keep --to 10.0.0.2 --id web --via userspace 192.0.2.1:8080:80
is 'one with conditions, too' "$status" 3
keys=

# The same commands.
run cni DEL other
ports="$(mapping 8080 80), $(mapping 9090 80)"
attach
id=$("$PORTPUB" list --json | jq -r '.[].id')
is 'list has it' "$("$PORTPUB" list --json | jq -r '.[] | .container, .keeper, .publications[].host_port' | tr '\n' ' ')" 'other null 8080 9090 '
ask "$lan" http://192.0.2.1:8080/ >/dev/null
has 'metrics have it' "$("$PORTPUB" metrics)" "portpub_ports{id=\"$id\"} 2"
has 'and its connections' "$("$PORTPUB" metrics)" "portpub_kernel_connections_total{id=\"$id\"} 1"
has 'and its container' "$("$PORTPUB" metrics)" "portpub_info{id=\"$id\",container=\"other\"} 1"
nft delete element inet portpub any4 '{ tcp . 8080 }'
run "$PORTPUB" restore
is 'restore puts back what it lacks' "$status $out $(answer 8080)" '0 put back: 1 element hello from other'
ok 'del takes one port of it' del 8080:80
is 'and leaves the other' "$(answer 8080 | sed 's/curl.*/nobody/') $(answer 9090)" 'nobody hello from other'
run cni DEL other
is 'DEL takes the rest' "$status $(left_over)" '0 '
attach
ok 'del takes all of it' del "$id"
run cni DEL other
is 'and DEL finds nothing to do' "$status $out$err" '0 '

# The container's networks: whoever is removed, the other has the ports.
network=a
attach
network=b ips='{"interface": 1, "address": "10.0.0.2/24"}'
attach
is 'the first network has the ports' "$(answer 8080)" 'hello from other'
ok 'del of the first' del 9090:80
is 'gives the second what was removed' "$(answer 8080) $(answer 9090)" 'hello from other hello from web'
ok 'and of all of it' del "$("$PORTPUB" who 8080 --json | jq -r '.[].publication.id')"
is 'the rest' "$(answer 8080) $(answer 9090)" 'hello from web hello from web'
network=a ips='{"interface": 1, "address": "10.0.0.3/24"}'
del --all
is 'nothing is left' "$(left_over)" ''

# gc: the network namespace is gone, or another one.
touch "$tap_tmp/netns"
mount --bind "/proc/$neighbour/ns/net" "$tap_tmp/netns"
attach dead "$tap_tmp/netns"
ports=$(mapping 7070 80)
attach other
run "$PORTPUB" gc
is 'gc leaves what has its network namespace' "$status $("$PORTPUB" list --json | jq length)" '0 2'
umount "$tap_tmp/netns"
mount --bind "/proc/$container/ns/net" "$tap_tmp/netns"
run "$PORTPUB" gc
umount "$tap_tmp/netns"
has 'gc removes what has another one by now' "$out$err" 'removed cni-dead-'
is 'and nothing else' "$status $(answer 7070) $("$PORTPUB" list --json | jq length)" '0 hello from other 1'
run cni DEL other

# A keeper that finds the table gone puts back all of it, from its sandbox.
keep --to 10.0.0.2 --id web 8080:80 >/dev/null 2>&1
keys='"conditionsV4": ["!", "-s", "192.0.2.0/24", "-i", "br0"], "masqAll": true' ports=$(mapping 7070 80)
attach
nft -s list table inet portpub >"$tap_tmp/before"
nft delete table inet portpub
is_clean() { "$PORTPUB" check >/dev/null 2>&1; }
until_true is_clean
nft -s list table inet portpub | diff "$tap_tmp/before" - >"$tap_tmp/diff"
is 'a keeper puts back what a CNI runtime has added, too' "$status $(cat "$tap_tmp/diff")" '0 '
is 'conditions and masquerade included' "$(ask "$lan" http://192.0.2.1:7070/) $(ask "$container" http://10.0.0.1:7070/)" 'curl: 7 hello from other, 10.0.0.1'
run cni DEL other
del web
keys=

# STATUS: what keeps is put back, too, and nobody waits for what it has begun.
version=1.1.0
keep --to 10.0.0.2 --id web 8080:80 >/dev/null 2>&1
kill_keeper web
config >"$tap_tmp/config"
status_of() { CNI_COMMAND=STATUS CNI_PATH=/nowhere timeout 20 "$PORTPUB" <"$tap_tmp/config" | cat; } # until the last one has closed it
run status_of
is 'STATUS begins a keeper in the place of one that was killed' "$status $out $(keepers | wc -l)" '0  1'
del web
is 'nothing is left at all' "$(left_over)" ''
finish
