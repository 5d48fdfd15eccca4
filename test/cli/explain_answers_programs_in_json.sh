#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The shape that portpub(8) promises, as jq sees it.
. "${0%/*}/../tap.sh"

query() { # CLAIM FILTER WANTED ARGUMENT...
	claim=$1 filter=$2 wanted=$3
	shift 3
	run "$PORTPUB" explain --json "$@"
	is "$claim" "$(printf '%s' "$out" | jq -c "$filter")" "$wanted"
}

query 'a publication is the promised object' .publications \
	'[{"protocol":"tcp","address":"127.0.0.1","host_port":3456,"container_port":3000,"count":1}]' \
	127.0.0.1:3456:3000/tcp
query 'a range is one object with a count' '.publications[0].count' 65535 1-65535:1-65535
query 'a pool has its last port' '.publications[0] | [.host_port, .host_port_last, .count]' '[8000,8010,1]' 8000-8010:80
query 'a free port is 0' '.publications[0].host_port' 0 80
query 'every address is empty' '.publications[0].address' '""' 80:80
query 'each way in has its path' '[.paths[] | [.family, .address_class, .path]]' \
	'[["ipv4","any","kernel"],["ipv4","loopback","kernel"],["ipv6","any","kernel"],["ipv6","loopback","userspace"],["ipv6","link-local","userspace"]]' \
	80:80
query 'each path has its reason in words' '[.paths[].reason | length > 10] | all' true 80:80
query 'publications share the paths they have in common' '[.paths[] | [.address_class, .publications]]' \
	'[["loopback",[0,2]],["specific",[1]]]' 127.0.0.1:80:80 10.0.0.1:80:80 127.0.0.2:80:80
query 'the target is told' .target '{"ipv4":"10.0.0.2","ipv6":"fd00::2"}' 80:80 --to fd00::2,10.0.0.2
query 'half a target is told as half' .target '{"ipv4":null,"ipv6":"fd00::2"}' 80:80 --to fd00::2
query 'no target is null' .target null 80:80
query 'details stand beside publications' .details \
	'[{"spec":"80:80/tcp","open_to":"every network","port_class":"standard","port_class_last":"standard","service":"http"}]' 80:80
query 'a free port has no class yet' '.details[0] | [.port_class, .service]' '[null,null]' 80
query 'a warning names its publication' .warnings \
	'["80:80/tcp: reachable from every network; 127.0.0.1:80:80 limits it to this host"]' 80:80
query 'no warning is an empty list' .warnings '[]' 127.0.0.1:80:80
query 'specs and a document add up' '[.publications[].host_port]' '[80,81]' 80:80 --from "$(
	printf '[{"publishedAs":81,"fromContainerPort":81}]' >"$tap_tmp/d"
	echo "$tap_tmp/d"
)"
query 'not every network can reach it with an allow list' .warnings '[]' 80:80 --allow 10.0.0.0/8
query 'which changes nothing about an address that no host owns' .warnings \
	'["224.0.0.1:80:80/tcp: 224.0.0.1 is a multicast or broadcast address: no host owns it"]' 224.0.0.1:80:80 --allow 10.0.0.0/8
query 'networks that overlap are one' .allow '["10.0.0.0/8","2001:db8::/32"]' 80:80 --allow 2001:db8::/32 \
	--allow 10.1.0.0/16 --allow 10.0.0.0/8
printf '{"portMappings":[]}' >"$tap_tmp/empty"
query 'an empty document has the same shape' . \
	'{"publications":[],"paths":[],"target":null,"allow":[],"details":[],"warnings":[]}' --from "$tap_tmp/empty"
printf '[80, "81:81"]' >"$tap_tmp/list"
query 'the dialect may be forced' '[.publications[].host_port]' '[0,81]' --from "$tap_tmp/list" --dialect compose
run "$PORTPUB" explain --from "$tap_tmp/list" --dialect disco
has 'a forced dialect is held to' "$status $err" '[0]: must be an object with publishedAs and fromContainerPort'
finish
