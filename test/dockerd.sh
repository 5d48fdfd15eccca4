# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # what is set here is read by those who source it; tap.sh makes the directory
# For tests of docker-proxy: source this after hosts.sh. A claim that holds for the real one as well is made of both,
# so that nobody reads the contract in a way of their own; where it does not hold, the script says what the real one
# does. $DOCKER_PROXY is the real one.
: "${HELPERS:?the directory of the programs that help}"
ln -s "$PORTPUB" "$tap_tmp/docker-proxy"
name=portpub proxy=$tap_tmp/docker-proxy
real=${DOCKER_PROXY:-$(command -v docker-proxy)}

# both FUNCTION: it makes its claims of $name, which is $proxy: first of portpub, then of the real docker-proxy.
both() {
	name=portpub proxy=$tap_tmp/docker-proxy
	"$@"
	name=docker-proxy proxy=$real
	if [ -n "$real" ]; then "$@"; else skip "docker-proxy: $*" 'the real docker-proxy is not here'; fi
	name=portpub proxy=$tap_tmp/docker-proxy
}

# flags HOST_IP HOST_PORT CONTAINER_IP CONTAINER_PORT [PROTOCOL]
flags() { echo "-proto ${5:-tcp} -host-ip $1 -host-port $2 -container-ip $3 -container-port $4"; }

# said FILE: what dockerd has heard up to now, in one line; not who, nor how long it took.
said() { sed '/^pid /d; /^took /d' "$1" | paste -sd ' '; }

# start ARGUMENT...: $proxy, until dockerd has its answer. $dockerd is dockerd, $child the proxy. Options for
# as_dockerd are in $order, and how it is called, if not by itself, in $by.
start() {
	: >"$tap_tmp/said"
	# shellcheck disable=SC2086 # words are wanted
	"$HELPERS/as_dockerd" ${order:-} ${by:-} "$proxy" "$@" >"$tap_tmp/said" &
	dockerd=$!
	pids="$pids $dockerd"
	until_true grep -q '^pid' "$tap_tmp/said"
	child=$(sed -n 's/^pid //p' "$tap_tmp/said")
}

# stop [SIGNAL]: through dockerd. $ended is how, $took the microseconds.
stop() {
	kill "-${1:-TERM}" "$dockerd"
	wait "$dockerd"
	ended=$(grep -E '^(exit|signal)' "$tap_tmp/said")
	took=$(sed -n 's/^took //p' "$tap_tmp/said")
}

# try ARGUMENT...: all that dockerd hears of one that should fail.
try() {
	# shellcheck disable=SC2086 # words are wanted
	timeout 5 "$HELPERS/as_dockerd" ${order:-} ${by:-} "$proxy" "$@" >"$tap_tmp/tried"
	said "$tap_tmp/tried"
}

# listens PORT: the sockets of this host there, TCP and UDP: address and process.
listens() {
	ss -Hlntup "sport = :$1" | awk '{split($7, p, "pid="); sub(/,.*/, "", p[2]); print $1, $5, p[2]}' | sort
}
