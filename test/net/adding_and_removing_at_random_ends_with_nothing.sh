#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Two thousand commands of several workers at once, at random on a few ports of three containers: additions,
# replacements, removals. Meanwhile check is content, and when all is removed there is nothing left. The seed is
# printed; SEED=... does the same again, but for who comes first.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../publish.sh"

commands=2000 workers=8
seed=${SEED:-$(od -An -N3 -tu4 /dev/urandom | tr -d ' ')}
echo "# SEED=$seed"
for sysctl in ipv4/ip_forward ipv6/conf/all/forwarding; do echo 0 >/proc/sys/net/$sysctl; done
start=$(sysctls)

# The commands of one worker, a line each.
draw() {
	awk -v seed="$1" -v count="$2" 'function of(n) { return int(rand() * n) }
	BEGIN {
		srand(seed)
		split("0: 127.0.0.1: 192.0.2.1: [2001:db8::1]: 0.0.0.0: [::]:", host, " ")
		host[1] = ""
		split("tcp udp sctp", protocol, " ")
		split("10.0.0.2,fd00::2 10.0.0.3,fd00::3 10.0.0.4", to, " ")
		for (i = 0; i < count; i++) {
			id = "id" of(12)
			kind = of(10)
			if (kind < 4) { print "del " id; continue }
			target = of(3) + 1
			line = "add --no-keeper --to " to[target] " --id " id (kind < 7 ? " --replace" : "")
			if (of(4) == 0) line = line " --allow 192.0.2.0/24"
			for (p = of(3); p >= 0; p--) {
				address = host[of(target == 3 ? 3 : 6) + 1]
				port = 8000 + of(12)
				width = of(4) ? 0 : of(5)
				line = line " " address (of(8) ? port : 8000) (width ? "-" port + width : "") ":" \
					(width ? port "-" port + width : port) "/" protocol[of(3) + 1]
			}
			print line
		}
	}'
}

work() {
	draw "$((seed + $1))" "$((commands / workers))" | while read -r line; do
		# shellcheck disable=SC2086 # words are wanted
		"$PORTPUB" $line >/dev/null 2>"$tap_tmp/err$1"
		code=$?
		echo "$code ${line%% *}"
		# What may be: done, no such id or there already, bad input by chance (twice the same port), taken.
		[ $code -le 3 ] && ! grep -qi -e 'sanitizer' -e nf_tables -e 'rulesets all the time' "$tap_tmp/err$1" ||
			echo "unexpected: $line: $(cat "$tap_tmp/err$1")"
	done >"$tap_tmp/work$1" 2>&1
}

for worker in $(seq $workers); do
	work "$worker" &
	working="${working:-} $!"
done
looks=0
while [ "$(cat "$tap_tmp"/work* 2>/dev/null | grep -c '^[0-9]')" -lt "$commands" ] && [ $looks -lt 2000 ]; do
	"$PORTPUB" check >>"$tap_tmp/checked" 2>&1 || echo "check failed" >>"$tap_tmp/checked"
	looks=$((looks + 1))
done
# shellcheck disable=SC2086
wait $working
cat "$tap_tmp"/work* >"$tap_tmp/all"
is 'as many commands as were to be' "$(grep -c '^[0-9]' "$tap_tmp/all")" $commands
is 'none of them failed but for what others had' "$(grep unexpected "$tap_tmp/all" | head -n 5)" ''
for what in '0 add' '0 del' '1 del' '3 add'; do
	ok "among them dozens of: $what" test "$(grep -c "^$what" "$tap_tmp/all")" -gt 24
done
is 'check was content all the time' "$(head -n 10 "$tap_tmp/checked")" ''
ok "which it was asked often" test $looks -gt 24
run del --all
is 'everything is removed' "$status" 0
is 'and nothing is left, in no set and on no disk' "$(left_over)" ''
is 'nor a sysctl' "$(sysctls)" "$start"
run "$PORTPUB" check
is 'and the rules are whole' "$status $out" '0 '
finish
