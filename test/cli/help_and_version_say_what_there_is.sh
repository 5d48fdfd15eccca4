#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
. "${0%/*}/../tap.sh"

for how in help -h --help; do
	run "$PORTPUB" $how
	has "$how lists the commands" "$status $out" '0 usage: portpub COMMAND'
done
for how in version -V --version; do
	run "$PORTPUB" $how
	is "$how prints the version of the Makefile" "$out" "portpub $(sed -n 's/^VERSION := //p' Makefile)"
done
for command in $("$PORTPUB" help | sed -n 's/^  \([a-z-]*\) .*/\1/p'); do
	run "$PORTPUB" help "$command"
	has "$command has its usage" "$status $out" "0 usage: portpub $command"
done
run "$PORTPUB" explain --help
has 'a command explains itself' "$out" '--from FILE|-'
run "$PORTPUB" help nosuch
is 'help of an unknown command is an error' "$status $err" '2 portpub: nosuch is no command; see: portpub help'
finish
