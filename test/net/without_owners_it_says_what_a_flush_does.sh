#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A kernel that has no tables with an owner, before Linux 5.12: all is published and put back as elsewhere, and what is
# lost is told, by add, by run and by watch.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../publish.sh"
. "${0%/*}/../forward.sh"

"$HELPERS/without_owners" true 2>/dev/null || skip_all 'no seccomp here that asks'
old="$HELPERS/without_owners"
lost='this kernel has no tables with an owner (Linux 5.12): when somebody flushes the rulesets, established connections through published ports are reset'
serve "$container" 80 container
# The rules are back, after a flush.
is_back() { "$PORTPUB" check && nft list table inet portpub; }
flushed() { nft flush ruleset && until_true is_back; }
here='hello from container, 192.0.2.2'

run "$old" "$PORTPUB" add --to 10.0.0.2 --id web 80:80
is 'add succeeds' "$status $out" '0 web  80:80/tcp'
has 'and says what is lost' "$err" "portpub: $lost"
is 'so does list: the keeper has no anchor' "$("$PORTPUB" list web --json | jq -r '.[0].keeper | "\(.anchor) \(.said)"')" "0 $lost"
ok 'what is flushed is put back all the same' flushed
is 'and serves' "$(ask "$lan" http://192.0.2.1/)" "$here"
is 'without an anchor' "$(nft list tables | grep -c anchor)" 0
"$PORTPUB" del web
"$old" "$PORTPUB" run --to 10.0.0.2 --id web 80:80 >"$tap_tmp/runs" 2>"$tap_tmp/says" &
runner=$!
pids="$pids $runner"
until_true [ -s "$tap_tmp/runs" ]
has 'run says it, too' "$(cat "$tap_tmp/says")" "portpub: $lost"
ok 'and puts back what is flushed' flushed
kill -TERM $runner
wait $runner
is 'it ends with 0' "$?" 0

add --to 10.0.0.2 --id web 80:80 2>/dev/null >&2
"$old" "$PORTPUB" watch >"$tap_tmp/watches" 2>&1 &
watcher=$!
pids="$pids $watcher"
ok 'watch says it' until_true grep -qF "portpub: $lost" "$tap_tmp/watches"
ok 'and puts back what is flushed' flushed
kill -TERM $watcher
wait $watcher
is 'it ends with 0' "$?" 0

# Where there are owners nothing is lost, and nothing is said of it: not by those either who wait for an anchor.
del --all
for port in 81 82 83; do keep --to 10.0.0.2 --id "id$port" "$port:80" 2>>"$tap_tmp/quiet"; done >/dev/null
is 'elsewhere nothing is said' "$(grep -c -e owner -e anchor -e others "$tap_tmp/quiet")" 0
is 'of three keepers two own an anchor' "$("$PORTPUB" list --json | jq -c '[.[].keeper.anchor] | sort')" '[0,1,2]'
del --all
is 'nothing is left over' "$(keepers)$(left_over)" ''
finish
