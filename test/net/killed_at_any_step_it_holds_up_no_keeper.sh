#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# kill -9 before each effect of a command; then a keeper ends that has nothing to do with it, and may be unable to do what
# is left to be done: what it keeps goes with it, and the next command finds the rest.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../publish.sh"
. "${0%/*}/../killed.sh"

# shellcheck disable=SC2086
other() { keep $to2 --id other "$@"; }

# A keeper is told to end: it takes along what it keeps, before any command does.
is_gone() { [ -z "$(find "$PORTPUB_RUNTIME_DIR" -path '*/active/other.json')" ]; }
end_other() {
	kill "$(keeper other)" || return
	soon is_gone && del nobody
	is_gone
}
without='--via userspace'
killed "quiet other $without 90:90" "\$PORTPUB $one" end_other
is 'add; one without rules ends' "$wrong" ''
killed "quiet other $without 90:90; quiet \$PORTPUB $one" "\$PORTPUB del web" end_other
is 'del; one without rules ends' "$wrong" ''
killed "quiet other $without 90:90; quiet \$PORTPUB $one" "\$PORTPUB $two" end_other
is 'add --replace; one without rules ends' "$wrong" ''
killed "quiet other 90:90; quiet \$PORTPUB $one" "\$PORTPUB $two" end_other
is 'add --replace; one with rules ends' "$wrong" ''
is 'and the sysctls are as they were' "$(sysctls)" "$start"
finish
