#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# An ordinary user's dockerd, whose docker-proxies rootlesskit starts and ends, has ports that answer whoever may ask, and
# leaves nothing.
. "${0%/*}/../tap.sh"
. "${0%/*}/../machine.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../docker.sh"
need_programs rootlesskit rootlesskit-docker-proxy slirp4netns newuidmap
dockerd_rootless=$(command -v dockerd-rootless.sh || ls /usr/share/docker.io/contrib/dockerd-rootless.sh 2>/dev/null) ||
	skip_all 'dockerd-rootless.sh is not installed'
ordinary_user
export DOCKER_HOST=unix:///run/user/$uid/docker.sock
echo 'docker-proxy.kernel = on' >/etc/portpub.conf # which is not for them

# In the place of that of docker.sh.
dockerd() {
	# shellcheck disable=SC2046 # words are wanted
	as_user $(sed -n 's/^Environment=//p' "$for_docker/rootless.conf") \
		"$dockerd_rootless" --storage-driver vfs >>"$tap_tmp/dockerd" 2>&1 &
	dockerd=$!
	pids="$pids $dockerd"
	until_true docker version
}
answer='hello from web'

# shellcheck disable=SC2119 # it has arguments of its own
begin
run container web -p 127.0.0.1:3456:3000 -p 5000:8000/udp -p 9000-9003:9000-9003 -- tcp:3000 udp:8000 tcp:9000-9003
is 'docker run' "$status $err" '0 '
is 'a process for each address and port, all of them ours' \
	"$(proxies) $(pgrep -x docker-proxy | while read -r pid; do readlink "/proc/$pid/exe"; done | sort -u)" "11 $PORTPUB"
for at in "0 127.0.0.1 3456" "0 127.0.0.1 9000" "0 192.0.2.1 9001" "0 [::1] 9003" "$lan 192.0.2.1 9003" "$lan [2001:db8::1] 9002"; do
	# shellcheck disable=SC2086 # words are wanted
	is "TCP to ${at#* } from $(echo "$at" | sed 's/^0 .*/this host/; s/^[1-9].*/outside/')" "$(web $at)" "$answer"
done
for at in "0 127.0.0.1 5000" "0 ::1 5000" "$lan 192.0.2.1 5000" "$lan 2001:db8::1 5000"; do
	# shellcheck disable=SC2086 # words are wanted
	is "UDP to ${at#* } from $(echo "$at" | sed 's/^0 .*/this host/; s/^[1-9].*/outside/')" "$(datagram $at)" "$answer"
done
is 'what is for this host alone is' "$(web "$lan" 192.0.2.1 3456)" 'curl: 7'
is 'there are no records of theirs' "$(find "/run/user/$uid" -path '*portpub*')" ''

# What is taken on the host rootlesskit finds out, before it starts docker-proxy.
nsenter -t $$ -n "$HELLO" 9010 somebody >"$tap_tmp/somebody" &
somebody=$!
until_true grep -q ready "$tap_tmp/somebody"
run container other -p 9010:80 -- tcp:80
has 'a port of somebody else is told in the words that are known' "$err" \
	'listen tcp4 0.0.0.0:9010: bind: address already in use'
docker rm -f other >/dev/null
kill $somebody
wait $somebody 2>/dev/null
is '... which costs the others nothing' "$(proxies) $(web "$lan" 192.0.2.1 9001)" "11 $answer"

docker stop web >/dev/null
is 'docker stop leaves nothing' "$(left_behind)" ''
docker start web >/dev/null
until_true serving web
is 'docker start has it back' "$(web "$lan" 192.0.2.1 9001) $(datagram 0 ::1 5000)" "$answer $answer"
kill -KILL "$(pgrep -x dockerd)"
ok 'after a kill -9 of dockerd no proxy is left' until_true no_proxies
wait "$dockerd"
is '... and no port is held' "$(bound 3456 5000 9000 9003)" ''
finish
