# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154 # what is set here and elsewhere is for those who source it
# What people publish, with the servers that they have: source this after tap.sh, machine.sh and hosts.sh. The containers
# are network namespaces, found by what listens there; the servers are real; $how says of what a claim is made.
# shellcheck source=publish.sh
. "${0%/*}/../publish.sh"
# shellcheck source=forward.sh
. "${0%/*}/../forward.sh"
how=scene
sysctls >"$tap_tmp/sysctls"

# publish ARGUMENT...: as users do, with a keeper. The answer is $out.
publish() {
	run keep "$@"
	is "$how: portpub add $*" "$status" 0
}

# The ways to this host, "FROM ADDRESS": a client is this host itself (0), or the one outside.
ways="0 127.0.0.1
0 [::1]
0 192.0.2.1
0 [2001:db8::1]
$lan 192.0.2.1
$lan [2001:db8::1]"
# told FROM ADDRESS: in words.
told() { echo "$2 from $([ "$1" = 0 ] && echo 'this host' || echo outside)"; }

# answers PORT WANT: the web server there, by every way.
answers() {
	while read -r from address; do
		is "$how: port $1 of $(told "$from" "$address")" "$(ask "$from" "http://$address:$1/" | cut -d, -f1)" "$2"
	done <<WAYS
$ways
WAYS
}

# residue: what is left of published ports: rules, records, processes, sockets of this host, sysctls.
residue() {
	left_over
	keepers
	ss -Hlntu
	sysctls | diff "$tap_tmp/sysctls" -
}

# unpublish ARGUMENT...: what is there is what should be, and nothing of it is left.
unpublish() {
	run "$PORTPUB" check
	is "$how: check finds no difference" "$status $out$err" '0 '
	run del "$@"
	is "$how: portpub del $*" "$status $err" '0 '
	until_true has_keepers 0
	is "$how: nothing is left" "$(residue)" ''
}
