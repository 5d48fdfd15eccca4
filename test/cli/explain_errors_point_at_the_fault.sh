#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Bad input: what was written, what is wrong, what would be right; exit status 2; nothing on stdout.
. "${0%/*}/../tap.sh"

refused() { # CLAIM WANTED-ERROR ARGUMENT...
	claim=$1 wanted=$2
	shift 2
	run "$PORTPUB" explain "$@"
	is "$claim" "$err" "$wanted"
	is "$claim: exit status 2, no answer" "$status $out" '2 '
}

refused 'a port out of range has carets below it' 'portpub: 127.0.0.1:70000:3000/tcp
                   ^^^^^ host port must be 1 to 65535, or 0 for a free one' 127.0.0.1:70000:3000/tcp
refused 'an address and one port ask which was meant' 'portpub: 127.0.0.1:80
         ^^^^^^^^^ no host port behind the address: did you mean 127.0.0.1::80 (a free port) or 127.0.0.1:80:80?' \
	127.0.0.1:80
refused 'a port asked for twice names both' \
	'portpub: 127.0.0.1:80:81/tcp: host port 80/tcp is already taken by 80:80/tcp in the same request' \
	80:80 127.0.0.1:80:81
refused 'a target that is none is pointed at' 'portpub: 10.0.0.2,web
                  ^^^ the target is an IPv4 address, an IPv6 address, or both: 10.0.0.2,fd00::2' 80 --to 10.0.0.2,web
refused 'nothing to explain is usage' 'portpub: explain what? portpub explain 8080:80, or --from FILE'
refused 'an unknown option is usage' 'portpub: explain: --frm is not an option of this command; see: portpub help explain' \
	80 --frm x
refused 'the beginning of an option is not the option' \
	'portpub: explain: --dia is not an option of this command; --dialect is; see: portpub help explain' 80 --dia cni
refused 'nor with its value beside it' \
	'portpub: explain: --dia is not an option of this command; --dialect is; see: portpub help explain' 80 --dia=cni
refused 'nor that of the text about them' \
	'portpub: explain: --hel is not an option of this command; --help is; see: portpub help explain' --hel
refused 'an unknown letter is usage' 'portpub: explain: -8 is not an option of this command; see: portpub help explain' -80
refused 'a missing value is usage' 'portpub: explain: --to needs a value; see: portpub help explain' 80 --to
refused 'a value too many is usage' 'portpub: explain: --json=1 takes no value; see: portpub help explain' 80 --json=1
refused 'an option twice is usage' 'portpub: --to is given twice' 80 --to 10.0.0.2 --to 10.0.0.3
refused 'a document twice is usage' 'portpub: --from is given twice' --from a --from b
refused 'two answers are one too many' 'portpub: --json and --nft are two answers: choose one' 80 --json --nft
refused 'rules need a target' 'portpub: rules need a target: --to ADDRESS' --nft 80:80
refused 'a service needs a document' 'portpub: --service and --dialect belong to --from' 80 --service web
refused 'an unknown dialect lists the known' 'portpub: --dialect is disco, compose, netavark, cni, docker, oci or auto' \
	--dialect yaml --from -
refused 'a missing file is bad input' 'portpub: /nonexistent/x: No such file or directory' --from /nonexistent/x
refused 'a directory is bad input' 'portpub: /: Is a directory' --from /
refused 'via kernel with nothing left is bad input' 'portpub: [::1]:80:80/tcp: nothing is left with --via kernel: the kernel does not route ::1 away from lo, not even after DNAT' \
	--via kernel '[::1]:80:80'

document() { # CLAIM DOCUMENT WANTED-ERROR
	printf '%s' "$2" >"$tap_tmp/ports.json"
	(cd "$tap_tmp" && "$PORTPUB" explain --from ports.json) >"$tap_tmp/o" 2>"$tap_tmp/e"
	is "$1" "$? $(cat "$tap_tmp/o" "$tap_tmp/e")" "2 $3"
}
document 'a value in a file is named by its path' \
	'{"services":{"web":{"publishedPorts":[{"publishedAs":70000,"fromContainerPort":80}]}}}' \
	'portpub: ports.json: services.web.publishedPorts[0].publishedAs: 70000 is outside 1 to 65535'
document 'a spec in a file has path and carets' '["80:80","80:80/xyz"]' 'portpub: ports.json: [1]: 80:80/xyz
                                ^^^ protocol must be tcp, udp or sctp'
document 'a syntax error has line and column' '[{"publishedAs": 80,
}]' "portpub: ports.json: line 2, column 1: string or '}' expected near '}'"
document 'an empty file is no JSON' '' 'portpub: ports.json: line 1, column 0: unexpected token near end of file'

run "$PORTPUB" explain "$(printf '\033[31m80:80')"
is 'no raw byte reaches the terminal' "$err" 'portpub: \x1b[31m80:80
         ^^^^ this byte has no place in a spec'
run "$PORTPUB" explain "$(printf -- '-\033[31m')"
is 'nor does a byte of an option' "$err" \
	'portpub: explain: -\x1b is not an option of this command; see: portpub help explain'
run "$PORTPUB" explain --from "$(printf '/\033[31m')"
is 'nor does a byte of a file name' "$err" 'portpub: /\x1b[31m: No such file or directory'
run "$PORTPUB" explain "$(printf '1:%.0s' $(seq 2000))80"
is 'a long spec is shortened' "$err" "portpub: 1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:...
                                                 ^^^ 4002 bytes are too long for a spec: at most 256"
run "$PORTPUB" explain "$(printf '%0200d' 0)" 80:80
is 'a bad spec beside a good one spoils both' "$status $out" '2 '
run sh -c "head -c 17000000 /dev/zero | $PORTPUB explain --from -"
is 'a document beyond all reason is refused by its size' "$status $err" '2 portpub: -: File too large'

run "$PORTPUB"
has 'no command is usage' "$status $err" '2 usage: portpub COMMAND'
run "$PORTPUB" exlpain 80:80
is 'an unknown command is usage' "$status $err" '2 portpub: exlpain is no command; see: portpub help'
run "$PORTPUB" 80:80
is 'a spec for a command is understood' "$status $err" '2 portpub: 80:80 is no command: did you mean portpub explain 80:80?'

run sh -c "$PORTPUB explain 80:80 >/dev/full"
is 'an answer that cannot be written is a failure' "$status $err" '1 portpub: cannot write the answer: No space left on device'
run sh -c "$PORTPUB explain --json 80:80 >/dev/full"
is 'nor can JSON' "$status" 1

# A little over what the program itself takes: sanitizers want more from the start, and cannot be asked.
little() {
	# shellcheck disable=SC3045 # every sh of Linux has it
	(ulimit -v 60000 && exec "$PORTPUB" "$@")
}
seq 1 65000 | jq -c '{hostPort: ., containerPort: .}' | jq -sc . >"$tap_tmp/many.json"
if little version >/dev/null 2>&1; then
	run little explain --json --from "$tap_tmp/many.json"
	is 'out of memory is told as such, with no half of an answer' "$status $out $err" '1  portpub: out of memory'
else
	skip 'out of memory is told as such, with no half of an answer' 'the program does not start in so little'
fi
finish
