#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2016 # variables are those of fish
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../forward.sh"
. "${0%/*}/../completion.sh"
need fish
export HOME="$tap_tmp" # what fish remembers

# A line as it is offered is followed by a tab and its description.
offers() {
	fish --no-config -c '
		source contrib/completions/portpub.fish
		while read -l line
			complete -C "$line" | cut -f 1 | sort -u | paste -sd " "
		end'
}

expect 'portpub add --via=k' --via=kernel
current
for line in 'portpub d' 'portpub add --r' 'portpub check w'; do
	has "$line<Tab> is described" "$(fish --no-config -c 'source contrib/completions/portpub.fish; complete -C $argv' "$line")" '	'
done
finish
