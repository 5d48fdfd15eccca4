#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# However a container of podman ends, by itself, killed, with its conmon, in two networks, with ten others at once, its
# ports end with it, and are there again when it is started again.
. "${0%/*}/../tap.sh"
. "${0%/*}/../machine.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../podman.sh"

web_is() { is "$1" "$(web "$lan" 192.0.2.1 8080)" "$2"; }
answer='hello from web, 192.0.2.2'
begin
use_plugin portpub

# Ends that podman knows of.
# shellcheck disable=SC2086 # words are wanted
podman run --rm $parent -p 8080:80 test sh -c true
leaves_nothing 'a container that ends by itself leaves nothing'
container web -p 8080:80 -- tcp:80 >/dev/null
kill -KILL "$(pid_of web)"
leaves_nothing 'nor does one whose process is killed'
podman start web >/dev/null
until_true serving web
web_is '... and has its port again when it is started' "$answer"
kill -KILL "$(conmon_of web)"
web_is 'one that is left alone by its conmon has its port' "$answer"
podman rm -f web >/dev/null
leaves_nothing '... and leaves nothing'

# One of which nobody tells podman: it has the ports until podman is told to see.
container web -p 8080:80 -- tcp:80 >/dev/null
kill -KILL "$(conmon_of web)" "$(pid_of web)"
refuses() { [ "$(web "$lan" 192.0.2.1 8080)" = 'curl: 7' ]; }
ok 'one whose process and conmon are killed refuses' until_true refuses
podman rm -f web >/dev/null
leaves_nothing '... and leaves nothing when it is removed'

# A podman that is killed after ADD does not know of it, and leaves the network namespace, too.
cat >/usr/local/libexec/cni/killer <<'KILLER'
#!/bin/sh
case $CNI_COMMAND in
VERSION) exec /usr/local/libexec/cni/portpub ;;
ADD) [ -e /run/killed ] || kill -KILL $PPID $(touch /run/killed) && jq .prevResult ;;
esac
KILLER
chmod 755 /usr/local/libexec/cni/killer
jq '.plugins += [{"type": "killer"}]' "$contrib/portpub.conflist" >/etc/cni/net.d/portpub.conflist
killed() {
	rm -f /run/killed
	# shellcheck disable=SC2086 # words are wanted
	podman run -d --name web --stop-signal KILL $parent -p 8080:80 test serve web tcp:80 >"$tap_tmp/killed" 2>&1
}
killed
id=$("$PORTPUB" list --json | jq -r '.[0].id')
podman rm -f web >/dev/null 2>&1
run container other -p 8080:80 -- tcp:80
has 'a port whose podman was killed is not free when the container is removed: the error names who has it' "$err" "already published by $id"
"$PORTPUB" del "$id"
podman start other >/dev/null
until_true serving other
web_is '... and del removes that' 'hello from other, 192.0.2.2'
podman rm -f other >/dev/null
leaves_nothing '... after which nothing is left'
cp "$contrib/portpub.conflist" /etc/cni/net.d

# Two networks, of which one may go, and come back.
podman network create --ipv6 --subnet 10.90.0.0/24 --subnet fd00:10:90::/64 second >/dev/null
use_plugin portmap
container web --network portpub,second -p 8080:80 -- tcp:80 >/dev/null
both() { echo "$(web "$lan" 192.0.2.1 8080), $(web "$lan" '[2001:db8::1]' 8080)"; }
all="$answer, hello from web, 2001:db8::2"
targets() { "$PORTPUB" list --json | jq -r '[.[] | .targets[0].interface] | sort | join(" ")'; }
is 'a container in two networks answers' "$(targets): $(both)" "cni-podman1 cni-portpub0: $all"
for network in portpub second; do
	podman network disconnect $network web
	is "... without the network $network, too" "$(both)" "$all"
	podman network connect $network web
	is '... and when it is back' "$(targets): $(both)" "cni-podman1 cni-portpub0: $all"
done
run "$PORTPUB" check
is '... and records and kernel agree' "$status $out$err" '0 '
podman network disconnect portpub web
podman network disconnect second web
is 'in none it has no port' "$("$PORTPUB" list --json | jq length)" 0
podman network connect second web
is '... and in one again it has' "$(both)" "$all"
podman rm -f web >/dev/null
leaves_nothing '... and leaves nothing'

# A pod: its port is that of the container that podman adds to it.
if command -v catatonit >/dev/null; then
	# shellcheck disable=SC2086 # words are wanted
	podman pod create --name pod $parent -p 8080:80 >/dev/null
	container web --pod pod -- tcp:80 >/dev/null
	web_is 'a pod has its port' "$answer"
	podman stop web >/dev/null
	ok '... whose clients are refused when its server has ended' until_true refuses
	podman start web >/dev/null
	until_true serving web
	web_is '... and answered when it is back' "$answer"
	podman pod rm -f -t 0 pod >/dev/null
	leaves_nothing '... and which leaves nothing when it is removed'
else
	skip 'a pod has its port' 'catatonit is not installed'
fi

# Ten at once, and one port that all want.
started=
for n in 0 1 2 3 4 5 6 7 8 9; do
	container web$n -p 900$n:80 -p 9100-9109:9000-9009 -- tcp:80 >"$tap_tmp/out$n" 2>"$tap_tmp/err$n" &
	started="$started $!"
done
# shellcheck disable=SC2086 # words are wanted
wait $started
is 'of ten that want the same ports one has them' "$("$PORTPUB" list --json | jq -c '[.[].publications | length]')" '[11]'
is '... and nine are told' "$(grep -l 'already published by cni-' "$tap_tmp"/err? | wc -l)" 9
podman rm -fa >/dev/null
leaves_nothing '... and leave nothing'
started=
for n in 0 1 2 3 4 5 6 7 8 9; do
	container web$n -p 900$n:80 -p 91${n}0-91${n}9:9000-9009 -- tcp:80 >"$tap_tmp/out$n" 2>"$tap_tmp/err$n" &
	started="$started $!"
done
# shellcheck disable=SC2086 # words are wanted
wait $started
answers=$(for n in 0 1 2 3 4 5 6 7 8 9; do web "$lan" 192.0.2.1 900$n; done | cut -d, -f1 | paste -sd ' ')
is 'ten with ports of their own answer' "$answers" "$(seq -f 'hello from web%.0f' 0 9 | paste -sd ' ')"
podman rm -fa >/dev/null
leaves_nothing '... and all at once leave nothing'
finish
