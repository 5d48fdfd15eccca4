#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A keeper ends with its container, by its process or by the path of its network namespace, with its lease, and by del;
# then nothing is left of it: no rule, no connection, no record, no file, no sysctl. del of one of several publications
# leaves the others served.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../publish.sh"

serve "$container" 80 container
serve "$neighbour" 80 neighbour
for proto in tcp udp; do talker "$container" $proto 90 container; done
# Every sysctl as it was, before anything was published.
echo 0 >/proc/sys/net/ipv4/ip_forward
first=$(sysctls)
[ -r /proc/net/nf_conntrack ] || skip_all 'no /proc/net/nf_conntrack here'
flows() { grep -c 'dport=90 .*src=10.0.0.2' /proc/net/nf_conntrack; }
gone() { has_keepers 0 && [ -z "$(left_over)" ] && [ "$(sysctls)" = "$first" ]; }
# ends CLAIM COMMAND...: after that, all is gone.
ends() {
	promise=$1
	shift
	pid=$(keeper web)
	"$@"
	until_true gone
	is "$promise: nothing is left" "$(keepers)$(left_over) $("$PORTPUB" list)" ' '
	is "$promise: the sysctls are as they were" "$(sysctls)" "$first"
	is "$promise: nobody holds the ports" "$(ss -Hltun)" ''
	ok "$promise: the process has ended" has_ended "$pid"
	is "$promise: no connection of it is left" "$(flows)" 0
	is "$promise: check agrees" "$("$PORTPUB" check 2>&1)" ''
}
# With what it has to take along: loopback, forwarding, both protocols, a flow of each.
# shellcheck disable=SC2086 # words are wanted
publish() {
	ok "$1" keep --id web $2 80:80 127.0.0.1:81:80 90:90 90:90/udp
	tcp "$lan" 5000 192.0.2.1 90
	is "$1: it is served" "$(ask "$lan" http://192.0.2.1/) $(says) $(udp "$lan" 5001 192.0.2.1 90) $(ask 0 'http://[::1]/')" \
		"hello from container, 192.0.2.2 container container hello from container, ${3:-10.0.0.1}"
	ok "$1: as flows" test "$(flows)" -ge 2
}
hang_up() { exec 7>&-; rm -f "$tap_tmp/in5000"; }

publish 'by an address' '--to 10.0.0.2'
ends 'del of its id' del web
hang_up
publish 'by an address' '--to 10.0.0.2'
ends 'del of everything' del --all
hang_up
publish 'by a lease' '--to 10.0.0.2 --ttl 4s'
ends 'the end of the lease' true
hang_up

# A container that is named by a process: one inside, which may end before the others.
inside() {
	nsenter -t "$container" -n sleep 300 &
	main=$!
	pids="$pids $main"
	until_true sh -c "[ \"\$(readlink /proc/$main/ns/net)\" = \"\$(readlink /proc/$container/ns/net)\" ]"
}
inside
publish 'by a process' "--pid $main" fd00::1
ends 'the end of its process' release "$main"
hang_up
inside
publish "by a process's namespace" "--netns /proc/$main/ns/net" fd00::1
ends 'the end of that process' release "$main"
hang_up

# Whichever way that is written: by a link, as is often made for ip netns, or with a detour.
# shellcheck disable=SC2016 # expanded when there is the process
for how in '$tap_tmp/link' '/proc/$main/task/$main/ns/net' '//proc/./$main/fd/../ns/net' '/proc/$main/root/proc/$main/ns/net'; do
	inside
	ln -sf "/proc/$main/ns/net" "$tap_tmp/link"
	# shellcheck disable=SC2086 # words are wanted
	path=$(eval "echo $how")
	ok "$how is a process's, too" keep --id web --netns "$path" 80:80
	ends "the end of the process of $how" release "$main"
done

# By a path, which is bound as ip netns does it, and goes in any of the ways there are.
bind_netns() {
	mkdir -p "$tap_tmp/netns"
	: >"$tap_tmp/netns/web"
	mount --bind "/proc/$container/ns/net" "$tap_tmp/netns/web"
}
unbind() { umount "$tap_tmp/netns/web"; }
unlink_netns() { unbind && rm "$tap_tmp/netns/web"; }
unlink_lazily() { umount -l "$tap_tmp/netns/web" && rm "$tap_tmp/netns/web"; }
bind_netns
publish 'by a path' "--netns $tap_tmp/netns/web" fd00::1
: >"$tap_tmp/netns/other"
rm "$tap_tmp/netns/other"
is 'what goes beside it is nothing to it' "$(keeper web)$("$PORTPUB" check)" "$(keepers)"
# More goes than the kernel keeps in mind for who is stopped, and then it does not tell what: the path is looked at.
most=$(cat /proc/sys/fs/inotify/max_queued_events)
overflow() {
	kill -STOP "$pid"
	(cd "$tap_tmp/netns" && seq $((most + 1)) | xargs touch && seq $((most + 1)) | xargs rm)
	"$@"
	kill -CONT "$pid"
}
if [ "$most" -gt 100000 ]; then
	skip 'what goes beside it, untold' "so many files: $most"
