#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# kill -9 before each effect of a command in turn: the next command leaves what was before it, or what it was to
# do, and nothing else; not a file, not an element, not a sysctl.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../publish.sh"
echo 0 >/proc/sys/net/ipv4/ip_forward
echo 0 >/proc/sys/net/ipv6/conf/all/forwarding
. "${0%/*}/../killed.sh"

add="\$PORTPUB add --no-keeper"

killed : "$add $to1 --id web 80:80 127.0.0.1:81:81 53:53/udp --allow 192.0.2.0/24" 'del --all'
is 'add, then everything is removed' "$wrong" ''
killed "quiet add $to1 --id other 127.0.0.1:91:91" "$add $to1 --id web 80:80 127.0.0.1:81:81" "add $to1 --id next 99:99"
is 'add beside another of the same container' "$wrong" ''
killed "quiet $one" "\$PORTPUB del web" "del nobody || true"
is 'del' "$wrong" ''
killed "quiet $one; quiet add $to2 --id other 90:90" "\$PORTPUB del web other" 'del nobody || true'
is 'del of two' "$wrong" ''
killed "quiet $one; quiet add $to2 --id other 90:90 91:91; quiet add $to1 --id third 92:92" "\$PORTPUB del web 90:90 third" 'del nobody || true'
is 'del of two, and of one publication of a third' "$wrong" ''
killed "quiet $one; quiet add $to2 --id other 90:90; quiet add $to1 --id third 92:92" "\$PORTPUB del --all" "add $to1 --id next 99:99"
is 'del of everything' "$wrong" ''
killed "quiet $one; quiet add $to1 --id other 90:90" "\$PORTPUB del 127.0.0.1:81:81" "del nobody || true"
is 'del of one publication of several' "$wrong" ''
killed "quiet $one" "\$PORTPUB $two --no-keeper" 'del nobody || true'
is 'add --replace by another container' "$wrong" ''
killed "quiet $two" "\$PORTPUB $one --replace --no-keeper" 'del nobody || true'
is 'add --replace by one that needs more' "$wrong" ''
killed "quiet $one" "\$PORTPUB add --no-keeper $to1 --id web --replace --allow 192.0.2.0/24 80:80" 'del nobody || true'
is 'add --replace by one that needs less' "$wrong" ''
spoil() { echo '{' >"$(find "$PORTPUB_RUNTIME_DIR" -name "$1.json")"; }
killed "quiet $one; quiet add $to1 --id other 127.0.0.1:90:90; spoil web" "\$PORTPUB del web" 'del web || true'
is 'del of a record that cannot be read' "$wrong" ''
killed "quiet $one; nft flush ruleset" "$add $to2 --id other 90:90" "add $to2 --id next 99:99"
is 'add, when the table is made anew' "$wrong" ''
is 'and the sysctls are as they were' "$(sysctls)" "$start"
finish
