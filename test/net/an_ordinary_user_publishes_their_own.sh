#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Whoever has no rights publishes a container of their own: in userspace, with records below XDG_RUNTIME_DIR.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../publish.sh"

unshare -U --map-user=1000 --map-group=1000 sleep 300 &
user=$!
pids="$pids $user"
until_true grep -q 1000 "/proc/$user/uid_map"
mkdir "$tap_tmp/user"
ordinary="nsenter -t $user -U --preserve-credentials env -u PORTPUB_RUNTIME_DIR XDG_RUNTIME_DIR=$tap_tmp/user"
# shellcheck disable=SC2086 # words are wanted
as_user() { $ordinary "$@"; }
# shellcheck disable=SC2086
nsenter -t $user -U --preserve-credentials unshare -Urn sleep 300 & # not by a function: the pid must be its own
theirs=$!
pids="$pids $theirs"
until_true sh -c "[ \"\$(readlink /proc/$theirs/ns/net)\" != \"\$(readlink /proc/self/ns/net)\" ]"
until_true nsenter -t "$theirs" -U -n --preserve-credentials ip link set lo up
nsenter -t "$theirs" -U -n --preserve-credentials "$HELLO" 3000 theirs >"$tap_tmp/theirs" &
pids="$pids $!"
nsenter -t "$theirs" -U -n --preserve-credentials "$HELPERS/talk" serve udp 3000 theirs >"$tap_tmp/theirs.udp" &
pids="$pids $!"
until_true grep -q ready "$tap_tmp/theirs"
until_true grep -q ready "$tap_tmp/theirs.udp"
users_keepers() { pgrep -x portpub-keeper | while read -r pid; do if grep -qsz "^XDG_RUNTIME_DIR=$tap_tmp/user\$" "/proc/$pid/environ"; then echo "$pid"; fi; done; }
# shellcheck disable=SC2046,SC2086
trap 'kill -KILL $(users_keepers) $(keepers) 2>/dev/null; kill $pids 2>/dev/null; wait $pids 2>/dev/null; rm -rf "$tap_tmp"' EXIT
to="--pid $theirs --to 127.0.0.1"

is 'an ordinary user has no rights at all' "$(as_user grep CapEff /proc/self/status)" "$(printf 'CapEff:\t%016x' 0)"
# shellcheck disable=SC2086
run as_user "$PORTPUB" add $to --id web 4000:3000 4000:3000/udp
is 'they publish a container of their own' "$status $out" '0 web  4000:3000/tcp
web  4000:3000/udp'
has 'and are told by which path' "$err" 'all of it is forwarded in userspace: rules need CAP_NET_ADMIN'
is 'it is served' "$(ask "$lan" http://192.0.2.1:4000/) $(ask 0 'http://[::1]:4000/') $(udp "$lan" 5000 192.0.2.1 4000)" \
	'hello from theirs, 127.0.0.1 hello from theirs, 127.0.0.1 theirs'
run as_user "$PORTPUB" list --json
is 'and listed' "$status $(echo "$out" | jq -c '[.[0].id, (.[0].keeper.pid | type), ([.[0].paths[].path] | unique), .[0].keeper.counters.connections]')" \
	'0 ["web","number",["userspace"],2]'
