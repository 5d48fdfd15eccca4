#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# SIGTERM and SIGINT end it at once; SIGUSR1, or --drain, lets those who are served finish, and accepts nobody.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../forward.sh"

answering "$container" 3000 hear:5 say:world hear:5 say:again end fin

# served NAME STEP...: a client that has been served, and takes these steps then.
served() {
	name=$1
	shift
	nsenter -t "$lan" -n "$HELPERS/wire" 192.0.2.1 4000 say:hello hear:5 "$@" end >"$tap_tmp/saw$name" &
	pids="$pids $!"
	until_true grep -q world "$tap_tmp/saw$name"
}
# talks NAME: it goes on, and finishes, when $tap_tmp/NAME is there. stays NAME: it waits for what comes.
talks() { served "$1" wait:"$tap_tmp/$1" say:hello hear:5 fin; }
stays() { served "$1"; }
# saw NAME: what it has seen at last.
saw() {
	touch "$tap_tmp/$1"
	until_true grep -qE 'eof|reset|silence' "$tap_tmp/saw$1"
	paste -sd ' ' "$tap_tmp/saw$1"
}
# ends [SIGNAL]: wait for it; $status is how it ended, $took how many milliseconds that took.
ends() {
	began=$(date +%s%N)
	[ $# -eq 0 ] || kill "-$1" "$engine"
	wait "$engine"
	status=$?
	took=$((($(date +%s%N) - began) / 1000000))
}
call() { calls "$lan" 192.0.2.1 "$1" say:hello hear:5 rst; }
is_refused() { [ "$(call "$1")" = 'Connection refused' ]; }

# At once.
for signal in TERM INT; do
	forward --to 10.0.0.2 4000:3000
	stays "$signal"
	ends "$signal"
	below "SIG$signal ends it at once" "$took" 500
	is "with 0, after SIG$signal" "$status" 0
	is "connections are reset by SIG$signal" "$(saw "$signal")" 'connected world reset'
	is "the port is free after SIG$signal" "$(call 4000)" 'Connection refused'
done

# When the last has gone.
forward --to 10.0.0.2 4000:3000 4001:3000
talks finish
talks other
kill -USR1 "$engine"
ok 'after SIGUSR1 nobody is accepted' until_true is_refused 4000
ok 'at no port' until_true is_refused 4001
is 'who is served goes on' "$(saw finish)" 'connected world again eof'
ok 'it stays while there is another' kill -0 "$engine"
is 'who goes on as well' "$(saw other)" 'connected world again eof'
ends
is 'and then it ends, with 0' "$status" 0

forward --to 10.0.0.2 4000:3000
ends USR1
is 'without any connection SIGUSR1 ends it' "$status" 0

forward --to 10.0.0.2 4000:3000
stays enough
kill -USR1 "$engine"
until_true is_refused 4000
ends TERM
below 'SIGTERM ends it at once, after SIGUSR1' "$took" 500
is 'and resets who is left' "$(saw enough)" 'connected world reset'

# For a while.
forward --to 10.0.0.2 --drain 20s 4000:3000
talks drained
kill -TERM "$engine"
ok 'with --drain nobody is accepted after SIGTERM' until_true is_refused 4000
is 'and who is served finishes' "$(saw drained)" 'connected world again eof'
ends
is 'then it ends, before its time' "$status" 0

forward --to 10.0.0.2 --drain 500ms 4000:3000
stays late
ends TERM
ok "who does not finish is waited for ($took ms)" test "$took" -ge 480
below 'as long as was said' "$took" 1500
is 'and then is reset' "$(saw late)" 'connected world reset'

forward --to 10.0.0.2 --drain 20s 4000:3000
stays twice
kill -TERM "$engine"
until_true is_refused 4000
ends TERM
below 'the second SIGTERM ends it at once' "$took" 500
is 'and resets who is waited for' "$(saw twice)" 'connected world reset'

forward --to 10.0.0.2 --drain 20s 4000:3000
talks both
kill -USR1 "$engine"
until_true is_refused 4000
kill -TERM "$engine"
is 'after SIGUSR1, too, the first SIGTERM waits' "$(saw both)" 'connected world again eof'
ends
is 'until the last has gone' "$status" 0

forward --to 10.0.0.2 --drain 500ms 4000:3000
stays still
kill -TERM "$engine"
until_true is_refused 4000
kill -USR1 "$engine"
ends
is 'SIGUSR1 after SIGTERM takes nothing from its time' "$status" 0
is 'who has not finished by then is reset' "$(saw still)" 'connected world reset'

# What is no time.
run "$PORTPUB" run --via userspace --to 10.0.0.2 --drain soon 4000:3000
is 'a time that is none is an error' "$status" 2
finish
