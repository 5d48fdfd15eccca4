#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# docker-proxy.kernel = on: a dockerd without rules of its own has ports that the kernel carries, and containers that see
# who asks; a flush of the rulesets is repaired; what another has published is taken.
. "${0%/*}/../tap.sh"
. "${0%/*}/../machine.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../docker.sh"
# How those get there who are not the container itself, which hangs on whether this kernel filters its bridges.
paths() { "$PORTPUB" list --json | jq -r '[.[].paths[] | select(.address_class != "own").path] | unique | join(" ")'; }

begin --iptables=false
container web -p 8080:80 -p 5000:53/udp -- tcp:80 udp:53 >/dev/null
is 'off: the container sees the bridge' \
	"$(ask "$lan" http://192.0.2.1:8080/) $(ask_udp "$lan" 192.0.2.1 5000)" \
	'hello from web, 172.29.0.1 hello from web, 172.29.0.1'
is 'off: there are no rules' "$(nft list ruleset)" ''
docker rm -f web >/dev/null
end_dockerd TERM

cp "$for_docker/kernel/daemon.json" /etc/docker/
cp "$for_docker/kernel/portpub.conf" /etc/
unset PORTPUB_CONFIG
# shellcheck disable=SC2119 # it has arguments of its own
dockerd
container web -p 8080:80 -p 127.0.0.1:8081:80 -p 5000:53/udp -p 9000-9049:9000-9049 -- tcp:80 udp:53 tcp:9000-9049 >/dev/null
is 'on: the container sees who asks' "$(ask "$lan" http://192.0.2.1:8080/) $(ask_udp "$lan" 192.0.2.1 5000)" \
	'hello from web, 192.0.2.2 hello from web, 192.0.2.2'
is 'at the last port of a range, too' "$(ask "$lan" http://192.0.2.1:9049/)" 'hello from web, 192.0.2.2'
is 'this host is answered, by every address' \
	"$(web 0 127.0.0.1 8081) $(web 0 127.0.0.1 8080) $(web 0 192.0.2.1 8080) $(web 0 '[::1]' 8080) $(datagram 0 127.0.0.1 5000)" \
	'hello from web hello from web hello from web hello from web hello from web'
is 'what is for this host alone is' "$(web "$lan" 192.0.2.1 8081)" 'curl: 7'
is 'none of it has gone through a process' "$("$PORTPUB" list --json | jq '[.[].keeper.counters | .connections, .flows] | add')" 0
is 'what the kernel has no way for is forwarded' "$(web "$lan" '[2001:db8::1]' 8080)" 'hello from web'
is 'the container reaches its own port' "$(docker exec web wget -qO- http://172.29.0.1:8080/ | cut -d, -f1)" 'hello from web'
is 'each port is published once' "$("$PORTPUB" list --json | jq length) $(paths)" '53 kernel'
serve "$lan" 80 lan
nft -f "$for_docker/kernel/outgoing.nft"
is 'the container reaches others, by the address of this host' "$(docker exec web wget -qO- http://192.0.2.2/)" \
	'hello from lan, 192.0.2.1'
run "$PORTPUB" check
is 'records, kernel and keepers agree' "$status $out$err" '0 '
run "$PORTPUB" doctor docker-tcp-0.0.0.0-8080
is 'doctor finds nothing' "$status" 0

nft flush ruleset
is 'after a flush of the rulesets the port answers' "$(web "$lan" 192.0.2.1 8080)" 'hello from web'
sees_clients() { [ "$(ask "$lan" http://192.0.2.1:8080/)" = 'hello from web, 192.0.2.2' ]; }
ok '... and soon by the kernel' until_true sees_clients
whole() { "$PORTPUB" check; }
ok '... all of it' until_true whole

"$PORTPUB" add --no-keeper --id mine 8090:80 --to 10.0.0.2 2>/dev/null >&2
run container other -p 8090:80 -- tcp:80
has 'what portpub has published is taken' "$err" 'address already in use: host port 0.0.0.0:8090/tcp is already published by mine'
docker rm other >/dev/null
"$PORTPUB" del mine
docker stop web >/dev/null
is 'docker stop leaves nothing' "$(left_behind)" ''
docker rm web >/dev/null

# A container that gets the address of another gets none of its clients.
container first -p 8080:80 -- tcp:80 >/dev/null
# shellcheck disable=SC2046 # words are wanted
kill -KILL $(pgrep -x docker-proxy)
until_true no_proxies
docker rm -f first >/dev/null
container second -p 8080:80 -- tcp:80 >/dev/null
is 'what killed proxies have left is the next one'"'"'s' "$(ask "$lan" http://192.0.2.1:8080/)" 'hello from second, 192.0.2.2'
docker rm -f second >/dev/null
is 'and goes with it' "$(left_behind)" ''
end_dockerd TERM
finish
