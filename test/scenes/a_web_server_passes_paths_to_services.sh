#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# nginx at ports 80 and 443 redirects to https, and passes two paths to services that are not published: by every way it
# is one site, and its log has the clients.
. "${0%/*}/../tap.sh"
. "${0%/*}/../machine.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../scene.sh"
need_programs nginx openssl curl

serve "$neighbour" 3000 shop
serve "$container" 4000 blog
mkdir "$tap_tmp/nginx" "$tap_tmp/www"
head -c 24M /dev/urandom >"$tap_tmp/www/large"
want=$(sum "$tap_tmp/www/large")
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=site -keyout "$tap_tmp/key" -out "$tap_tmp/certificate" 2>/dev/null \
	-addext 'subjectAltName=IP:127.0.0.1,IP:::1,IP:192.0.2.1,IP:2001:db8::1'
cat >"$tap_tmp/nginx.conf" <<CONF
user root;
daemon off;
master_process off;
pid $tap_tmp/nginx/pid;
error_log $tap_tmp/nginx/errors;
events {}
http {
	log_format who '\$remote_addr \$scheme \$uri';
	access_log $tap_tmp/nginx/log who;
	client_body_temp_path $tap_tmp/nginx/body;
	proxy_temp_path $tap_tmp/nginx/proxy;
	fastcgi_temp_path $tap_tmp/nginx/fastcgi;
	uwsgi_temp_path $tap_tmp/nginx/uwsgi;
	scgi_temp_path $tap_tmp/nginx/scgi;
	server {
		listen 80;
		listen [::]:80;
		return 301 https://\$host\$request_uri;
	}
	server {
		listen 443 ssl http2;
		listen [::]:443 ssl http2;
		ssl_certificate $tap_tmp/certificate;
		ssl_certificate_key $tap_tmp/key;
		root $tap_tmp/www;
		location /shop { proxy_pass http://10.0.0.3:3000; }
		location /blog { proxy_pass http://127.0.0.1:4000; }
	}
}
CONF
serves "$container" nginx -p "$tap_tmp/nginx" -e "$tap_tmp/nginx/errors" -c "$tap_tmp/nginx.conf"
until_true listens "$container" 443 || cat "$tap_tmp/server" "$tap_tmp/nginx/errors" >&2

# get FROM URL...: by curl, which knows the certificate.
get() {
	where=$1
	if [ "$1" = 0 ]; then where=$$; fi
	shift
	at "$where" curl -sS --max-time 20 --cacert "$tap_tmp/certificate" "$@" 2>&1
}
# clients: who has asked for the shop, by nginx's log.
clients() { sed -n 's, https /shop$,,p' "$tap_tmp/nginx/log" | sort | uniq -c | awk '{print $1, $2}' | paste -sd ,; }

for how in auto userspace; do
	publish --via $how -p 80:80 -p 443:443
	id=${out%% *}
	: >"$tap_tmp/nginx/log"
	while read -r from address; do
		way=$(told "$from" "$address")
		is "$how: http redirects to https, $way" "$(get "$from" -o /dev/null -w '%{http_code} %{redirect_url}' "http://$address/shop")" \
			"301 https://$address/shop"
		is "$how: ... which is the shop, $way" "$(get "$from" -L "http://$address/shop" | cut -d, -f1)" 'hello from shop'
		is "$how: another path is the blog, $way" "$(get "$from" "https://$address/blog" | cut -d, -f1)" 'hello from blog'
		is "$how: a large file arrives, $way" "$(get "$from" "https://$address/large" | sum)" "$want"
	done <<WAYS
$ways
WAYS
	seen='3 10.0.0.1,3 fd00::1' # all of them by this host
	if [ $how = auto ]; then seen='1 10.0.0.1,1 192.0.2.1,1 192.0.2.2,1 2001:db8::1,1 2001:db8::2,1 fd00::1'; fi
	is "$how: nginx sees who they are" "$(clients)" "$seen"
	for port in 3000 4000; do
		is "$how: what is behind it is not published, port $port" "$(ask "$lan" http://192.0.2.1:$port/)" 'curl: 7'
	done
	unpublish "$id"
done
ok 'nginx has nothing to complain of' sh -c "! grep -E 'error|alert|crit|emerg' '$tap_tmp/nginx/errors'"
finish
