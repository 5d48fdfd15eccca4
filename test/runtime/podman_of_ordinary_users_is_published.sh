#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# An ordinary user publishes ports of a container of podman beside it, whatever its network and its users, by add or run,
# or by the hook, and all of it ends with the container.
# shellcheck disable=SC2034 # what is set here is for engine.sh, too
. "${0%/*}/../tap.sh"
. "${0%/*}/../machine.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../podman.sh"
need_programs slirp4netns newuidmap newgidmap

ordinary_user
parent= # they have no control groups
rm /etc/containers/storage.conf # its directories are root's
podman() { as_user podman "$@"; }
portpub() { as_user "$PORTPUB" "$@"; }
hook=$(realpath "${0%/*}/../../contrib/oci/portpub.json")
cd / || exit 1
make_rootfs
import >"$tap_tmp/import" 2>&1 || skip_all "podman does not start here: $(tail -n 1 "$tap_tmp/import")"
run podman run --rm --network slirp4netns test sh -c true
[ "$status" = 0 ] || skip_all "podman has no containers of ordinary users here: $err"
# name ASK...: of who answers.
name() { "$@" | sed 's/hello from \([a-z]*\), .*/\1/'; }
leaves_nothing_of_theirs() {
	gone() { ! pgrep -x -r D,R,S,T portpub-keeper && [ -z "$(ss -Hlntu)" ]; }
	until_true gone
	is "$1" "$(portpub list)$(ss -Hlntu)$(pgrep -a -x -r D,R,S,T portpub-keeper)$(find /run/user/$uid/portpub -mindepth 3)" ''
}

# claims ADD-ARGUMENT... -- PODMAN-ARGUMENT...
claims() {
	how='' add=''
	while [ "$1" != -- ]; do
		add="$add $1"
		shift
	done
	shift
	how="$*"
	container web "$@" -- tcp:8000 udp:8053 >/dev/null
	pid=$(pid_of web)
	# shellcheck disable=SC2086 # words are wanted
	run portpub add --pid "$pid" --id web $add 8080:8000 127.0.0.1:8081:8000 5000:8053/udp
	is "$how: add" "$status $out" '0 web  8080:8000/tcp
web  127.0.0.1:8081:8000/tcp
web  5000:8053/udp'
	is "$how: they answer" "$(name web 0 127.0.0.1 8081) $(name web 0 '[::1]' 8080) $(name web "$lan" 192.0.2.1 8080) $(name web "$lan" '[2001:db8::1]' 8080)" \
		'web web web web'
	is "$how: ... UDP, too" "$(name datagram 0 127.0.0.1 5000) $(name datagram "$lan" 192.0.2.1 5000) $(name datagram "$lan" 2001:db8::1 5000)" 'web web web'
	is "$how: what is for this host alone is" "$(web "$lan" 192.0.2.1 8081)" 'curl: 7'
	run portpub check
	is "$how: check agrees" "$status $out$err" '0 '
}

for arguments in '' '--user 1000:1000' '--userns keep-id'; do
	# shellcheck disable=SC2086 # words are wanted
	claims -- --network slirp4netns $arguments
	portpub del web
	leaves_nothing_of_theirs "$how: del leaves nothing"
	portpub add --pid "$pid" --id web 8080:8000 5000:8053/udp >/dev/null 2>&1
	podman rm -f web >/dev/null
	leaves_nothing_of_theirs "$how: podman rm -f leaves nothing"
done

claims --to 127.0.0.1 -- --network none
kill -KILL "$pid"
leaves_nothing_of_theirs "$how: a kill of the container leaves nothing"
podman rm -f web >/dev/null

container web --network slirp4netns -- tcp:8000 udp:8053 >/dev/null
as_user "$PORTPUB" run --pid "$(pid_of web)" 8080:8000 >"$tap_tmp/run" 2>/dev/null &
run=$!
until_true grep -q 8080 "$tap_tmp/run"
is 'run: it answers' "$(name web "$lan" 192.0.2.1 8080)" web
run podman run --name other --network slirp4netns -p 8080:80 test true
has 'run: its port is not to be had by others' "$err" 'address already in use'
podman stop web >/dev/null
wait $run
is 'run: ends with the container' "$?" 0
leaves_nothing_of_theirs 'run: and leaves nothing'

# The hook, as contrib/oci/README has it for them.
podman rm web >/dev/null
ln -sf "$PORTPUB" /usr/local/bin/portpub
jq --arg runtime "XDG_RUNTIME_DIR=/run/user/$uid" '.hook.env = [$runtime]' "$hook" >"$hooks/portpub.json"
container web --network slirp4netns --annotation portpub.ports=8080:8000 -- tcp:8000 udp:8053 >/dev/null
is 'hook: it answers' "$(name web "$lan" 192.0.2.1 8080) $(name web 0 '[::1]' 8080)" 'web web'
kill -KILL "$(pgrep -x portpub-keeper)"
is 'hook: without its keeper nobody notices the end' "$(portpub list --json | jq length)" 1
podman rm -f web >/dev/null
leaves_nothing_of_theirs 'hook: ... but podman, which leaves nothing'
podman rm -fa >/dev/null 2>&1
podman system migrate # ends what it leaves of each user
finish
