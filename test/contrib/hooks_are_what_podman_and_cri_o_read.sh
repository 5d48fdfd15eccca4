#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# contrib/oci has hooks of schema 1.0.0, with what it calls required and no more, and with expressions that let through
# what they should.
. "${0%/*}/../tap.sh"

# shellcheck disable=SC2016 # variables are those of jq
schema='
	def all_of($keys): keys - $keys == [];
	all_of(["version", "hook", "when", "stages"]) and .version == "1.0.0" and
	(.hook | all_of(["path", "args", "env", "timeout"]) and (.path | startswith("/"))) and
	(.hook.args // [] | all(type == "string")) and (.hook.env // [] | all(type == "string")) and
	(.when | all_of(["always", "annotations", "commands", "hasBindMounts"]) and length > 0) and
	(.when.annotations // {} | all(type == "string")) and
	(.stages | length > 0 and all(IN("prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop")))'
for file in contrib/oci/*.json; do
	ok "$file is a hook of schema 1.0.0" jq -e "$schema" "$file"
	is "$file: it is found where it is installed" "$(jq -r .hook.path "$file")" "$(make -s -n install DESTDIR= PREFIX=/usr/local |
		sed -n 's/^install -D -m 755 .* //p')"
	# shellcheck disable=SC2046 # words are wanted
	run "$PORTPUB" $(jq -r '.hook.args[1:][]' "$file") </dev/null
	has "$file: what it calls reads a state" "$status $err" '1 portpub: the state of the container is no JSON'
	is "$file: both ends of a container are told" "$(jq -c .stages "$file")" '["createRuntime","poststop"]'
	is "$file: it asks for the annotation" "$(jq -r '.when.annotations | keys[]' "$file")" '^portpub\.ports$'
done

value=$(jq -r '.when.annotations[]' contrib/oci/nodeports.json)
matches() { printf '%s' "$1" | grep -qxE "$value"; }
for ports in 30000:80 32767:80 '31999:80/tcp 32000:53/udp' '32699:1, 32700:2,32759:3  32760:4'; do
	ok "nodeports.json: $ports may be" matches "$ports"
done
for ports in 80:80 29999:80 32768:80 300000:80 3000:80 '30000:80 22:22' '22:22 30000:80' 30000 30000-30001:80-81 \
	127.0.0.1:30000:80 '[::]:30000:80' '30000:8022:22' '[{"publishedAs":80}]' '30000:80/sctp' ''; do
	ok "nodeports.json: \"$ports\" may not" sh -c "! printf '%s' '$ports' | grep -qxE '$value'"
done
finish
