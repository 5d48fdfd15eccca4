#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What the kubelet asks containerd for: host ports of pods answer this host and others, a port that another pod has is
# refused with its name, and whatever is stopped, once more or half done, leaves nothing.
. "${0%/*}/../tap.sh"
. "${0%/*}/../machine.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../containerd.sh"
. "${0%/*}/../cri.sh"

# What the plugin is asked: the command, and whether a network namespace is named.
rm $plugins/portpub
cat >$plugins/portpub <<PLUGIN
#!/bin/sh
echo "\$CNI_COMMAND\${CNI_NETNS:+ NETNS}" >>$tap_tmp/calls
exec $PORTPUB
PLUGIN
chmod 755 $plugins/portpub
calls() { tail -n "$1" "$tap_tmp/calls" | tr '\n' ';'; }

begin "$contrib/cni/containerd/10-portpub.conflist"
make_image

pod web tcp:3456:3000:127.0.0.1 udp:5000:8000 tcp:8080:3000
web=$pod
for at in "0 127.0.0.1 3456" "0 127.0.0.1 8080" "0 192.0.2.1 8080" "0 [2001:db8::1] 8080" "$lan 192.0.2.1 8080" "$lan [2001:db8::1] 8080"; do
	# shellcheck disable=SC2086 # words are wanted
	is "TCP to ${at#* } from $(echo "$at" | sed 's/^0 .*/this host/; s/^[1-9].*/outside/')" "$(web $at)" 'hello from web'
done
for at in "0 127.0.0.1 5000" "0 192.0.2.1 5000" "$lan 192.0.2.1 5000" "$lan 2001:db8::1 5000"; do
	# shellcheck disable=SC2086 # words are wanted
	is "UDP to ${at#* } from $(echo "$at" | sed 's/^0 .*/this host/; s/^[1-9].*/outside/')" "$(datagram $at)" 'hello from web'
done
is 'what is for this host alone is' "$(web "$lan" 192.0.2.1 3456)" 'curl: 7'
is 'the pod sees who asks' "$(ask "$lan" http://192.0.2.1:8080/)" 'hello from web, 192.0.2.2'
is 'the pod reaches its own port' "$(web "$(process "$web")" 10.22.0.1 8080)" 'hello from web'

run pod other tcp:9000:3000 tcp:8080:3000
is 'a port of another pod is refused' "$status" 1
has '... with the name of that one' "$error" "host port 0.0.0.0:8080/tcp is already published by cni-$(echo "$web" | cut -c1-12)-"
is '... after which containerd takes back what it has not got' "$(calls 3)" 'ADD NETNS;ADD NETNS;DEL NETNS;'
is '... and the first pod has its ports still' "$(web "$lan" 192.0.2.1 8080)" 'hello from web'
is '... alone' "$("$PORTPUB" list --json | jq length)" 1

# What Kubernetes asks of each implementation: one port, for three pods.
pod first tcp:9000:3000:127.0.0.1
first=$pod
pod second tcp:9000:3000:192.0.2.1
second=$pod
pod third udp:9000:8000:192.0.2.1
third=$pod
is 'pods with the same port and other addresses, or another protocol, do not conflict' \
	"$(web 0 127.0.0.1 9000), $(web "$lan" 192.0.2.1 9000), $(datagram "$lan" 192.0.2.1 9000)" \
	'hello from first, hello from second, hello from third'
is 'pods reach each other by them' "$(web "$(process "$first")" 192.0.2.1 9000)" 'hello from second'
run "$PORTPUB" check
is 'records and kernel agree' "$status $out$err" '0 '

# As many as want it at once: each asks with files of its own.
race() {
	tap_tmp=$tap_tmp/$1
	mkdir "$tap_tmp"
	pod "race$1" tcp:7000:3000 && echo "$pod" >"$tap_tmp/pod"
}
racers=
for i in 1 2 3 4; do
	race $i &
	racers="$racers $!"
done
# shellcheck disable=SC2086 # words are wanted
wait $racers
is 'of four that want a port at once, one has it' \
	"$(cat "$tap_tmp"/[1-4]/pod | wc -l) $(web "$lan" 192.0.2.1 7000 | tr -d 1-4)" '1 hello from race'
racer=$(cat "$tap_tmp"/[1-4]/pod)

kill -KILL $containerd
wait $containerd 2>/dev/null
is 'without containerd the ports are there' "$(web "$lan" 192.0.2.1 8080)" 'hello from web'
containerd
is '... and with the next' "$(web "$lan" 192.0.2.1 8080)" 'hello from web'

for each in $web $first $second $third $racer; do
	stop_pod "$each" || echo "$error"
done >"$tap_tmp/stopped"
is 'stop: it succeeds' "$(cat "$tap_tmp/stopped")" ''
is '... and takes the ports along' "$(web "$lan" 192.0.2.1 8080) $(web 0 127.0.0.1 9000)" 'curl: 7 curl: 7'
is '... all of them' "$(left_behind)" ''
ok 'stopped once more, nobody minds' stop_pod "$web"
is '... and the plugin is asked, without a network namespace' "$(calls 2)" 'DEL NETNS;DEL;'
attempt=1
pod web tcp:8080:3000
is 'the next attempt has the port' "$(web "$lan" 192.0.2.1 8080)" 'hello from web'
ok 'remove: it succeeds, of what runs' remove_pod "$pod"
is '... and leaves nothing' "$(left_behind)" ''
finish
