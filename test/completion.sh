# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
# For tests of completions: source this after forward.sh. The script has a function `offers`: for each line of a
# command on standard input, what its shell offers at the end of it, on a line, sorted, by the completion of
# contrib/completions and the portpub of PATH.
PATH=${PORTPUB%/*}:$PATH
# shellcheck disable=SC2154 # tap.sh makes the directory
export PORTPUB_RUNTIME_DIR="$tap_tmp/run"

words() { sort -u | paste -sd ' '; }
commands_in_help() { "$PORTPUB" help | sed -n 's/^  \([a-z-]*\) .*/\1/p'; }
options_in_help() { "$PORTPUB" help "$1" | sed -n 's/^  *\(-[a-z], \)\{0,1\}\(--[a-z-]*\).*/\2/p'; }
# told_by COMMAND OPTION: the values that the error names where it is given none of them.
told_by() {
	"$PORTPUB" "$1" "$2" nosuch 80:80 2>&1 | sed "s/^portpub: $2 is //; s/ or auto//; s/, / /g; s/ or / /" | tr ' ' '\n' | words
}

# expect LINE OFFERED
expect() {
	echo "$1" >>"$tap_tmp/lines"
	echo "$2" >>"$tap_tmp/wanted"
}

# What is expected is told by the program, and by what is there.
expect_what_there_is() {
	expect 'portpub ' "$(commands_in_help | words)"
	expect 'portpub d' 'del doctor'
	expect 'portpub nosuch --' ''
	for command in $(commands_in_help); do
		expect "portpub $command --" "$(options_in_help "$command" | words)"
	done
	expect 'portpub add --netn' '--netns'
	expect 'portpub help ' "$(commands_in_help | words)"
	for command in add run explain; do
		expect "portpub $command --via " "$(told_by $command --via)"
		expect "portpub $command --dialect " "$(told_by $command --dialect)"
	done
	expect 'portpub add --via u' userspace
	expect 'portpub run --proxy-protocol ' "$(told_by run --proxy-protocol)"
	expect 'portpub del ' 'other web'
	for command in list check doctor; do
		expect "portpub $command w" web
	done
	expect 'portpub add --replace --id ' 'other web'
	for option in 'add --from' 'run --netns'; do
		expect "portpub $option READ" README
	done
	expect 'portpub add --to READ' ''
	expect 'portpub who ' ''
	expect 'portpub version ' ''
}

# current: all claims.
current() {
	ok 'two publications of one id, and another' sh -c \
		"'$PORTPUB' add --no-keeper --to 10.0.0.2 --id web 8080:80 8081:81 && '$PORTPUB' add --no-keeper --to 10.0.0.2 --id other 53:53/udp"
	expect_what_there_is
	offers <"$tap_tmp/lines" >"$tap_tmp/offered"
	is 'each line has its answer' "$(wc -l <"$tap_tmp/offered")" "$(wc -l <"$tap_tmp/lines")"
	while IFS= read -r line && IFS= read -r want <&4 && IFS= read -r have <&5; do
		is "$line<Tab>" "$have" "$want"
	done <"$tap_tmp/lines" 4<"$tap_tmp/wanted" 5<"$tap_tmp/offered"
}
