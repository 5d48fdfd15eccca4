#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# There is no moment at which route_localnet is on and the guard is not there: where the sysctl cannot be set, the
# guard has been, and everything is undone. A file that may only be read stands for the sysctl.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
export PORTPUB_RUNTIME_DIR="$tap_tmp/run"
localnet=/proc/sys/net/ipv4/conf/br0/route_localnet

# What is written of intervals that go is more than nft 1.0.6 should print: have none.
for sysctl in /proc/sys/net/bridge/bridge-nf-call-ip*tables; do
	[ ! -e "$sysctl" ] || echo 0 >"$sysctl"
done
serve "$container" 3000 container
echo 0 >"$tap_tmp/off"
mount --bind "$tap_tmp/off" $localnet || skip_all 'nothing may be mounted on /proc here'
mount -o remount,bind,ro $localnet

nft monitor >"$tap_tmp/heard" &
pids="$pids $!"
listening() { nft 'add table ip ready; delete table ip ready' && grep -q 'table ip ready' "$tap_tmp/heard"; }
until_true listening

run "$PORTPUB" add --no-keeper --id web --to 10.0.0.2,fd00::2 127.0.0.1:80:3000
is 'where route_localnet cannot be set, a port is not published' "$status" 1
has 'and the sysctl is named' "$err" 'cannot set net.ipv4.conf.br0.route_localnet'
undone() { grep -q '^delete element inet portpub host4' "$tap_tmp/heard"; }
ok 'what had been published is taken back' until_true undone
step=$(sed -n '/^create table inet portpub/,/^# new generation/p' "$tap_tmp/heard")
has 'the port was open before the sysctl was tried' "$step" 'element inet portpub host4 { tcp . 127.0.0.1 . 80'
has 'the guard came in the same step: nothing from 127/8' "$step" 'add rule inet portpub guard ip saddr 127.0.0.0/8 iif != "lo" drop'
has 'the guard came in the same step: nothing to 127/8' "$step" 'add rule inet portpub guard ip daddr 127.0.0.0/8 iif != "lo" drop'
is 'no element is left' "$(nft list table inet portpub | grep -c 'elements = ')" 0
is 'no record is left' "$("$PORTPUB" list --json) $(find "$tap_tmp/run" -type f ! -name lock)" '[] '
is 'check agrees' "$("$PORTPUB" check; echo $?)" 0

umount $localnet
is 'route_localnet is off' "$(cat $localnet)" 0
ok 'where it can be set, the port is published' "$PORTPUB" add --no-keeper --id web --to 10.0.0.2,fd00::2 127.0.0.1:80:3000
is 'and answers' "$(cat $localnet) $(ask 0 http://127.0.0.1/)" '1 hello from container, 10.0.0.1'

# The other way round: the sysctl is put back before the guard could go, which stays.
"$PORTPUB" del web
is 'the sysctl is off again, and the guard still there' \
	"$(cat $localnet) $(nft list chain inet portpub guard | grep -c drop)" '0 2'

# While another needs it, the table is made anew, guard included.
"$PORTPUB" add --no-keeper --id web --to 10.0.0.2 127.0.0.1:80:3000 >/dev/null 2>&1
nft flush ruleset
"$PORTPUB" add --no-keeper --id more --to 10.0.0.2 127.0.0.1:81:3000 >/dev/null 2>&1
is 'who publishes after a flush puts the guard back' \
	"$(nft list chain inet portpub guard | grep -c drop) $(ask 0 http://127.0.0.1/)" '2 hello from container, 10.0.0.1'
# A guard that is none: as many rules as there should be, but not in it.
run "$PORTPUB" del --all
run "$PORTPUB" add --no-keeper --to 10.0.0.2 --id other 192.0.2.1:90:90
echo 0 >/proc/sys/net/ipv4/conf/br0/route_localnet
nft 'flush chain inet portpub guard; add rule inet portpub direct counter; add rule inet portpub direct counter'
run "$PORTPUB" add --no-keeper --to 10.0.0.2 127.0.0.1:80:3000
is 'without the guard nothing is published on loopback' "$status $(cat /proc/sys/net/ipv4/conf/br0/route_localnet)" '1 0'
has 'which is told' "$err" 'the guard of 127.0.0.0/8'
nft delete table inet portpub
nft 'add table inet portpub { flags dormant; }'
run "$PORTPUB" add --no-keeper --to 10.0.0.2 127.0.0.1:80:3000
is 'a table that sleeps is made anew' "$status $("$PORTPUB" check)" '0 '
has 'awake' "$(nft list table inet portpub)" 'ip saddr 127.0.0.0/8 iif != "lo" drop'
finish
