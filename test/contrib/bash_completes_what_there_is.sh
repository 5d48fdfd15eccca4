#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2016 # variables are those of bash
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../forward.sh"
. "${0%/*}/../completion.sh"
need bash

# As bash calls it: = is a word of its own, and an empty word is what follows a space.
offers() {
	bash --norc -c '
		source contrib/completions/portpub
		compopt() { :; }
		while IFS= read -r line; do
			read -ra COMP_WORDS <<<"${line//=/ = }"
			[[ $line == *" " ]] && COMP_WORDS+=("")
			COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
			_portpub "${COMP_WORDS[0]}" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
			printf "%s\n" "${COMPREPLY[@]}" | sort -u | paste -sd " "
		done'
}

expect 'portpub add --via=k' kernel
expect 'portpub add --via=' 'auto kernel userspace'
current
is 'it is for portpub' "$(bash --norc -c 'source contrib/completions/portpub; complete -p portpub')" \
	'complete -F _portpub portpub'
finish
