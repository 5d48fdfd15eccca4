#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# kill -9 before each effect of a command that begins a keeper: the next command leaves what was before it, or
# what it was to do, with the keepers and the sockets of that, and nothing else.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../publish.sh"
. "${0%/*}/../killed.sh"

add="\$PORTPUB add"

killed : "$add --pid $container --to 127.0.0.1 --id web 80:80 53:53/udp" 'del nobody || true'
is 'add, of userspace alone' "$wrong" ''
killed "quiet keep $to1 --id other 127.0.0.1:91:91" "$add $to1 --id web 80:80 127.0.0.1:81:81" "add $to1 --id next 99:99"
is 'add beside another of the same container' "$wrong" ''
is 'and the sysctls are as they were' "$(sysctls)" "$start"
finish
