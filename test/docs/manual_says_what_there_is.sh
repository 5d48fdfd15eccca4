#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The manual, the help texts and the README name the same commands, options and files.
. "${0%/*}/../tap.sh"
page=man/portpub.8

is 'every command stands in the manual, and no other' \
	"$(sed -n '/^\.Sh COMMANDS/,/^\.Sh OPTIONS/s/^\.It Cm //p' $page | sort)" \
	"$("$PORTPUB" help | sed -n 's/^  \([a-z-]*\) .*/\1/p' | sort)"
# The options of a command: those of each .Ss whose title names it.
options_in_manual() {
	awk -v command="$1" '
		/^\.Sh OPTIONS/ {inside = 1; next}
		/^\.Sh / {inside = 0}
		inside && /^\.Ss / {title = $0; gsub(/,/, "", title); ours = index(title " ", " " command " ")}
		inside && ours && /^\.It .*Fl -/ {sub(/.*Fl -/, ""); sub(/ .*/, ""); print "--" $0}
	' $page | sort -u
}
options_in_help() {
	"$PORTPUB" help "$1" | sed -n 's/^  *\(-[a-z], \)\{0,1\}\(--[a-z-]*\).*/\2/p' | sort
}
for command in add del list who restore doctor targets explain run; do
	is "every option of $command stands in the manual, and no other" \
		"$(options_in_manual $command)" "$(options_in_help $command)"
	synopsis=$(awk -v command="$command" '/^\.Sh DESCRIPTION/ {exit} /^\.Cm / {ours = $2 == command} ours' $page)
	for option in $(options_in_help $command); do
		case $option in
		--help | --publish) ;;
		*) has "the synopsis of $command has $option" "$synopsis" "Fl $(echo "$option" | cut -c2-)" ;;
		esac
	done
done
is 'the keys of the JSON answer stand in the manual, and no other' \
	"$(sed -n '/^\.Sh THE ANSWER IN JSON/,/^\.Sh WHAT IS INSTALLED/s/^\.It Li //p' $page | sort)" \
	"$("$PORTPUB" explain --json 80:80 | jq -r 'keys[]' | sort)"
for key in $("$PORTPUB" explain --json 8000-8010:80 |
	jq -r '(.publications[0], .paths[0], .details[0]) | keys[]'); do
	ok "the key $key is described" grep -qw "$key" $page
done
is 'every metric stands in the manual, and no other' \
	"$(sed -n '/^\.Sh THE ANSWER OF METRICS/,/^\.Sh THE ANSWER OF RESTORE/s/^\.It Li //p' $page | sed 's/ , /\n/g' | sort)" \
	"$(PORTPUB_RUNTIME_DIR="$tap_tmp/run" "$PORTPUB" metrics | sed -n 's/^# TYPE portpub_\([a-z_]*\) .*/\1/p' |
		sed '/^userspace_/{s///;s/_total$//}' | sort)"
is 'every dialect has a section' "$(grep -cE '^\.Ss (disco|compose|netavark|CNI|Docker|OCI): ' man/portpub-spec.5)" 6
dialects=$(sed -n '/^\.It Fl -dialect Ar NAME/,/^The default/s/^\.Cm \([a-z]*\).*/\1/p' $page)
is 'the manual names six dialects' "$(echo "$dialects" | wc -l)" 6
for dialect in $dialects; do
	ok "--dialect $dialect is taken" sh -c "echo '[]' | $PORTPUB explain --from - --dialect $dialect"
done
sed -n '/^\.It Sy spec Ta/,/^\.El/s/^\.It Li \([^ ]*\) Ta.*/\1/p' man/portpub-spec.5 | sed 's/\\-/-/g' >"$tap_tmp/specs"
is 'the table of specs has eight rows' "$(wc -l <"$tap_tmp/specs")" 8
while read -r spec; do
	ok "the spec $spec is taken" "$PORTPUB" explain "$spec"
done <"$tap_tmp/specs"
has 'the limit of a spec is told' "$(cat man/portpub-spec.5)" "$(
	"$PORTPUB" explain "$(printf '%0300d' 1)" 2>&1 | sed -n 's/.*at most \([0-9]*\)$/has at most \1 bytes/p'
)"
is 'the exit statuses are those of the program' "$(sed -n '/^\.Sh EXIT STATUS/,/^\.El/s/^\.It \([0-9]\)$/\1/p' $page | tr '\n' ' ')" \
	"$(sed -n 's/^\tCLI_[A-Z_]* = \([0-9]\),$/\1/p' src/cli/cli.h | tr '\n' ' ')"
for name in $(sed -n '/^Where things are/,$s/^    \(.*\)  .*/\1/p' README | tr ' ' '\n' | grep /); do
	ok "README: $name is there" test -e "$name"
done
is 'README counts the corpus right' "$(cat test/corpus/*.jsonl | wc -l)" \
	"$(sed -n 's/.*come of \([0-9]*\) inputs/\1/p' README)"
# shellcheck disable=SC2013,SC2016 # names are words; the quotes are README's
for target in $(sed -n 's/.*`make \([a-z-]*\)`.*/\1/p; s/^    make \([a-z-]*\).*/\1/p' README); do
	ok "README: make $target is there" grep -q "^$target:" Makefile
done
for target in all deps demo check check-runtime bench soak valgrind fuzz lint analyze check-headers coverage install uninstall dist clean; do
	ok "make help tells of $target" sh -c "make help | grep -q '^$target '"
done
finish
