#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# kill -9 before each effect of a command and of the keeper that it begins, whichever has it: restore leaves what was
# before it, or what it was to do, with a keeper that lives, and nothing else.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../publish.sh"
. "${0%/*}/../killed.sh"

family=-f

killed : "\$PORTPUB $one" "\$PORTPUB restore"
is 'add' "$wrong" ''
killed "quiet \$PORTPUB $one" "\$PORTPUB $two" "\$PORTPUB restore"
is 'add --replace by another container' "$wrong" ''
is 'and the sysctls are as they were' "$(sysctls)" "$start"
finish
