#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The configuration: what it says holds where the command line says nothing, and a mistake in it stops every command
# that would go by it.
. "${0%/*}/../tap.sh"
conf=$tap_tmp/portpub.conf
export PORTPUB_CONFIG="$conf"

# says TEXT: that is the configuration.
says() { printf "%b" "$1" >"$conf"; }
addresses() { "$PORTPUB" explain --json "$@" | jq -r '[.publications[].address] | join(" ")'; }
paths() { "$PORTPUB" explain --json "$@" | jq -r '[.paths[].path] | unique | join(" ")'; }

says 'default-address = 127.0.0.1\n'
is 'what says no address gets the one of the configuration' "$(addresses 8080:80)" 127.0.0.1
is 'what says one keeps it' "$(addresses 0.0.0.0:8080:80 '[::1]:8081:80')" '0.0.0.0 ::1'
is 'so do documents' "$(echo '[{"publishedAs":8080,"fromContainerPort":80}]' | addresses --from -)" 127.0.0.1
run "$PORTPUB" explain 8080:80 127.0.0.1:8080:81
has 'a conflict that it makes is one' "$err" 'already taken'

says 'via = userspace'
is 'the path is what it says' "$(paths 8080:80 --to 10.0.0.2,fd00::2)" userspace
is 'unless the command line does' "$(paths 8080:80 --to 10.0.0.2,fd00::2 --via auto)" 'kernel userspace'
says '# via = userspace\n'
is 'a comment says nothing' "$(paths 8080:80 --to 10.0.0.2,fd00::2)" 'kernel userspace'

says 'via = kernel\n\ndefault-adress = 127.0.0.1 # to this host\n'
run "$PORTPUB" explain 8080:80
is 'an unknown key is an error that names file and line' "$err" "portpub: $conf:3: default-adress = 127.0.0.1 # to this host
$(printf "%$((13 + ${#conf}))s" '')^^^^^^^^^^^^^^ no such key: there are default-address, via and docker-proxy.kernel"
is 'with exit status 2, and no answer' "$status $out" '2 '
run "$PORTPUB" add 8080:80 --to 10.0.0.2
is 'nothing is published by a configuration that is wrong' "$status $out" '2 '
run "$PORTPUB" help
is 'help needs none' "$status" 0

rm "$conf"
run "$PORTPUB" explain 8080:80
is 'one that is named, and not there, is an error' "$err" \
	"portpub: the configuration $conf cannot be read: No such file or directory"
head -c 20000 /dev/zero >"$conf"
run "$PORTPUB" explain 8080:80
is 'so is one that is none' "$err" "portpub: the configuration $conf cannot be read: File too large"
PORTPUB_CONFIG='' run "$PORTPUB" explain 8080:80
is 'an empty name is no configuration' "$status" 0
finish
