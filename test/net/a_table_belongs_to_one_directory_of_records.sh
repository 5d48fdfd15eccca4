#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Two directories of records for one network namespace: what is published by one is left alone by the other, which
# is told whose it is.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../publish.sh"

publish() { add "$@" >/dev/null 2>&1; }
other() { PORTPUB_RUNTIME_DIR="$tap_tmp/other" "$@"; }
comment() { nft list table inet portpub | sed -n 's/^\tcomment "\(.*\)"$/\1/p'; }
ids() { "$PORTPUB" list --json | jq -r '[.[].id] | join(" ")'; }

publish --to 10.0.0.2 --id web 127.0.0.1:80:80
is 'the table says where its records are' "$(comment)" "records in $tap_tmp/run"
for command in 'add --no-keeper --to 10.0.0.3 81:81' 'add --no-keeper --to 10.0.0.3 --id web --replace 80:80' 'del web' 'del --all'; do
	everything >"$tap_tmp/before"
	# shellcheck disable=SC2086 # words are wanted
	run other "$PORTPUB" $command
	is "with another directory this is refused: $command" "$status $out" '1 '
	has 'in a line that names the one to use' "$err" "PORTPUB_RUNTIME_DIR=$tap_tmp/run "
	everything >"$tap_tmp/after"
	ok 'and nothing changes' diff "$tap_tmp/before" "$tap_tmp/after"
	is 'on its side neither' "$(find "$tap_tmp/other" -type f ! -name lock)" ''
done
run other "$PORTPUB" check
is 'check says so, and no more' "$status $(echo "$out" | wc -l)" '1 1'
has 'with the name' "$out" "PORTPUB_RUNTIME_DIR=$tap_tmp/run "
rm -r "$tap_tmp/other"
run other "$PORTPUB" check
is 'also where nothing has ever been published' "$status $(echo "$out" | wc -l)" '1 1'
PORTPUB_RUNTIME_DIR="$tap_tmp/run//" publish --to 10.0.0.2 --id same 82:82
is 'a slash more is no other directory' "$(ids) $("$PORTPUB" check)" 'same web '

nft flush chain inet portpub guard
run other "$PORTPUB" add --no-keeper --to 10.0.0.3 81:81
is 'one that is not whole is not made anew for another' "$status $(nft list chain inet portpub guard | grep -c drop)" '1 0'
publish --to 10.0.0.2 --id more 83:83
is 'but for its own, with the same comment' "$("$PORTPUB" check)$(comment)" "records in $tap_tmp/run"
nft delete table inet portpub
run other "$PORTPUB" add --no-keeper --to 10.0.0.3 --id other 81:81
is 'one that was deleted is of the first that makes it' "$status $(comment)" "0 records in $tap_tmp/other"
run del web
is 'and of nobody else then' "$status $(ids)" '1 more same web'
other "$PORTPUB" del other
run del --all
is 'until it is empty' "$status $(left_over) $(ids)" '0  '
publish --to 10.0.0.2 --id web 80:80
is 'when it changes hands' "$(comment) $("$PORTPUB" check)" "records in $tap_tmp/run "
del --all
nft 'delete table inet portpub; add table inet portpub { comment "mine"; }'
publish --to 10.0.0.2 --id web 80:80
is 'a comment that names no directory does not matter' "$(ids) $("$PORTPUB" check)" 'web '
del --all
nft delete table inet portpub
publish --to 10.0.0.2 --id all 1-30000:1-30000
is 'a change of several batches makes it, too' "$(comment)" "records in $tap_tmp/run"
del --all

for dir in "$tap_tmp/a\"b" "$tap_tmp/a\\b" "$tap_tmp/ä" "$tap_tmp/$(printf 'a\nb')"; do
	PORTPUB_RUNTIME_DIR=$dir run add --to 10.0.0.2 80:80
	is 'what nft could not load again is refused' "$status $(find "$tap_tmp" -maxdepth 1 -name '*a?b*' -o -maxdepth 1 -name 'ä')" '2 '
done
long=$tap_tmp/$(printf '%0200d' 0)
long=$(echo "$long" | cut -c -111)
PORTPUB_RUNTIME_DIR=$long run add --to 10.0.0.2 --id web 80:80
is 'the longest path' "$status $(comment)" "0 records in $long"
nft list table inet portpub >"$tap_tmp/listed"
nft delete table inet portpub
ok 'which nft loads again' nft -f "$tap_tmp/listed"
PORTPUB_RUNTIME_DIR=$long run del web
is 'and which is known again' "$status" 0
PORTPUB_RUNTIME_DIR=${long}0 run add --to 10.0.0.2 --id web 80:80
is 'and one too long' "$status" 1
finish
