#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# `portpub oci-hook`, called with the states that crun and runc write: ports are there before the container begins, all
# or none, and are gone afterwards, whatever its end.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../publish.sh"

# state RUNTIME STATUS PID [ANNOTATION VALUE]...: what the runtime writes; bundle and id are these variables.
bundle=/run/bundle id=web
state() {
	runtime=$1 status=$2 pid=$3
	shift 3
	jq -cn --arg runtime "$runtime" --arg status "$status" --argjson pid "$pid" --arg id "$id" --arg bundle "$bundle" '
		([$ARGS.positional | range(0; length; 2) as $i | {key: .[$i], value: .[$i + 1]}] | from_entries) as $annotations |
		if $runtime == "crun" then
			{ociVersion: "1.0", id: $id, pid: $pid, root: "/run/rootfs", bundle: $bundle, status: $status, annotations: $annotations}
		elif $pid > 0 then {ociVersion: "1.0.2-dev", id: $id, status: $status, pid: $pid, bundle: $bundle, annotations: $annotations}
		else {ociVersion: "1.0.2-dev", id: $id, status: $status, bundle: $bundle, annotations: $annotations} end' --args "$@"
}
# As a runtime does it: without an environment, and with a pipe whose end it waits for.
hook() { env -i PORTPUB_RUNTIME_DIR="$PORTPUB_RUNTIME_DIR" PORTPUB_CONFIG="$PORTPUB_CONFIG" "$PORTPUB" oci-hook "$@" 2>&1 | cat; }
created() { state "$runtime" created "$pid" "$@" | hook; }
stopped() { state "$runtime" stopped 0 "$@" | hook; }
ids() { "$PORTPUB" list --json | jq -r '.[].id' | paste -sd ' '; }
says_status() { state crun "$@" | "$PORTPUB" oci-hook >"$tap_tmp/said" 2>&1; echo $?; }

serve "$container" 80 web
serve_udp "$container" 53 dns
hold $$ tcp 127.0.0.1 6000
before=$(sysctls)

for runtime in crun runc; do
	pid=$container
	is "$runtime: a container without ports is left alone" "$(created io.example 'x y')$(stopped)$(ids)" ''
	is "$runtime: ... and nothing is made for it" "$(find "$PORTPUB_RUNTIME_DIR" 2>/dev/null | wc -l)" 0
	is "$runtime: nor for one whose ports are an empty list" "$(created portpub.ports '')$(created portpub.ports '[]')$(ids)" ''

	set -- portpub.ports '8080:80, 127.0.0.1:8081:80 5000:53/udp'
	is "$runtime: the hook says nothing, and comes to an end" "$(created "$@")" ''
	case $(ids) in
	"oci-web-"????????????????) is "$runtime: the id is one" yes yes ;;
	*) is "$runtime: the id is one" "$(ids)" oci-web-... ;;
	esac
	is "$runtime: the port answers from outside, the client is who it is" "$(ask "$lan" http://192.0.2.1:8080/)" 'hello from web, 192.0.2.2'
	is "$runtime: by ::1" "$(ask 0 'http://[::1]:8080/' | cut -d, -f1)" 'hello from web'
	is "$runtime: on 127.0.0.1" "$(ask 0 http://127.0.0.1:8081/ | cut -d, -f1)" 'hello from web'
	is "$runtime: which nobody outside has" "$(ask "$lan" http://192.0.2.1:8081/)" 'curl: 7'
	is "$runtime: UDP, too" "$(ask_udp "$lan" 192.0.2.1 5000)" 'hello from dns, 192.0.2.2'
	is "$runtime: it is kept, for that process, by its name" \
		"$("$PORTPUB" list --json | jq -c '.[0] | [.keeper.pid > 0, .pid, .container]')" "[true,$container,\"web\"]"
	is "$runtime: the keeper has none of the runtime's descriptors" \
		"$(find "/proc/$(keepers)/fd" -lname 'pipe:*' | wc -l)" 0

	is "$runtime: once more, in its place" "$(created portpub.ports 8082:80)$(ask "$lan" http://192.0.2.1:8082/)$(ask "$lan" http://192.0.2.1:8080/)" \
		'hello from web, 192.0.2.2curl: 7'
	bundle=/run/other
	is "$runtime: a container of another bundle is another" "$(stopped "$@")$(ids | wc -w)" 1
	bundle=/run/bundle
	is "$runtime: poststop takes it back" "$(stopped "$@")$(ids)$(left_over)" ''
	is "$runtime: a second time, too" "$(stopped "$@")" ''
	is "$runtime: ... whatever the annotations say" "$(created "$@")$(stopped portpub.ports nonsense portpub.x '')$(ids)" ''
	ok "$runtime: no keeper stays" until_true has_keepers 0

	is "$runtime: a taken port is an error that says who has it" "$(created portpub.ports '8080:80 127.0.0.1:6000:80')" \
		"portpub: web: 127.0.0.1:6000:80/tcp: already in use by hold (pid $holder)"
	is "$runtime: ... and none of them is published" "$(ids)$(ask "$lan" http://192.0.2.1:8080/)$(left_over)" 'curl: 7'
	is "$runtime: ... which there is nothing to take back of" "$(stopped "$@")" ''
	is "$runtime: what a spec has wrong is one line" "$(created portpub.ports 8080:80:80:80)" \
		"portpub: web: portpub.ports: 8080:80:80:80: $("$PORTPUB" explain 8080:80:80:80 2>&1 | sed -n 's/^ *^* //p')"
	rm -rf "$PORTPUB_RUNTIME_DIR"
