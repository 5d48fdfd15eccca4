#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# kill -9 before each effect of a command that puts one keeper in the place of another: the next command leaves the one or
# the other, with its sockets, and nothing else.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../publish.sh"
. "${0%/*}/../killed.sh"

killed "quiet \$PORTPUB $one" "\$PORTPUB $two" 'del nobody || true'
is 'add --replace by another container' "$wrong" ''
killed "quiet \$PORTPUB $one" "\$PORTPUB $two --no-keeper" 'del nobody || true'
is 'add --replace by rules alone' "$wrong" ''
killed "quiet \$PORTPUB $one --no-keeper" "\$PORTPUB $two" 'del nobody || true'
is 'add --replace of rules alone' "$wrong" ''
is 'and the sysctls are as they were' "$(sysctls)" "$start"
finish
