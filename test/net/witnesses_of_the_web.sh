#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# curl asks nginx: large files each way, many at once, a connection that is kept, and nginx told who its client is.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../forward.sh"
need curl nginx

mkdir "$tap_tmp/www" "$tap_tmp/nginx"
head -c 48M /dev/urandom >"$tap_tmp/www/large"
echo small >"$tap_tmp/www/small"
# One process: in this namespace there is no other user to become.
cat >"$tap_tmp/nginx.conf" <<CONF
user root;
daemon off;
master_process off;
pid $tap_tmp/nginx/pid;
error_log $tap_tmp/nginx/errors;
events { worker_connections 512; }
http {
	access_log off;
	client_max_body_size 1g;
	client_body_temp_path $tap_tmp/nginx/body;
	proxy_temp_path $tap_tmp/nginx/proxy;
	fastcgi_temp_path $tap_tmp/nginx/fastcgi;
	uwsgi_temp_path $tap_tmp/nginx/uwsgi;
	scgi_temp_path $tap_tmp/nginx/scgi;
	keepalive_requests 10000;
	server {
		listen 8080;
		listen [::]:8080;
		root $tap_tmp/www;
		dav_methods PUT;
	}
	server {
		listen 8081 proxy_protocol;
		listen [::]:8081 proxy_protocol;
		return 200 "\$proxy_protocol_addr \$proxy_protocol_port \$proxy_protocol_server_addr \$proxy_protocol_server_port\n";
	}
}
CONF
serves "$container" nginx -p "$tap_tmp/nginx" -e "$tap_tmp/nginx/errors" -c "$tap_tmp/nginx.conf"
until_true listens "$container" 8081 || cat "$tap_tmp/server" "$tap_tmp/nginx/errors" >&2
want=$(sum "$tap_tmp/www/large")
get() { at "$lan" curl -sS --max-time 60 "$@"; }

# carries HOW ARGUMENTS...: of a forwarder with these.
carries() {
	how=$1
	shift
	forward "$@" 4080:8080
	for host in 192.0.2.1 '[2001:db8::1]'; do
		is "$how, $host: a large file arrives" "$(get "http://$host:4080/large" | sum)" "$want"
		get -T "$tap_tmp/www/large" "http://$host:4080/put" >/dev/null
		is "$how, $host: a large file is put there" "$(sum "$tap_tmp/www/put")" "$want"
		rm -f "$tap_tmp/www/put"
	done
}
carries 'both families' --to 10.0.0.2,fd00::2
for n in 1 2 3 4; do
	nsenter -t "$lan" -n curl -sS --max-time 60 -o "$tap_tmp/down$n" http://192.0.2.1:4080/large &
	eval "down$n=\$!"
	nsenter -t "$lan" -n curl -sS --max-time 60 -T "$tap_tmp/www/large" "http://192.0.2.1:4080/up$n" &
	eval "up$n=\$!"
done
# shellcheck disable=SC2154 # set by eval
wait "$down1" "$down2" "$down3" "$down4" "$up1" "$up2" "$up3" "$up4"
is 'eight at once, four each way' "$(sum "$tap_tmp"/down? "$tap_tmp"/www/up? | sort | uniq -c | tr -s ' ')" " 8 $want"
rm -f "$tap_tmp"/down? "$tap_tmp"/www/up?
get -w '%{num_connects} %{http_code}\n' -o /dev/null 'http://192.0.2.1:4080/small?[1-500]' >"$tap_tmp/kept"
is 'five hundred requests on one connection' "$(sort "$tap_tmp/kept" | uniq -c | tr -s ' ' | paste -sd ' ')" ' 499 0 200  1 1 200'
get -o /dev/null -Z --parallel-max 50 -w '%{http_code}\n' 'http://192.0.2.1:4080/small?[1-500]' >"$tap_tmp/parallel"
is 'five hundred, fifty at once' "$(sort "$tap_tmp/parallel" | uniq -c | tr -s ' ')" ' 500 200'
stop
carries 'to IPv4 alone' --to 10.0.0.2
stop
carries 'to IPv6 alone' --to fd00::2
stop
carries 'to the loopback of the container, from inside' --pid "$container" --to 127.0.0.1
stop

# nginx reads the PROXY protocol of either version, whatever the family of the container.
for version in v1 v2; do
	for to in 10.0.0.2 fd00::2; do
		forward --to "$to" --proxy-protocol $version 4081:8081
		is "$version to $to: nginx is told of a client by IPv4" \
			"$(get --local-port 15001-15009 http://192.0.2.1:4081/ | sed 's/ 1500[1-9] / 1500N /')" \
			'192.0.2.2 1500N 192.0.2.1 4081'
		is "$version to $to: nginx is told of a client by IPv6" \
			"$(get --local-port 15001-15009 'http://[2001:db8::1]:4081/' | sed 's/ 1500[1-9] / 1500N /')" \
			'2001:db8::2 1500N 2001:db8::1 4081'
		stop
	done
done
ok 'nginx has nothing to complain of' sh -c "! grep -E 'error|alert|crit|emerg' '$tap_tmp/nginx/errors'"
finish
