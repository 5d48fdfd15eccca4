#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# kill -9 before each effect of a command that ends a keeper, or begins one for the rest of its ports: the next command leaves what was before it, or
# what it was to do, with the keepers and the sockets of that, and nothing else.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../publish.sh"
. "${0%/*}/../killed.sh"

killed "quiet \$PORTPUB $one" "\$PORTPUB del web" "del nobody || true"
is 'del' "$wrong" ''
killed "quiet \$PORTPUB $one; quiet keep $to2 --id other 90:90 91:91" "\$PORTPUB del web 90:90" 'del nobody || true'
is 'del of one, and of one publication of another' "$wrong" ''
# A keeper that ends by itself, at once, since nobody can be told what it has published.
ends=1
killed : "sh -c \"exec \$PORTPUB run $to1 --id web 80:80 127.0.0.1:81:81 53:53/udp >/dev/full\"" 'del web || true'
is 'run, until it has ended' "$wrong" ''
ends=0
known='the keeper of web has ended: portpub restore begins another'
killed "quiet \$PORTPUB $one; kill_keeper web" "\$PORTPUB del web" "del nobody || true"
is 'del of what had a keeper that was killed' "$wrong" ''
is 'and the sysctls are as they were' "$(sysctls)" "$start"
finish
