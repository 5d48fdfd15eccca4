#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# portpub watch beside those who flush rulesets in a loop, or hold its lock, or change something that is none of its
# business: it does not give up, costs little, and says little.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../publish.sh"
. "${0%/*}/../forward.sh"
. "${0%/*}/../watch.sh"

serve "$container" 80 container
add --to 10.0.0.2,fd00::2 --id web 80:80 >/dev/null 2>&1
# cpu counts tasks that are there; loops are ended by their pid.
loop() {
	sh -c "while :; do $1; done" &
	looping=$!
	pids="$pids $looping"
}

watch
loop 'nft flush ruleset'
until_true grep -q 'again and again' "$told"
before=$(cpu "$watcher")
sleep 2
spent=$(($(cpu "$watcher") - before))
kill "$looping"
wait "$looping" 2>/dev/null
ended=$(cut -d ' ' -f 1 /proc/uptime)
all_back
echo "# $spent ms of processor time in 2 s; back $(echo "$(cut -d ' ' -f 1 /proc/uptime) $ended" | awk '{print int(($1 - $2) * 1000)}') ms after the end"
if is_sanitized; then
	skip 'somebody who flushes in a loop costs it a fifth of a processor at most' 'sanitized'
else
	below 'somebody who flushes in a loop costs it a fifth of a processor at most' "$spent" 400
fi
is 'afterwards all is there' "$("$PORTPUB" check 2>&1) $(ask "$lan" http://192.0.2.1/)" ' hello from container, 192.0.2.2'
until_true grep -q stays "$told"
is 'it says once that it is so' "$(grep -c 'portpub: nft removes what is published again and again' "$told")" 1
has 'and how often it put it back' "$(cat "$told")" 'what is published stays: it was put back'
below 'it says little besides' "$(wc -l <"$told")" 15
nft flush ruleset
all_back
until_true sh -c "tail -n 1 '$told' | grep -q 'put back: the table'"
has 'what comes later is told again' "$(tail -n 1 "$told")" 'put back: the table inet portpub'

# Others' business.
lines=$(wc -l <"$told") before=$(cpu "$watcher")
loop 'nft "add table ip other; delete table ip other"'
sleep 1
spent=$(($(cpu "$watcher") - before))
kill "$looping"
wait "$looping" 2>/dev/null
if is_sanitized; then
	skip 'nor do those who change other tables cost it more' 'sanitized'
else
	below 'nor do those who change other tables cost it more' "$spent" 200
fi
is 'of which it says nothing' "$(wc -l <"$told")" "$lines"

# A command that does not end has the lock.
lock=$(find "$PORTPUB_RUNTIME_DIR" -name lock)
exec 8<"$lock"
flock 8
nft flush ruleset
before=$(cpu "$watcher")
sleep 0.5
spent=$(($(cpu "$watcher") - before))
is 'while somebody has its lock it waits' "$(nft list tables)" 'table inet portpub-anchor'
is_sanitized || below 'and does not spin' "$spent" 100
exec 8<&-
all_back
is 'and puts all back afterwards' "$("$PORTPUB" check 2>&1)" ''
exec 8<"$lock"
flock 8
nft flush ruleset
ends TERM
is 'it ends when it is told to, also then' "$status" 0
exec 8<&-
watch
is 'one that starts puts back what is missing before it is ready' "$("$PORTPUB" check 2>&1)" ''

# What it cannot put back it says once.
echo '{' >"$PORTPUB_RUNTIME_DIR/$(basename "$(dirname "$lock")")/active/broken.json"
for _ in 1 2 3; do
	nft 'add table ip other; delete table ip other'
	until_true grep -q 'broken.json is no record' "$told"
done
nft flush ruleset
until_true sh -c "! '$PORTPUB' check | grep -v broken"
ends TERM
below 'a record that is broken is told, and not each time' "$(grep -c 'broken.json is no record' "$told")" 3
del broken
finish
