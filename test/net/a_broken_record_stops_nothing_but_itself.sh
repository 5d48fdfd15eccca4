#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A record that somebody has edited, or a disk has spoilt: everything else goes on, its port stays taken, and del
# drops it with all that it has left.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../publish.sh"

publish() { add "$@" >/dev/null 2>&1; }
ids() { "$PORTPUB" list --json 2>/dev/null | jq -r '[.[].id] | join(" ")'; }
elements() { nft list table inet portpub | grep -c "comment \"$1\""; }
localnet() { cat /proc/sys/net/ipv4/conf/br0/route_localnet; }
# spoil ID: no record any more.
spoil() { echo '{' >"$(find "$PORTPUB_RUNTIME_DIR" -name "$1.json")"; }
all() {
	publish --to 10.0.0.2,fd00::2 --id web --allow 192.0.2.0/24 80:80 127.0.0.1:81:81 53:53/udp
	publish --to 10.0.0.3,fd00::3 --id dns 54:53/udp
	publish --to 10.0.0.3 --id local 127.0.0.1:82:82
	dir=$(find "$PORTPUB_RUNTIME_DIR" -name active)
	file=$dir/web.json
}

echo 0 >/proc/sys/net/ipv4/ip_forward
start=$(sysctls)
all
spoil web
run "$PORTPUB" list
is 'list has the others' "$status $(echo "$out" | awk 'NR > 1 {print $1}' | paste -sd ' ')" '1 dns local'
is 'and says what it passes over' "$err" "portpub: $file is no record: it is no JSON object; portpub del web drops it"
run "$PORTPUB" check
is 'check has a line for it, and no other' "$status $out" "1 $file is no record: it is no JSON object; portpub del web drops it"
is 'of another there is nothing to say' "$("$PORTPUB" check dns)" ''
for option in '' --json; do
	# shellcheck disable=SC2086 # no word where it is empty
	run "$PORTPUB" doctor $option
	is "doctor $option looks at the others" "$status $(echo "$out" | grep -cE '^dns |^local |"id": "(dns|local)"')" '1 2'
	has 'and says what it passes over' "$err" "portpub: $file is no record: it is no JSON object; portpub del web drops it"
done
run "$PORTPUB" doctor web
is 'doctor knows no more of it than that' "$status $out$err" "1 portpub: $file is no record: it is no JSON object; portpub del web drops it"
run "$PORTPUB" doctor dns
is 'of another it says nothing of it' "$err" ''
run "$PORTPUB" who 80/tcp
has 'who knows by the kernel whose the port is' "$status $out" '0 0.0.0.0:80/tcp published by web, to 10.0.0.2:80'
has 'and why it knows no more' "$err" "$file is no record"
run unshare -U "$PORTPUB" who 54/udp
is 'who to an ordinary user: what is known, and what is not' "$status $(echo "$out" | wc -l) $err" \
	"0 2 portpub: $file is no record: it is no JSON object; portpub del web drops it"
run add --to 10.0.0.3 --id more 83:83
is 'others can be added' "$status $("$PORTPUB" check more)" '0 '
run add --to 10.0.0.3 80:80
has 'but not on its port' "$status $err" '3 portpub: host port 0.0.0.0:80/tcp is already published by web'
run del more 54:53/udp
is 'and removed' "$status $(ids)" '0 local'
run add --to 10.0.0.3 --id web 84:84
is 'its id is taken' "$status" 1
before=$(localnet)
del local
run "$PORTPUB" doctor
is 'doctor with nothing else does not say that nothing is published' "$status $out" '1 '
publish --to 10.0.0.3 --id local 127.0.0.1:82:82
run del web
is 'del drops it' "$status $out$err $(elements web) $(ids) $("$PORTPUB" check)" '0  0 local '
is 'with what it shared' "$(nft list ruleset | grep -E '10\.0\.0\.2|fd00::2|@br1'; find "$PORTPUB_RUNTIME_DIR" -name web)" ''
is 'and not what others need' "$before $(localnet)" '1 1'
del local
is 'in the end all is as it was' "$(left_over)$(sysctls)" "$start"

for kind in garbage cut directory link; do
	all
	case $kind in
	garbage) head -c 1000 /dev/urandom >"$file" ;;
	cut) truncate -s 40 "$file" ;;
	directory) rm "$file" && mkdir "$file" ;;
	link) mv "$file" "$tap_tmp/elsewhere" && ln -s "$tap_tmp/elsewhere" "$file" ;;
	esac
	run "$PORTPUB" del 54:53/udp web
	is "$kind: del drops it with others" "$status $(ids) $("$PORTPUB" check)" '0 local '
	publish --to 10.0.0.2 --id web 80:80
	spoil web
	spoil local
	run "$PORTPUB" del --all
	is "$kind: del --all drops all" "$status $(left_over)$(sysctls)" "0 $start"
