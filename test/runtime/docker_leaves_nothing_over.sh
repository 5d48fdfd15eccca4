#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# However dockerd ends, its docker-proxies end with it; when it is started again the ports are there as they were; and
# when the last container is gone nothing is left.
. "${0%/*}/../tap.sh"
. "${0%/*}/../machine.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../docker.sh"

claims() {
	container web --restart always -p 8080:80 -p 127.0.0.1:9000-9009:9000-9009 -p 5000:53/udp -- tcp:80 tcp:9000-9009 udp:53 >/dev/null
	is "$how: it is published" "$(proxies) $(web 0 127.0.0.1 9009) $(datagram "$lan" 192.0.2.1 5000)" \
		'14 hello from web hello from web'

	end_dockerd KILL
	ok "$how: after a kill -9 of dockerd no proxy is left" until_true no_proxies
	is "$how: ... and no port is held" "$(bound 8080 9000 9009 5000)" ''
	dockerd "$@"
	ok "$how: the next dockerd starts the container" until_true serving web
	is "$how: ... and its ports answer" "$(proxies) $(web 0 127.0.0.1 9009) $(datagram "$lan" 192.0.2.1 5000)" \
		'14 hello from web hello from web'

	end_dockerd TERM
	ok "$how: after an end in peace there is none either" no_proxies
	dockerd --live-restore "$@"
	until_true serving web
	pid=$(docker inspect -f '{{.State.Pid}}' web)
	for signal in TERM KILL; do
		end_dockerd $signal
		ok "$how: with containers that live on, no proxy is left of dockerd that SIG$signal ended" until_true no_proxies
		dockerd --live-restore "$@"
		is "$how: ... and the next starts each once, for the same container" "$(docker inspect -f '{{.State.Pid}}' web) $(proxies) $(web "$lan" 192.0.2.1 8080)" \
			"$pid 14 hello from web"
	done

	# What dockerd does not notice: the port is dead, and comes back with the container.
	# shellcheck disable=SC2046 # words are wanted
	kill -KILL $(pgrep -x docker-proxy)
	ok "$how: proxies that were killed are gone" until_true no_proxies
	docker restart web >/dev/null
	until_true serving web
	is "$how: docker restart has them back" "$(proxies) $(web 0 127.0.0.1 9009)" '14 hello from web'
	docker rm -f web >/dev/null
	is "$how: docker rm leaves nothing" "$(left_behind)" ''
	end_dockerd TERM
}

how='dockerd'
# shellcheck disable=SC2119 # it has arguments of its own
begin
claims
how='dockerd --iptables=false'
forget_rules
dockerd --iptables=false
claims --iptables=false
how='dockerd --iptables=false, docker-proxy.kernel = on'
echo 'docker-proxy.kernel = on' >/etc/portpub.conf
unset PORTPUB_CONFIG
dockerd --iptables=false
claims --iptables=false
finish
