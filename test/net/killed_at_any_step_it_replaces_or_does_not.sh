#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# kill -9 before each effect of a command that puts one keeper in the place of another: the next command leaves the one or
# the other, with its sockets, and nothing else.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../publish.sh"
. "${0%/*}/../killed.sh"

to1='--to 10.0.0.2,fd00::2' to2='--to 10.0.0.3'
# shellcheck disable=SC2086 # words are wanted
quiet keep $to1 80:80
quiet del --all
start=$(sysctls)
one="add $to1 --id web 80:80 127.0.0.1:81:81 53:53/udp"
two="add $to2 --id web --replace 80:8080 192.0.2.1:82:82"

killed "quiet \$PORTPUB $one" "\$PORTPUB $two" 'del nobody || true'
is 'add --replace by another container' "$wrong" ''
killed "quiet \$PORTPUB $one" "\$PORTPUB $two --no-keeper" 'del nobody || true'
is 'add --replace by rules alone' "$wrong" ''
killed "quiet \$PORTPUB $one --no-keeper" "\$PORTPUB $two" 'del nobody || true'
is 'add --replace of rules alone' "$wrong" ''
is 'and the sysctls are as they were' "$(sysctls)" "$start"
finish
