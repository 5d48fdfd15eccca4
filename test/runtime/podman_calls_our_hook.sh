#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# podman with contrib/oci/portpub.json: a container with an annotation has its ports, by crun and by runc, or does not
# start, and whatever its end nothing is left.
# shellcheck disable=SC2086 # words are wanted
. "${0%/*}/../tap.sh"
. "${0%/*}/../machine.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../podman.sh"
oci=$(realpath "${0%/*}/../../contrib/oci")
export PATH="/usr/local/bin:$PATH"
ln -sf "$PORTPUB" /usr/local/bin/portpub
cp "$oci/portpub.json" "$hooks"
begin
use_plugin portpub

. "${0%/*}/../publish.sh"
unset PORTPUB_RUNTIME_DIR # as it is on a machine
published() { portpub list --json | jq '[.[].publications | length] | add // 0'; }
echo 2 >"$tap_tmp/serversweb"
# serve_it ANNOTATION [ARGUMENT...]: the container web, with these ports.
serve_it() {
	ports=$1
	shift
	podman --runtime "$runtime" run -d --name web --stop-signal KILL $parent "$@" \
		--annotation "portpub.ports=$ports" test serve web tcp:80 udp:53 >"$tap_tmp/podman" 2>&1
}

claims() {
	command -v "$runtime" >/dev/null || {
		skip "podman calls our hook by $runtime" "$runtime is not installed"
		return
	}
	ok "$runtime: a container with an annotation starts" serve_it '8080:80 5000:53/udp'
	is "$runtime: its ports are published by then" "$(published)" 2
	until_true serving web
	is "$runtime: from outside, the client is who it is" "$(web "$lan" 192.0.2.1 8080) $(ask_udp "$lan" 192.0.2.1 5000)" \
		'hello from web, 192.0.2.2 hello from web, 192.0.2.2'
	is "$runtime: from this host, by ::1, too" "$(web 0 127.0.0.1 8080 | cut -d, -f1) $(web 0 '[::1]' 8080 | cut -d, -f1)" \
		'hello from web hello from web'

	kill -KILL "$(pgrep -x portpub-keeper)"
	podman stop -t 0 web >"$tap_tmp/podman" 2>&1
	is "$runtime: podman takes them back where no keeper does" "$(published)" 0
	podman start web >"$tap_tmp/podman" 2>&1
	until_true serving web
	is "$runtime: they are back with the container" "$(published) $(web "$lan" 192.0.2.1 8080 | cut -d, -f1)" '2 hello from web'
	podman rm -f -t 0 web >"$tap_tmp/podman" 2>&1
	leaves_nothing "$runtime: it is removed, and nothing is left"

	hold $$ udp 0.0.0.0 5000
	ok "$runtime: with a port taken it does not start" sh -c "! podman --runtime $runtime run --name web --annotation 'portpub.ports=8080:80 5000:53/udp' \
		--annotation run.oci.hooks.stderr=$tap_tmp/hook $parent test true >'$tap_tmp/podman' 2>&1"
	has "$runtime: ... by whom is said" "$(cat "$tap_tmp/podman" "$tap_tmp/hook" 2>/dev/null)" "5000:53/udp: already in use by hold (pid $holder)"
	release "$holder"
	podman rm -f -t 0 web >"$tap_tmp/podman" 2>&1
	leaves_nothing "$runtime: ... and nothing is left"
	rm -f "$tap_tmp/hook"
}
for runtime in crun runc; do claims; done

command -v crun >/dev/null || runtime=runc
ok 'a container of the network of this host cannot have its ports published' sh -c "! podman run --network host --annotation portpub.ports=8080:80 \
	$parent test true >'$tap_tmp/podman' 2>&1"
podman rm -fa >"$tap_tmp/podman" 2>&1
podman run -d --name web --stop-signal KILL $parent test serve web tcp:80 udp:53 >"$tap_tmp/podman" 2>&1
is 'without an annotation there is no hook' "$(podman inspect -f '{{.State.Status}}' web) $(published)" 'running 0'
podman rm -f -t 0 web >"$tap_tmp/podman" 2>&1

# The file for those whose annotations are not to have any port.
cp "$oci/nodeports.json" "$hooks/portpub.json"
for ports in 8080:80 '30080:80 22:80' 127.0.0.1:30080:80 30080-30081:80-81 ''; do
	serve_it "$ports"
	is "nodeports.json: \"$ports\" is not published" "$(podman inspect -f '{{.State.Status}}' web) $(published)" 'running 0'
	podman rm -f -t 0 web >"$tap_tmp/podman" 2>&1
done
serve_it '30080:80 30053:53/udp'
until_true serving web
is 'nodeports.json: what may be is' "$(published) $(web "$lan" 192.0.2.1 30080 | cut -d, -f1)" '2 hello from web'
podman rm -f -t 0 web >"$tap_tmp/podman" 2>&1
leaves_nothing 'in the end nothing is left'
finish
