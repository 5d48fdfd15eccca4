#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The command line is read as Go reads it, and nothing of what dockerd passes on, or does not, is missed.
# shellcheck disable=SC2046,SC2086,SC2119 # words are wanted; stop has arguments of its own
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../dockerd.sh"

serve "$container" 80 container
serve $$ 80 host
answer='hello from container, 10.0.0.1'
usual=$(flags 192.0.2.1 8080 10.0.0.2 80)

# carries CLAIM ARGUMENT...: started so, it answers on port 8080, and ends well.
carries() {
	claim=$1
	shift
	start "$@"
	got=$(ask "$lan" http://192.0.2.1:8080/)
	stop
	is "$name: $claim" "$(said "$tap_tmp/said") $got" "read 0\\n rest  exit 0 $answer"
}

reads_flags() {
	carries 'flags are -x v' -proto tcp -host-ip 192.0.2.1 -host-port 8080 -container-ip 10.0.0.2 -container-port 80
	carries 'or -x=v' -proto=tcp -host-ip=192.0.2.1 -host-port=8080 -container-ip=10.0.0.2 -container-port=80
	carries 'or --x v' --proto tcp --host-ip 192.0.2.1 --host-port 8080 --container-ip 10.0.0.2 --container-port 80
	carries 'or --x=v' --proto=tcp --host-ip=192.0.2.1 --host-port=8080 --container-ip=10.0.0.2 --container-port=80
	carries 'the last of two wins' -container-port 81 $usual
	carries 'the first argument that is no flag ends them' $usual extra -nonsense -container-port 81
	carries 'so does --' $usual -- -nonsense -container-port 81
	rest='-host-ip 192.0.2.1 -container-ip 10.0.0.2'
	carries 'numbers may be hexadecimal' $rest -host-port 0x1F90 -container-port=0X50
	carries 'octal' $rest -host-port 0o17620 -container-port=0120
	carries 'or binary' $rest -host-port=0b1111110010000 -container-port 0B1010000
	carries 'the protocol is tcp where none is said' $rest -host-port 8080 -container-port 80
	for flag in -h -help --h --help; do
		run "$proxy" $flag
		is "$name: $flag is usage on standard error, and no failure" \
			"$status $out $(echo "$err" | grep -ci '^usage') $(echo "$err" | grep -c '^  -container-port')" '0  1 1'
	done
	for wrong in -nonsense --nonsense=1 -host-port '-host-port eighty' -host-port=08 -host-port= ---proto -=1; do
		run "$proxy" $wrong
		is "$name: $wrong is wrong usage" "$status $out $(echo "$err" | grep -ci '^usage')" '2  1'
	done
	is "$name: and for dockerd exit 2 without a word" "$(try $usual -nonsense)" 'read  rest  exit 2'
}
both reads_flags

# The real one of 20.10 knows neither, and takes no address for all of both families.
for flag in -v -version --version -version=true; do
	run "$proxy" $flag
	is "portpub: $flag is the version" "$status $err $(echo "$out" | grep -cE '^docker-proxy .*[0-9]\.[0-9]')" '0  1'
done
run "$proxy" -use-listen-fd=yes
is 'portpub: a switch is not yes' "$status" 2
carries 'a switch may be off' $usual -use-listen-fd=false
start -host-port 8080 -container-port 80
is 'portpub: addresses not said are 0.0.0.0: every IPv4 address of this host' "$(listens 8080)" "tcp 0.0.0.0:8080 $child"
is 'portpub: and this host' "$(ask "$lan" http://192.0.2.1:8080/)" 'hello from host, 127.0.0.1'
stop
is 'portpub: ports not said are -1, and refused' "$(try -host-ip 192.0.2.1)" \
	'read 1\nhost-port: -1 is not a port rest  exit 1'
is 'portpub: of the container, too' "$(try -host-port 8080)" \
	'read 1\ncontainer-port: -1 is not a port rest  exit 1'
run "$PORTPUB" docker-proxy -version
is 'portpub: by either name' "$status $out" "0 $("$proxy" -v)"
proxy=$PORTPUB
carries 'it is a command of portpub, too' docker-proxy $usual

inherits() {
	mkdir "$tap_tmp/gone"
	(
		cd "$tap_tmp/gone" || exit
		rmdir "$tap_tmp/gone"
		by='env -i' start $usual
		ask "$lan" http://192.0.2.1:8080/ >"$tap_tmp/answer"
		stop
	)
	is "$name: it needs no environment, and no directory" "$(said "$tap_tmp/said") $(cat "$tap_tmp/answer")" \
		"read 0\\n rest  exit 0 $answer"
	start $usual
	is "$name: session and process group stay dockerd's" "$(ps -o sid=,pgid= "$child")" "$(ps -o sid=,pgid= "$dockerd")"
	kill -KILL "$dockerd"
	ok "$name: it ends with dockerd, however that ends" until_true sh -c "! kill -0 $child"
	wait "$dockerd" 2>/dev/null
	# Rootless dockerd.
	by="nsenter -t $lan -n -F --" start $(flags 192.0.2.2 8080 192.0.2.2 80)
	if is_in_valgrind; then
		skip "$name: through nsenter it is the same process" 'the process is valgrind'
	else
		is "$name: through nsenter it is the same process" "$(readlink "/proc/$child/exe")" "$(realpath "$proxy")"
	fi
	is "$name: in the other namespace" "$(listens 8080)$(at "$lan" ss -Hltn 'sport = :8080' | awk '{print $4}')" 192.0.2.2:8080
	stop
	is "$name: and ends like the others" "$(said "$tap_tmp/said")" 'read 0\n rest  exit 0'
}
both inherits
finish