done
ok 'what a link pointed to is as it was' jq -e . "$tap_tmp/elsewhere"
all
mkdir -p "$dir/x.json/full"
run del x
has 'a directory that is not empty is told' "$status $err" "1 portpub: cannot remove $dir/x.json: Directory not empty"
rm -r "$dir/x.json"

# One after the other: what they share cannot be told as long as there is another.
spoil web
spoil local
run del local
is 'with two of them one can go' "$status $(elements local) $([ "$(elements web)" -gt 5 ] && echo some)" '0 0 some'
is 'and takes nothing of the other' "$(nft list set inet portpub own4 | grep -c '10\.0\.0\.2')" 1
run del web
is 'and then the other' "$status $(ids) $("$PORTPUB" check)" '0 dns '
del --all

# Neighbours of one container decide together what others may reach by its own address.
publish --to 10.0.0.2 --id web 127.0.0.1:80:80
publish --to 10.0.0.2 --id open 81:81
spoil open
run add --to 10.0.0.2 --id more 127.0.0.1:82:81
is 'a port for this host alone needs to know the neighbours' "$status $(elements more)" '1 0'
has 'and says which it does not' "$err" '/active/open.json is no record'
del open
run add --to 10.0.0.2 --id more 127.0.0.1:82:81
is 'without it it can be added' "$status $("$PORTPUB" check)" '0 '
del --all

# What was killed cannot be finished while a neighbour is broken, and is finished then.
publish --to 10.0.0.2 --id open 81:81
publish --to 10.0.0.3 --id dns 53:53/udp
"$HELPERS/kill_at" 14 "$PORTPUB" add --no-keeper --to 10.0.0.2 --id web 127.0.0.1:80:80 >/dev/null 2>&1
is 'a command was killed' "$(find "$PORTPUB_RUNTIME_DIR" -path '*/adding/web.json' | wc -l)" 1
spoil open
for command in 'add --no-keeper --to 10.0.0.3 53:53/udp' 'del dns'; do
	# shellcheck disable=SC2086 # words are wanted
	run "$PORTPUB" $command
	is "nothing else can be done then: $command" "$status $out $(ids)" '1  dns'
	has 'which is said, with what is in the way' "$err" '/active/open.json is no record'
done
run del open
run del nobody
is 'once it is dropped all is well' "$(ids) $("$PORTPUB" check)" 'dns '
publish --to 10.0.0.2 --id open 81:81
"$HELPERS/kill_at" 14 "$PORTPUB" add --no-keeper --to 10.0.0.2 --id web 127.0.0.1:80:80 >/dev/null 2>&1
spoil open
run del --all
is 'del --all leaves nothing of either' "$status $(left_over)" '0 '
publish --to 10.0.0.3 --id dns 53:53/udp
publish --to 10.0.0.2 --id open 81:81
for k in $(seq 20); do
	publish --to 10.0.0.2 --id web 127.0.0.1:80:80
	"$HELPERS/kill_at" "$k" "$PORTPUB" del web >/dev/null 2>&1
	[ -z "$(find "$PORTPUB_RUNTIME_DIR" -name decided)" ] || break
done
spoil open
for command in 'add --no-keeper --to 10.0.0.3 54:54/udp' 'del dns'; do
	# shellcheck disable=SC2086
	run "$PORTPUB" $command
	is "the same where a removal was killed: $command" "$status $out $(ids)" '1  dns'
done
run del open
is 'which is gone through with' "$status $(ids) $(elements web) $("$PORTPUB" check)" '0 dns 0 '
del --all
for stage in adding deleting; do
	publish --to 10.0.0.2 --id web 80:80
	mv "$file" "$dir/../$stage/web.json"
	spoil web
	run "$PORTPUB" check
	has "broken in $stage: check tells" "$status $out" "/$stage/web.json is no record"
	run add --to 10.0.0.3 --id other 81:81
	is 'others can be added' "$status" 0
	run add --to 10.0.0.3 --id web 82:82
	is 'and this not' "$status" 1
	run del web other
	is 'until it is dropped' "$status $(left_over)" '0 '
done

# The table is gone, and with it what the broken record published.
all
spoil web
nft delete table inet portpub
run add --to 10.0.0.3 --id other 80:80
is 'after a flush the table is made with what can be read' "$status $("$PORTPUB" check | wc -l) $(elements web)" '0 1 0'
has 'and what is passed over is said' "$err" "passed over: $file is no record"
run del --all
is 'and all of it can be removed' "$status $(left_over)" '0 '

# A keeper that somebody has taken over may write here: the next command must not carry that out elsewhere.
all
elsewhere=$(cat /proc/sys/net/core/somaxconn)
echo "$((elsewhere + 1)) $elsewhere" >"${dir%/*}/was/net:ipv6:..:core:somaxconn"
run del --all
is 'a value to put back elsewhere is not, and is forgotten' "$status $(cat /proc/sys/net/core/somaxconn) $(left_over)" "0 $elsewhere "
finish
