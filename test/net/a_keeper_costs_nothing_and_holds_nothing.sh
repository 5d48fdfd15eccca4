#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A keeper is a small process of its own: it has nothing of whoever has begun it, no descriptor, no output, no signal that
# is blocked, and no working directory; while nothing happens it does nothing.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../publish.sh"
. "${0%/*}/../forward.sh"

to='--to 10.0.0.2,fd00::2'
serve "$container" 80 container

# Whoever has begun it gets an answer, and the end of it, while the keeper lives.
# shellcheck disable=SC2086 # words are wanted
said=$(timeout 5 "$PORTPUB" add $to --id web 80:80 2>&1)
is 'whoever reads the answer comes to its end' "$? $(echo "$said" | grep -c '^web  80:80/tcp$')" '0 1'
engine=$(keeper web)
is 'it is nobody'"'"'s child' "$(awk '/^PPid/ { print $2 == '$$' }' "/proc/$engine/status")" 0
is 'it has a session of its own' "$(awk '{ print $6 }' "/proc/$engine/stat")" "$engine"
is 'it is called what it is' "$(cat "/proc/$engine/comm") $(tr '\0' ' ' <"/proc/$engine/cmdline" | cut -d ' ' -f 1-2)" \
	'portpub-keeper portpub-keeper web'
is 'it is one thread, without children' "$(awk '/^Threads/ { print $2 }' "/proc/$engine/status")$(cat "/proc/$engine/task/$engine/children")" 1
is 'it stands nowhere' "$(readlink "/proc/$engine/cwd")" /
del web

# The sandbox is in force by the time that it is published.
in_force=0
for i in $(seq 30); do
	keep --to 10.0.0.2 --id web 80:80 >/dev/null 2>&1
	in_force=$((in_force + $("$PORTPUB" list web --json | jq -c '.[0].keeper.sandbox' | grep -c '"no_new_privs":true,"capabilities":true,"locked":true')))
	del web
done
is 'as soon as it is published it is confined' $in_force 30

# What the caller had open, and what the caller was.
descriptors_of() { find "/proc/$1/fd" -mindepth 1 -printf '%l\n' | sed 's/[0-9]*\]$/]/; s/^\/proc\/[0-9]*/\/proc\/PID/' | sort | uniq -c | sed 's/^ *//'; }
keep --to 10.0.0.2 --id web 80:80 >/dev/null 2>&1
descriptors_of "$(keeper web)" >"$tap_tmp/usual"
del web
mkfifo "$tap_tmp/fifo"
"$HELPERS/hold" tcp 127.0.0.1 7001 >"$tap_tmp/ready" & # of which the caller below inherits nothing
pids="$pids $!"
sh -c 'exec 3<>"$1" 4</etc/passwd 5>"$2" 9<>"$1"; shift 2; trap "" USR2 TERM HUP CHLD; umask 077; cd /usr; ulimit -c 0
	"$@"' sh "$tap_tmp/fifo" "$tap_tmp/file" "$PORTPUB" add --to 10.0.0.2 --id web 80:80 >/dev/null 2>&1
is 'nothing that the caller had open is open' "$(descriptors_of "$(keeper web)" | diff "$tap_tmp/usual" -)" ''
engine=$(keeper web)
is 'nor is it where the caller was' "$(readlink "/proc/$engine/cwd")" /
is 'it can be ended though the caller ignores signals' "$(timeout 5 "$PORTPUB" del web 2>&1) $? $(keepers)" ' 0 '
env --block-signal=USR2 --block-signal=TERM true 2>/dev/null && {
	env --block-signal=USR1 --block-signal=USR2 --block-signal=TERM "$PORTPUB" add --to 10.0.0.2 --id web 80:80 >/dev/null 2>&1
	is 'and though the caller blocks them' "$(timeout 5 "$PORTPUB" del web 2>&1) $? $(keepers)" ' 0 '
}
sh -c 'exec <&- >&- 2>&-; exec "$@"' sh "$PORTPUB" add --to 10.0.0.2 --id web 80:80
is 'a caller without any descriptors begins one, too' "$(descriptors_of "$(keeper web)" | diff "$tap_tmp/usual" -)$("$PORTPUB" check)" ''
is 'what is said to nobody is in no file' "$(find "$PORTPUB_RUNTIME_DIR" -name lock -size +0)" ''
is 'which serves' "$(ask "$lan" http://192.0.2.1/)" 'hello from container, 192.0.2.2'
del web
prlimit --nofile=64:256 "$PORTPUB" add --to 10.0.0.2,fd00::2 --id web --via userspace 80:80 >/dev/null 2>&1
engine=$(keeper web)
is 'it raises the limit of descriptors as far as it may' "$(awk '/^Max open files/ { print $4, $5 }' "/proc/$engine/limits")" '256 256'
del web

# SIGTERM is the end of it, and of what it keeps.
keep --to 10.0.0.2 --id web 80:80 >/dev/null 2>&1
kill -TERM "$(keeper web)"
ok 'SIGTERM ends it' until_true has_keepers 0
is 'and what it keeps' "$("$PORTPUB" list)$(left_over)" ''

# Small, and still.
# shellcheck disable=SC2046,SC2086 # words are wanted
keep $to --id many $(seq -f '%.0f:80' 1000 1049) $(seq -f '%.0f:80/udp' 1000 1049) >/dev/null 2>&1
engine=$(keeper many)
is 'a hundred ports are one process' "$(ss -Hltunp | grep -c "pid=$engine,") $(keepers | wc -l)" '100 1'
switches() { awk '/ctxt_switches/ { sum += $2 } END { print sum }' "/proc/$engine/status"; }
if is_sanitized; then
	skip 'of little memory' 'the sanitizers need more'
else
	sync "$PORTPUB" # what has been built a moment ago is dirty, too
	below 'of little memory' "$(dirty "$engine")" 351
fi
echo "# $(dirty "$engine") kB of its own"
before=$(switches)
spent=$(cut -d ' ' -f 1 "/proc/$engine/task/$engine/schedstat")
sleep 1
is 'it does nothing while nothing happens' "$(switches) $(cut -d ' ' -f 1 "/proc/$engine/task/$engine/schedstat")" "$before $spent"
del many

# Many at once.
to='--to 10.0.0.2'
for i in $(seq 100); do
	# shellcheck disable=SC2086
	{ "$PORTPUB" add $to --id "web$i" "$((2000 + i)):80" $((4000 + i)):80/udp >"$tap_tmp/add$i" 2>&1 || echo "failed: $?" >>"$tap_tmp/add$i"; } &
	adding="${adding:-} $!"
done
# shellcheck disable=SC2086
wait $adding
is 'a hundred at once are a hundred' "$(keepers | wc -l) $("$PORTPUB" list --json | jq '[.[] | select(.keeper.pid != null)] | length')" '100 100'
is 'of which none failed' "$(cat "$tap_tmp"/add* | grep failed)" ''
is 'and check agrees' "$("$PORTPUB" check)" ''
is 'one of them serves' "$(ask "$lan" http://192.0.2.1:2077/)" 'hello from container, 192.0.2.2'
for i in $(seq 50); do
	"$PORTPUB" del "web$i" >/dev/null 2>&1 &
	deleting="${deleting:-} $!"
done
# shellcheck disable=SC2046 # words are wanted: meanwhile others end by themselves
kill -TERM $(for i in $(seq 51 60); do keeper "web$i"; done)
# shellcheck disable=SC2086
wait $deleting
ok 'as many of them end at once' until_true has_keepers 40
run del --all
is 'and all the others' "$status $(keepers)$(left_over)" '0 '
finish
