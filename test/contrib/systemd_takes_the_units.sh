#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The units as they are installed: systemd has nothing to say to them, and the program can do with them what it does.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../forward.sh"
command -v systemd-analyze >/dev/null || skip_all 'systemd-analyze is not installed'
export PORTPUB_RUNTIME_DIR="$tap_tmp/run"
root="$tap_tmp/root" build=${PORTPUB%/*}
ok 'make install' make -s install BUILD="$build" -o "$build/portpub" PREFIX="$root"

for unit in "$root"/lib/systemd/system/*.service; do
	name=${unit##*/}
	run systemd-analyze verify --man=no "$unit"
	is "$name is what systemd understands" "$status $out$err" '0 '
	# shellcheck disable=SC2046 # words are wanted
	set -- $(sed -n 's/^ExecStart=//p' "$unit")
	is "$name starts the program that is installed" "$1" "$root/bin/portpub"
	has "$name starts a command that there is" "$("$PORTPUB" help)" "
  $2 "
	ok "its manual is there" grep -q '^Documentation=man:portpub(8)$' "$unit"
done

# bounded UNIT: $within gives a command what the bounding set of the unit leaves, without the systemd that would.
bounded() {
	capabilities=$(sed -n 's/^CapabilityBoundingSet=//p' "$root/lib/systemd/system/$1" | tr 'A-Z ' 'a-z,' | sed 's/cap_/+/g')
	within="setpriv --no-new-privs --bounding-set -all,$capabilities"
}

bounded portpub@.service
machine && alone=$machine
answering "$alone" 3000 say:hello fin end
hello() { calls $$ 127.0.0.1 "$1" hear:5 end; }

forward --pid "$alone" --to 127.0.0.1 127.0.0.1:80:3000
is 'with the rights of the unit it goes into a container by its pid, with a port below 1024' "$(hello 80)" 'connected hello eof'
stop
mkdir -m 0 "$tap_tmp/theirs"
ln -s "/proc/$alone/ns/net" "$tap_tmp/theirs/netns"
forward --netns "$tap_tmp/theirs/netns" --to 127.0.0.1 127.0.0.1:81:3000
is 'and by a path that is not open to everybody' "$(hello 81)" 'connected hello eof'
stop
# shellcheck disable=SC2086 # words are wanted
ok 'it sets rules and sysctls' $within "$PORTPUB" add --no-keeper --to 10.0.0.2 127.0.0.1:8080:80
is 'which check finds right' "$($within "$PORTPUB" check; echo $?)" 0

bounded portpub-watch.service
$within "$PORTPUB" watch >"$tap_tmp/watch" 2>&1 &
pids="$pids $!"
nft flush ruleset
ok 'with the rights of its unit watch puts back what was flushed' until_true "$PORTPUB" check
"$PORTPUB" add --id low --to 10.0.0.2 80:80 >/dev/null 2>&1
"$PORTPUB" add --id inside --pid "$alone" --to 127.0.0.1 8081:3000 >/dev/null 2>&1
for id in low inside; do
	killed=$("$PORTPUB" list $id --json | jq '.[0].keeper.pid')
	kill -KILL "$killed"
	until_true sh -c "! grep -qs '^State:[[:space:]]*[A-WY]' /proc/$killed/status"
done
nft flush ruleset
ok 'and begins keepers in the place of those that were killed, of ports below 1024 and in containers, too' until_true "$PORTPUB" check
is 'which are there' "$("$PORTPUB" list --json | jq -c '[.[].keeper.pid | select(. != null)] | length')" 2
is 'and outlive it' "$(sed -n 's/^KillMode=//p' "$root/lib/systemd/system/portpub-watch.service")" process
"$PORTPUB" del --all
finish
