# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2154 # what is used here and set elsewhere is by machine.sh, tap.sh and who sources it
# Containers of an engine that has Docker's commands: $engine, with the arguments $parent for each. docker.sh and
# podman.sh source it.
unset HTTP_PROXY HTTPS_PROXY http_proxy https_proxy

# import: the image test, of $rootfs.
import() { tar -C "$rootfs" --owner=0 --group=0 -c . | $engine import --change 'ENV PATH=/bin' - test; }

pid_of() { $engine inspect -f '{{.State.Pid}}' "$1"; }

# serving NAME: a condition to wait for: all servers of this container listen.
serving() { [ "$(nsenter -t "$(pid_of "$1")" -n ss -Hlntu | wc -l)" = "$(cat "$tap_tmp/servers$1")" ]; }

# container NAME [ARGUMENT...] -- PROTOCOL:PORT[-PORT]...: one that serves these already, and ends at once.
container() {
	container=$1 arguments=
	shift
	while [ "$1" != -- ]; do
		arguments="$arguments $1"
		shift
	done
	shift
	for each in "$@"; do
		ports=${each#*:}
		seq "${ports%-*}" "${ports#*-}"
	done | wc -l >"$tap_tmp/servers$container"
	# shellcheck disable=SC2086 # words are wanted
	$engine run -d --name "$container" --stop-signal KILL $parent $arguments test serve "$container" "$@" &&
		until_true serving "$container"
}