else
	pid=$(keeper web)
	overflow true
	until_true is_waiting "$pid"
	is 'nor is what goes beside it untold' "$(keeper web)$("$PORTPUB" check)" "$pid"
	ends 'the end of the path, untold' overflow unlink_netns
	hang_up
	bind_netns
	publish 'by a path' "--netns $tap_tmp/netns/web" fd00::1
fi
ends 'the end of the path' unlink_netns
hang_up
bind_netns
publish 'by a path' "--netns $tap_tmp/netns/web" fd00::1
ends 'the end of a path that is unmounted lazily' unlink_lazily
hang_up
bind_netns
ln -sf netns/web "$tap_tmp/link"
publish 'by a link' "--netns $tap_tmp/link" fd00::1
ends 'the end of the path that a link leads to' unlink_netns
hang_up

# A path that is renamed is gone, too; and a relative one is found wherever the keeper is.
: >"$tap_tmp/netns/web"
run "$PORTPUB" add --id web --netns "$tap_tmp/netns/web" 80:80
is 'a file that is no namespace is none' "$status $(keepers)" '2 '
mkdir "$tap_tmp/run-netns"
bind_netns
cd "$tap_tmp" || exit 1
publish 'by a relative path' '--netns netns/web' fd00::1
cd / || exit 1
ends 'the end of a directory of namespaces' sh -c "umount '$tap_tmp/netns/web' && mv '$tap_tmp/netns' '$tap_tmp/moved'"
hang_up

# Who has ended already.
sh -c 'exit 0' &
dead=$!
wait $dead
run "$PORTPUB" add --id web --to 10.0.0.2 --pid $dead 80:80
is 'a process that has ended is none' "$status $out $(keepers)$(left_over)" '1  '
run "$PORTPUB" add --id web --netns "$tap_tmp/netns/web" 80:80
is 'nor is a path that has gone' "$status $out $(keepers)$(left_over)" '1  '

# One of several.
keep --to 10.0.0.2,fd00::2 --id web 80:80 85:80 127.0.0.1:81:80 90:90 90:90/udp >/dev/null 2>&1
before=$(keeper web)
tcp "$lan" 5000 192.0.2.1 90
connection=5000
is 'a client is connected by the kernel' "$(says)" container
mkfifo "$tap_tmp/in6"
"$HELPERS/talk" tcp 5006 ::1 90 <"$tap_tmp/in6" >"$tap_tmp/out6" &
client=$!
pids="$pids $client"
exec 8>"$tap_tmp/in6"
echo hello >&8
ok 'and another in userspace' until_true grep -q container "$tap_tmp/out6"
run del 85:80
is 'one of several is removed' "$status $err" '0 '
is 'it is closed, and its port is free' "$(ask "$lan" http://192.0.2.1:85/) $(ask 0 'http://[::1]:85/')" 'curl: 7 curl: 7'
hold $$ tcp '' 85
is 'for others to have' "$(ss -Hltn 'sport = :85' | wc -l)" 1
is 'the others are served' "$(ask "$lan" http://192.0.2.1/) $(ask 0 'http://[::1]/') $(ask 0 http://127.0.0.1:81/)" \
	'hello from container, 192.0.2.2 hello from container, fd00::1 hello from container, 10.0.0.1'
is 'the connection of the kernel lives' "$(says)" container
echo hello >&8
ok 'and so does that of userspace' until_true sh -c "[ \$(grep -c container '$tap_tmp/out6') = 2 ]"
ok 'it has another keeper' test "$before" != "$(keeper web)"
is 'the old one lives for its connection' "$(has_ended "$before" || echo lives)" lives
is 'check agrees' "$("$PORTPUB" check)" ''
exec 8>&-
release "$client"
ok 'and ends with it' until_true has_keepers 1
is 'its file with it' "$(find "$PORTPUB_RUNTIME_DIR" -path '*/kept/web/*' | wc -l)" 1
run del 80:80 127.0.0.1:81:80 90:90/udp
is 'of several at once the rest stays, too' "$status $(says) $(ask "$lan" http://192.0.2.1/)" '0 container curl: 7'
run del 90:90
is 'with the last one all is gone' "$status $(keepers)$(left_over)" '0 '
is 'and the connection is cut off' "$(says)" closed
finish