done

is 'publishedPorts in JSON' "$(created portpub.ports '[{"publishedAs": 8080, "fromContainerPort": 80}]')$(ask "$lan" http://192.0.2.1:8080/)" \
	'hello from web, 192.0.2.2'
stopped portpub.ports ''
created portpub.ports 8080:80 portpub.allow '10.0.0.0/24 fd00::/64'
is 'portpub.allow: others do not get in' "$(ask "$lan" http://192.0.2.1:8080/) $(ask "$neighbour" http://10.0.0.1:8080/)" \
	'curl: 28 hello from web, 10.0.0.3'
stopped portpub.ports ''
created portpub.ports 8080:80 portpub.via userspace
is 'portpub.via: the kernel has no rules' "$(nft list ruleset | grep -c oci-web)$(ask "$lan" http://192.0.2.1:8080/ | cut -d, -f1)" '0hello from web'
stopped portpub.ports ''
echo 'via = userspace' >"$tap_tmp/conf"
PORTPUB_CONFIG=$tap_tmp/conf created portpub.ports 8080:80
is 'the configuration is heard' "$(nft list ruleset | grep -c oci-web)$(ask "$lan" http://192.0.2.1:8080/ | cut -d, -f1)" '0hello from web'
stopped portpub.ports ''
PORTPUB_CONFIG=$tap_tmp/conf created portpub.ports 8080:80 portpub.via kernel
is '... and the annotation is heard more' "$(ask "$lan" http://192.0.2.1:8080/)" 'hello from web, 192.0.2.2'
stopped portpub.ports ''
is 'an annotation that is none of ours is an error, and says so' "$(created portpub.ports 8080:80 portpub.allows 10.0.0.0/8)$(ids)" \
	'portpub: web: portpub.allows: is no annotation of portpub: ports, via, allow and to are'

# A container that nothing leads to.
machine && alone=$machine
serve "$alone" 3000 alone
pid=$alone
has 'a container without an address but loopback has to be told' "$(created portpub.ports 4000:3000)" 'say --to 127.0.0.1, or in the annotation portpub.to'
is '... and nothing is published' "$(ids)" ''
created portpub.ports 4000:3000 portpub.to 127.0.0.1
is 'portpub.to: it is asked for inside' "$(ask "$lan" http://192.0.2.1:4000/)$(ask 0 'http://[::1]:4000/')" \
	'hello from alone, 127.0.0.1hello from alone, 127.0.0.1'
stopped portpub.ports ''
created portpub.ports 4000:3000 portpub.to 10.9.9.9
is 'an address that the container has not yet' "$(ask "$lan" http://192.0.2.1:4000/ | cut -d: -f1)" curl
at "$alone" ip addr add 10.9.9.9/32 dev lo
is '... serves once it has it' "$(ask "$lan" http://192.0.2.1:4000/ | cut -d, -f1)" 'hello from alone'
stopped portpub.ports ''

# Its end without a hook.
unshare -n sleep 300 &
pids="$pids $!" short=$! pid=$!
until_true sh -c "[ \"\$(readlink /proc/$short/ns/net)\" != \"\$(readlink /proc/self/ns/net)\" ]"
at "$short" ip link set lo up
created portpub.ports 4000:3000 portpub.to 127.0.0.1
is 'it is published for a process' "$(ids | wc -w)" 1
kill -KILL "$short"
ok 'which ends, and nothing is left' until_true sh -c "[ \"\$('$PORTPUB' list --json)\" = '[]' ]"
pid=$container

# The stage is told by the status, or by an argument.
is 'status creating publishes' "$(says_status creating "$container" portpub.ports 8080:80)$(ids | wc -w)" 01
is 'stopped takes back' "$(says_status stopped 0 portpub.ports 8080:80)$(ids)" 0
is 'running publishes' "$(says_status running "$container" portpub.ports 8080:80)$(ids | wc -w)" 01
state crun running "$container" portpub.ports 8080:80 | hook poststop
is 'an argument counts more' "$(ids)" ''
state crun stopped "$container" portpub.ports 8080:80 | hook createRuntime
is '... either way' "$(ids | wc -w)" 1
"$PORTPUB" del --all
for wrong in "paused $container" 'created 0' "created $$"; do
	# shellcheck disable=SC2086 # words are wanted
	is "$wrong: an error of one line" "$(says_status $wrong portpub.ports 8080:80) $(wc -l <"$tap_tmp/said")" '1 1'
done
for stage in createContainer startContainer ''; do
	run "$PORTPUB" oci-hook "$stage" <"$tap_tmp/conf"
	is "\"$stage\" with a state that is none: an error of one line" "$status$out $(wc -l <"$tap_tmp/err")" '1 1'
done
run "$PORTPUB" oci-hook createRuntime poststop </dev/null
is 'there is one stage' "$status$out" 1
is 'in the end nothing is left, and the sysctls are as they were' "$(left_over)$(keepers)$(sysctls)" "$before"
finish
