#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Every "$ command" of README and the manual is run, and must print what stands below it.
. "${0%/*}/../tap.sh"
root=$PWD
PATH=${PORTPUB%/*}:$PATH
mkdir "$tap_tmp/work"

# The lines of literal text, each led by "| ", empty ones as they are, and "end" behind each block.
readme_blocks() { awk '/^    /{print "| " substr($0, 5); next} /^$/{print; next} {print "end"}' "$1"; }
manual_blocks() {
	awk '/^\.Bd -literal/{inside = 1; next} /^\.Ed/{inside = 0; print "end"; next} inside{print "| " $0}' "$1" |
		sed 's/\\-/-/g; s/\\e/\\/g; s/\\&//g'
}

check_blocks() { # NAME
	command='' expected=''
	while IFS= read -r line; do
		case $line in
		'| $ '*)
			check_example "$1"
			command=${line#'| $ '}
			;;
		'| '*) [ -n "$command" ] && expected="$expected${line#| }
" ;;
		end) check_example "$1" ;;
		'') [ -n "$command" ] && expected="$expected
" ;;
		esac
	done
	check_example "$1"
}

# The names of ports are not the same everywhere, if there are any.
nameless() { sed -e 's/\(standard\|registered\|dynamic\), .*/\1/' -e '/^  container port  /d' "$1"; }

check_example() {
	[ -n "$command" ] || return
	printf '%s' "$expected" | sed -e :a -e '/^\n*$/{$d;N;ba' -e '}' >"$tap_tmp/want"
	(cd "$tap_tmp/work" && sh -c "$command") >"$tap_tmp/have" 2>&1 </dev/null
	is "$1: $command" "$(nameless "$tap_tmp/have")" "$(nameless "$tap_tmp/want")"
	command='' expected=''
}

# What root is to type is not tried, but explained: it is written as it should be.
check_adds() { # NAME
	sed -n 's/^| # portpub add //p' "$tap_tmp/blocks" >"$tap_tmp/adds"
	while read -r arguments; do
		# shellcheck disable=SC2046 # words are wanted
		ok "$1: portpub add $arguments" portpub explain $(echo "$arguments" | sed 's/--id [a-z]* //')
	done <"$tap_tmp/adds"
}

readme_blocks "$root/README" >"$tap_tmp/blocks"
check_blocks README <"$tap_tmp/blocks"
check_adds README
for page in "$root"/man/*.[58]; do
	manual_blocks "$page" >"$tap_tmp/blocks"
	check_blocks "${page##*/}" <"$tap_tmp/blocks"
	check_adds "${page##*/}"
done
ok 'there are examples to check' test "$tap_count" -ge 6

# Every document of portpub-spec(5) publishes what the command below it does.
awk -v dir="$tap_tmp" '
	/^\.Bd -literal$/ {inside = 1; document = ""; next}
	/^\.Ed/ {inside = 0; next}
	inside {document = document $0 "\n"}
	/^\.Dl portpub explain / {
		count++
		printf "%s", document >(dir "/document" count)
		print substr($0, length(".Dl portpub explain ") + 1) >(dir "/specs" count)
	}' "$root/man/portpub-spec.5"
for n in 1 2 3 4 5 6; do
	specs=$(sed 's/\\-/-/g' "$tap_tmp/specs$n")
	# shellcheck disable=SC2086 # words are wanted
	is "portpub-spec.5: document $n publishes $specs" \
		"$("$PORTPUB" explain --json --from "$tap_tmp/document$n" | jq -c .publications)" \
		"$("$PORTPUB" explain --json $specs | jq -c .publications)"
done
finish