keeper=$(echo "$out" | jq '.[0].keeper.pid')
is 'the records are theirs' "$(find "$tap_tmp/user/portpub" -name web.json | wc -l) $(find "$tap_tmp/user/portpub" -path '*/kept/web/1' | wc -l)" '1 1'
is 'and nobody else'"'"'s' "$(find "$PORTPUB_RUNTIME_DIR" 2>/dev/null | wc -l) $(nft list ruleset)" '0 '
is 'the keeper has no rights here' "$(nsenter -t $user -U --preserve-credentials grep -E '^(Uid|NoNewPrivs)' "/proc/$keeper/status" | head -n 1 | tr '\t' ' ')" 'Uid: 1000 1000 1000 1000'
run as_user "$PORTPUB" check
is 'check agrees, though the rules are not theirs to see' "$status $out$err" '0 '
echo '{"cniVersion": "1.1.0", "name": "net"}' >"$tap_tmp/network"
run as_user env CNI_COMMAND=STATUS CNI_PATH=/nowhere "$PORTPUB" <"$tap_tmp/network"
is 'which does not mean that a CNI plugin could publish' "$status $(echo "$out" | jq .code)" '1 50'
# shellcheck disable=SC2086
run as_user "$PORTPUB" add $to --id other 4000:3000
is 'a port that they have is told by its name' "$status $err" '3 portpub: 4000:3000/tcp: already published by web (pid '"$theirs"')'
run as_user "$PORTPUB" who 4000/tcp
has 'by who, too' "$out" 'published by web'
# shellcheck disable=SC2086
run as_user "$PORTPUB" add $to --id low 80:3000
is 'a port for root is refused' "$status $out $err" '4  portpub: port 80 is for root: sysctl net.ipv4.ip_unprivileged_port_start=80 would allow it'
echo 80 >/proc/sys/net/ipv4/ip_unprivileged_port_start
# shellcheck disable=SC2086
run as_user "$PORTPUB" add $to --id low 80:3000
is 'and is to be had with it' "$status $(ask "$lan" http://192.0.2.1/)" '0 hello from theirs, 127.0.0.1'
# shellcheck disable=SC2086
run as_user "$PORTPUB" add $to --via kernel 4001:3000
is 'rules are not theirs to make' "$status $out" '4 '
# shellcheck disable=SC2086
run as_user "$PORTPUB" add $to --no-keeper 4001:3000
is 'nor without a keeper' "$([ "$status" != 0 ] && echo refused) $out" 'refused '
# shellcheck disable=SC2086
run as_user "$PORTPUB" add --pid "$container" 4001:80
is 'nor is a container of others' "$status $out" '4 '
# shellcheck disable=SC2086
run as_user env -u XDG_RUNTIME_DIR "$PORTPUB" add $to 4001:3000
is 'without a place for records it says so' "$status $out $err" \
	'1  portpub: no place for records: XDG_RUNTIME_DIR is not set, nor is PORTPUB_RUNTIME_DIR'
is 'and nothing was begun by any of these' "$(users_keepers | wc -l)" 2
# shellcheck disable=SC2086
run as_user "$PORTPUB" add $to --id web --replace 4000:3000 4002:3000
is 'they replace it' "$status $(ask "$lan" http://192.0.2.1:4002/) $(udp "$lan" 5001 192.0.2.1 4000)" '0 hello from theirs, 127.0.0.1 refused'
run as_user "$PORTPUB" del 4002:3000
is 'and remove a part of it' "$status $err $(ask "$lan" http://192.0.2.1:4002/) $(ask "$lan" http://192.0.2.1:4000/)" '0  curl: 7 hello from theirs, 127.0.0.1'
kill -KILL "$(as_user "$PORTPUB" list web --json | jq '.[0].keeper.pid')"
run as_user "$PORTPUB" check
is 'check tells that a keeper has ended' "$status $out" '1 the keeper of web has ended: portpub restore begins another'
run as_user "$PORTPUB" restore
is 'which restore does' "$status $(as_user "$PORTPUB" check) $(ask "$lan" http://192.0.2.1:4000/)" '0  hello from theirs, 127.0.0.1'
run as_user "$PORTPUB" metrics
is 'metrics are theirs, too' "$status $(echo "$out" | grep -c '^portpub_keeper_up.* 1$')" '0 2'
run as_user "$PORTPUB" del low
is 'they unpublish it' "$status $err $(ask "$lan" http://192.0.2.1/)" '0  curl: 7'
kill -KILL "$theirs"
none() { [ -z "$(users_keepers)" ]; }
ok 'when the container has ended, so does the keeper' until_true none
is 'and nothing is left' "$(as_user "$PORTPUB" list)$(ss -Hltun 'sport = :4000')$(find "$tap_tmp/user" -mindepth 4 ! -name lock)" ''
finish
