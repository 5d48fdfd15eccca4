#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Publish 127.0.0.1:3456:3000/tcp to a throwaway container, a network namespace with a small HTTP server,
# and ask it. Everything happens in namespaces of its own: no root, nothing left over.
set -eu
: "${PORTPUB:?}" "${HELLO:?}"
spec=127.0.0.1:3456:3000/tcp

if [ -z "${DEMO_INSIDE:-}" ]; then
	for how in -Urnm -nm; do # root can do without a user namespace
		unshare $how true 2>/dev/null && DEMO_INSIDE=1 exec unshare $how "$0"
	done
	echo 'demo: no user namespaces here (see user.max_user_namespaces); this is what would be done:' >&2
	exec "$PORTPUB" explain --to 10.0.0.2 "$spec"
fi
PORTPUB_RUNTIME_DIR=$(mktemp -d)
export PORTPUB_RUNTIME_DIR

ip link set lo up
unshare -n sleep 60 &
container=$!
server=
trap 'kill $container $server 2>/dev/null; rm -rf "$PORTPUB_RUNTIME_DIR"' EXIT
while [ "$(readlink /proc/$container/ns/net)" = "$(readlink /proc/self/ns/net)" ]; do sleep 0.02; done

ip link add veth0 type veth peer name eth0 netns "$container"
ip addr add 10.0.0.1/24 dev veth0
ip link set veth0 up
nsenter -t "$container" -n sh -c 'ip link set lo up; ip link set eth0 up; ip addr add 10.0.0.2/24 dev eth0
	ip route add default via 10.0.0.1'
mkfifo_dir=$(mktemp -d)
mkfifo "$mkfifo_dir/ready"
nsenter -t "$container" -n "$HELLO" 3000 "the container" >"$mkfifo_dir/ready" &
server=$!
read -r _ <"$mkfifo_dir/ready"
rm -r "$mkfifo_dir"

show() {
	say "$@"
	"$PORTPUB" "$@" 2>&1
}
say() { printf '\n$ portpub %s\n' "$*"; }

echo 'A container at 10.0.0.2 listens on port 3000. Publish that on 127.0.0.1:3456, for this host alone:'
show explain --to 10.0.0.2 "$spec"
show add --no-keeper --id web "$spec"
printf '\n$ curl http://127.0.0.1:3456/\n'
curl -sS --max-time 5 http://127.0.0.1:3456/
show list
show who 3456
show check
show del web
