#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# However many connections come and go, none fails, nothing of them stays, and each is as quick as the first. As many
# as it takes to tell: 16 bytes of each that stayed would be seen. test/soak has the 100,000.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../forward.sh"

greeting "$container" 3000 stay
greeting "$container" 3001 go
forward --to 10.0.0.2,fd00::2 4000:3000 4001:3001
files=$(descriptors "$engine")
at "$lan" "$HELPERS/crowd" file 300 192.0.2.1 4001 0 0 >/dev/null # what is needed once is there now
memory=$(dirty "$engine")

# in_a_row CLAIM N ADDRESS PORT FIRST LAST: none fails; $took is how long it took, in milliseconds.
in_a_row() {
	claim=$1
	shift
	at "$lan" "$HELPERS/crowd" file "$@" >"$tap_tmp/row" 2>&1
	took=$(sed -n 's/.* \([0-9]*\) ms$/\1/p' "$tap_tmp/row")
	is "$claim: none fails" "$(sed 's/, [0-9]* ms$//' "$tap_tmp/row")" "$1 greeted, 0 not"
}

# The client closes first, and the port that we connected from is in TIME_WAIT, for a minute. Looking for one that is
# free takes longer with each, unless it is looked for where they are: the last would be a tenth as quick.
in_a_row '1,000 in a row, the client closing first' 1000 192.0.2.1 4000 10000 59999
begin=$took
in_a_row '16,000 more' 16000 192.0.2.1 4000 12000 59999
in_a_row '1,000 after them' 1000 192.0.2.1 4000 32000 59999
ok 'they have left TIME_WAIT behind' test "$(ss -Htn state time-wait dport = :3000 | wc -l)" -gt 17000
if is_sanitized; then
	skip 'the last are as quick as the first' 'the sanitizers have costs of their own'
else
	below "the last are as quick as the first ($begin ms, $took ms)" "$took" $((begin * 3 + 100))
fi

# The container closes first.
in_a_row '4,000 by IPv4, the container closing first' 4000 192.0.2.1 4001 0 0
in_a_row '4,000 by IPv6' 4000 2001:db8::1 4001 0 0
ok 'as many descriptors as at first' until_true has_descriptors "$files"
ok 'as much memory as at first' until_true at_most $((memory + 40))
stop
is 'it ends as it should' "$status" 0
finish
