#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# ctr run --cni names no ports: those that the network itself has answer this host and others. In the foreground they go
# with the container, whose network namespace ctr does not name any longer. In the background it tells nobody of the end:
# the ports are those of whoever wants them next, or gc removes them.
. "${0%/*}/../tap.sh"
. "${0%/*}/../machine.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../containerd.sh"

# As the README there has it.
jq '.plugins[1].runtimeConfig.portMappings = [
	{"hostPort": 3456, "containerPort": 3000, "protocol": "tcp", "hostIP": "127.0.0.1"},
	{"hostPort": 8080, "containerPort": 80, "protocol": "tcp"},
	{"hostPort": 5000, "containerPort": 8000, "protocol": "udp"}]' \
	"$contrib/cni/containerd/10-portpub.conflist" >"$tap_tmp/10-ports.conflist"
begin "$tap_tmp/10-ports.conflist"

# container ARGUMENT... NAME: it serves all that its network publishes.
container() {
	for name in "$@"; do :; done
	ctr run --cni --null-io --cgroup "/$MACHINE_GROUP/$name" --rootfs "$@" /bin/serve "$name" tcp:3000 tcp:80 udp:8000
}
task() { ctr task ls | awk -v name="$1" '$1 == name {print $2}'; }
serves() { serving "$(task "$1")" 3; }
# end NAME: as its process does by itself.
end() {
	ctr task kill -s KILL "$1"
	until_true sh -c "ctr task ls | grep -q '^$1 .*STOPPED'"
	ctr task rm "$1" >/dev/null 2>&1
	ctr container rm "$1"
}
# answers NAME: who answers a client of each kind.
answers() {
	echo "$(web 0 127.0.0.1 3456), $(web 0 127.0.0.1 8080), $(web 0 192.0.2.1 8080), $(web 0 '[2001:db8::1]' 8080)," \
		"$(web "$lan" 192.0.2.1 8080), $(web "$lan" '[2001:db8::1]' 8080), $(datagram 0 127.0.0.1 5000)," \
		"$(datagram "$lan" 192.0.2.1 5000), $(datagram "$lan" 2001:db8::1 5000)"
}
all_from() { for _ in 1 2 3 4 5 6 7 8; do printf 'hello from %s, ' "$1"; done && echo "hello from $1"; }

container -d $rootfs web 2>"$tap_tmp/run"
ok 'ctr run -d: the container serves' until_true serves web
is '... and answers by its ports, this host and others' "$(answers)" "$(all_from web)"
is '... for this host alone where its network says so' "$(web "$lan" 192.0.2.1 3456)" 'curl: 7'
is '... by each by which the kernel can: ::1 takes a process' "$(web 0 '[::1]' 8080)" 'curl: 7'
is '... and sees who asks' "$(ask "$lan" http://192.0.2.1:8080/)" 'hello from web, 192.0.2.2'
is '... which the container can itself' \
	"$(ctr task exec --exec-id ask web /bin/wget -qO- http://10.22.0.1:8080/ | cut -d, -f1)" 'hello from web'
run "$PORTPUB" check
is 'records and kernel agree' "$status $out$err" '0 '

run container -d $rootfs other
has 'a second container of the network is refused, and told why' "$err" \
	'host port 127.0.0.1:3456/tcp is already published by cni-default-web-'
is '... which costs the first nothing' "$(answers)" "$(all_from web)"
ctr task rm -f other >/dev/null 2>&1
ctr container rm other 2>/dev/null

end web
is 'when it has ended, nobody has told us' "$("$PORTPUB" list --json | jq length)" 1
"$PORTPUB" watch 2>"$tap_tmp/watch" &
watch=$!
pids="$pids $watch"
until_true sh -c 'nft list tables | grep -q portpub-anchor'
nft flush ruleset
until_true "$PORTPUB" check
is '... and watch leaves that to gc, too' "$("$PORTPUB" list --json | jq length)" 1
container -d $rootfs next 2>"$tap_tmp/run"
until_true serves next
is '... and the next container gets its ports' "$(answers)" "$(all_from next)"
kill $watch
wait $watch
end next
run "$PORTPUB" gc
has 'gc knows that one has ended' "$err" 'removed cni-default-next-'
has '... by what it was in' "$err" ', whose network namespace is gone'
is '... and leaves nothing' "$(left_behind)" ''

container --rm $rootfs front >"$tap_tmp/front" 2>&1 &
front=$!
ok 'ctr run: in the foreground it serves' until_true serves front
is '... and answers' "$(answers)" "$(all_from front)"
ctr task kill -s KILL front
wait $front
is '... and leaves nothing when it ends' "$(left_behind)" ''
finish
