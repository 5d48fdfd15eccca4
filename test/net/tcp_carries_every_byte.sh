#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What one side says the other hears, whole and in order, both ways at once, however slow either of them is, and
# the end of one way is not the end of the other.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../forward.sh"

forward --to 10.0.0.2,fd00::2 4000-4009:3000-3009
mb=1048576

# from CLAIM CLIENT_STEPS WANT WANT_HEARD: of the one who is $port.
from() {
	claim=$1 steps=$2 want=$3 want_heard=$4
	# shellcheck disable=SC2086 # words are wanted
	is "$claim: the client" "$(calls "$lan" 192.0.2.1 "400${port#300}" $steps)" "connected $want"
	hears "$claim: the container" "$want_heard"
}

port=3000
answering "$container" $port recv:$((32 * mb)) end
from '32 MB from the client' "send:$((32 * mb)) fin end" "$((32 * mb)) bytes eof" "$((32 * mb)) bytes eof"
port=3001
answering "$container" $port send:$((32 * mb)) fin end
from '32 MB from the container' "recv:$((32 * mb)) end" "$((32 * mb)) bytes eof" "$((32 * mb)) bytes eof"
port=3002
answering "$container" $port both:$((48 * mb)) fin end
from '48 MB both ways at once, in pieces of every size' "both:$((48 * mb)) fin end" "$((48 * mb)) bytes eof" "$((48 * mb)) bytes eof"
port=3003
answering "$container" $port send:$((8 * mb)) fin end
from 'a client who reads slowly' "slow:$((8 * mb)) end" "$((8 * mb)) bytes eof" "$((8 * mb)) bytes eof"
port=3004
answering "$container" $port slow:$((8 * mb)) end
from 'a container that reads slowly' "send:$((8 * mb)) fin end" "$((8 * mb)) bytes eof" "$((8 * mb)) bytes eof"

# The end of one way.
port=3005
answering "$container" $port hear:8 end say:answer fin
is 'the answer arrives after the client half-closes' "$(calls "$lan" 192.0.2.1 4005 say:question fin hear:6 end)" \
	'connected answer eof'
hears 'the container was told of the half-close' 'question eof'
port=3006
answering "$container" $port fin recv:$((4 * mb)) end
from 'the container half-closes first' "end send:$((4 * mb)) fin" "eof $((4 * mb)) bytes" "$((4 * mb)) bytes eof"
port=3007
answering "$container" $port end send:$((8 * mb)) fin
from 'much comes after the client half-closes, and is read slowly' "fin slow:$((8 * mb)) end" \
	"$((8 * mb)) bytes eof" "eof $((8 * mb)) bytes"

# TCP's urgent byte stands where it was said, and what comes after it is not left behind.
port=3008
answering "$container" $port hear:7 say:heard
is 'what is said behind an urgent byte gets an answer' \
	"$(calls "$lan" 192.0.2.1 4008 say:abc urgent:! say:def hear:5)" 'connected heard'
hears 'the urgent byte is in its place' 'abc!def'
answering "$container" 3009 wait:"$tap_tmp/said" recv:$((4 * mb)) hear:7 end
at "$lan" "$HELPERS/wire" 192.0.2.1 4009 send:$((4 * mb)) say:abc urgent:! say:def fin touch:"$tap_tmp/said" end >"$tap_tmp/urgent" &
client=$!
hears 'and behind bulk that waits' "$((4 * mb)) bytes abc!def eof"
wait "$client"
ok 'no socket is left when all have gone' until_true sh -c "[ \$(find /proc/$engine/fd -lname 'socket:*' | wc -l) = 10 ]"
stop
is 'it ends as it should' "$status" 0
finish
