#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Commands, versions, errors and their codes: of ours, and of the real portmap where it says the same.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../publish.sh"
. "${0%/*}/../cni.sh"

# Before the environment is looked at, and before stdin is.
run env -i CNI_COMMAND=VERSION "$PORTPUB"
is 'VERSION reads no stdin, and says which versions there are' "$status $out" \
	'0 {"cniVersion":"1.1.0","supportedVersions":["0.1.0","0.2.0","0.3.0","0.3.1","0.4.0","1.0.0","1.1.0"]}'
is 'with a newline' "$(wc -l <"$tap_tmp/out")" 1
ln -s "$PORTPUB" "$tap_tmp/portmap"
run env -i "$tap_tmp/portmap"
is 'portmap without a command says what it is' "$status $out" '0 '
has 'on stderr' "$err" 'CNI portmap plugin portpub'
has 'with the versions' "$err" 'CNI protocol versions supported: 0.1.0, 0.2.0, 0.3.0, 0.3.1, 0.4.0, 1.0.0, 1.1.0'
run env -i CNI_COMMAND= "$tap_tmp/portmap"
is 'an empty command is none' "$status $out" '0 '
run env -i CNI_COMMAND=ADD "$tap_tmp/portmap" version
has 'arguments make it portpub' "$status $out" '0 portpub '
run env CNI_COMMAND=VERSION "$tap_tmp/portmap"
has 'it is the plugin by any name' "$out" supportedVersions
ln -s "$PORTPUB" "$tap_tmp/docker-proxy"
run env CNI_COMMAND=VERSION "$tap_tmp/docker-proxy"
is 'but docker-proxy stays docker-proxy' "$status" 1

# with VARIABLE=VALUE...: a whole environment; stdin is $input.
input='{"cniVersion": "1.0.0", "name": "net"}'
with() { printf '%s' "$input" | env -i PATH="$PATH" PORTPUB_RUNTIME_DIR="$PORTPUB_RUNTIME_DIR" "$@" "$plugin"; }
all='CNI_CONTAINERID=web CNI_NETNS=/nowhere CNI_IFNAME=eth0 CNI_PATH=/nowhere'

# environment | code | message, of ours and of the real one, or NAME: of ours alone
environments() {
	cat <<'LIST'
CNI_COMMAND=ADD|4|required env variables [CNI_CONTAINERID,CNI_NETNS,CNI_IFNAME,CNI_PATH] missing
CNI_COMMAND=ADD CNI_CONTAINERID=a CNI_NETNS=/x CNI_PATH=/x|4|required env variables [CNI_IFNAME] missing
CNI_COMMAND=CHECK|4|required env variables [CNI_CONTAINERID,CNI_NETNS,CNI_IFNAME,CNI_PATH] missing
CNI_COMMAND=DEL|4|required env variables [CNI_CONTAINERID,CNI_IFNAME,CNI_PATH] missing
CNI_COMMAND=GC|4|=required env variables [CNI_PATH] missing
CNI_COMMAND=STATUS|4|=required env variables [CNI_PATH] missing
CNI_COMMAND=NONSENSE|4|=unknown CNI_COMMAND: NONSENSE
CNI_COMMAND=add|4|=unknown CNI_COMMAND: add
CNI_COMMAND=ADD +CNI_CONTAINERID=/a|4|invalid characters in containerID
CNI_COMMAND=ADD +CNI_CONTAINERID=.a|4|invalid characters in containerID
CNI_COMMAND=DEL +CNI_CONTAINERID=a/../b|4|invalid characters in containerID
CNI_COMMAND=ADD +CNI_IFNAME=0123456789abcdef|4|interface name is too long
CNI_COMMAND=ADD +CNI_IFNAME=..|4|interface name is . or ..
CNI_COMMAND=ADD +CNI_IFNAME=a/b|4|interface name contains / or : or whitespace characters
CNI_COMMAND=ADD +CNI_IFNAME=a:b|4|interface name contains / or : or whitespace characters
CNI_COMMAND=ADD +CNI_NETNS=/proc/self/ns/net|8|=plugin's netns and netns from CNI_NETNS should not be the same
CNI_COMMAND=CHECK +CNI_NETNS=/proc/self/ns/net|8|=plugin's netns and netns from CNI_NETNS should not be the same
LIST
}
# input | command | code | message
inputs() {
	cat <<'LIST'
{"cniVersion": "9.9.9", "name": "net"}|ADD|1|incompatible CNI versions
{"cniVersion": "9.9.9", "name": "net"}|DEL|1|incompatible CNI versions
{"cniVersion": "0.3.1", "name": "net"}|CHECK|1|config version does not allow CHECK
{"cniVersion": "1.0.0", "name": "net"}|GC|1|=config version does not allow GC
{"cniVersion": "1.0.0", "name": "net"}|STATUS|1|=config version does not allow STATUS
{"cniVersion": "1.0.0"}|ADD|7|missing network name
{"cniVersion": "1.0.0", "name": "/etc"}|ADD|7|=invalid characters found in network name: /etc
{"cniVersion": "1.0.0"}|DEL|7|missing network name
{"cniVersion": "1.0.0", "name": "net"}|ADD|999|must be called as chained plugin
{"cniVersion": "1.0.0", "name": "net", "prevResult": null}|ADD|999|must be called as chained plugin
{"cniVersion": "1.0.0", "name": "net"}|CHECK|999|Required prevResult missing
|ADD|6|=the network configuration is no JSON: line 1, column 0: unexpected token near end of file
LIST
}
# Ours has a code of its own for what the plain errors of the real one are.
for plugin in "$PORTPUB" $portmap; do
	input='{"cniVersion": "1.0.0", "name": "net"}'
	who=${plugin##*/}
	while IFS='|' read -r environment want text; do
		[ "$plugin" = "$PORTPUB" ] || [ "${text#=}" = "$text" ] || continue
		# shellcheck disable=SC2086 # words are wanted
		case $environment in
		*' +'*) run with ${environment%% +*} $all ${environment#* +} ;;
		*) run with $environment ;;
		esac
		is "$who: $environment: status and message" "$status $(message)" "1 ${text#=}"
		[ "$plugin" = "$PORTPUB" ] && is "$who: $environment: code" "$(code)" "$want"
	done <<-LIST
		$(environments)
	LIST
	while IFS='|' read -r input command want text; do
		[ "$plugin" = "$PORTPUB" ] || [ "${text#=}" = "$text" ] || continue
		# shellcheck disable=SC2086 # words are wanted
		run with CNI_COMMAND="$command" $all
		is "$who: $command with $input" "$status $(code) $(message)" "1 $want ${text#=}"
	done <<-LIST
		$(inputs)
	LIST
done
plugin=$PORTPUB
[ -n "$portmap" ] || skip 'the same of the real portmap' 'portmap and iptables are not installed'

input='{"cniVersion": "9.9.9", "name": "net"}'
# shellcheck disable=SC2086
run with CNI_COMMAND=ADD $all
has 'the versions are in the details' "$(echo "$out" | jq -r .details)" '9.9.9'
is 'an error is one object with four keys' "$(echo "$out" | jq -c 'keys')" '["cniVersion","code","details","msg"]'
input='{"cniVersion": "0.4.0", "name": "net"}'
# shellcheck disable=SC2086
run with CNI_COMMAND=ADD $all
is 'in the version of the configuration' "$(echo "$out" | jq -r .cniVersion)" 0.4.0
ok 'none of this has made a record' test ! -e "$PORTPUB_RUNTIME_DIR"

# What cannot be had fails before anything is done. What is wrong | its ports | its keys | code | a part of the message
while IFS='|' read -r what ports keys want part; do
	run cni ADD
	is "$what: code" "$status $(code)" "1 $want"
	has "$what: message" "$(message)" "$part"
done <<LIST
hostIP ::1|$(mapping 80 80 tcp ::1)||7|the kernel does not route ::1 to a container
hostIP fe80::1|$(mapping 80 80 tcp fe80::1)||7|the kernel does not route link-local addresses
the second port|$(mapping 80 80), $(mapping 81 65536)||7|runtimeConfig.portMappings[1].containerPort: 65536
no port|$(mapping 0 80)||7|runtimeConfig.portMappings[0].hostPort: 0
a protocol|$(mapping 80 80 icmp)||7|runtimeConfig.portMappings[0].protocol: "icmp"
hostIP|$(mapping 80 80 tcp localhost)||7|runtimeConfig.portMappings[0].hostIP: "localhost"
one port to two|$(mapping 80 80), $(mapping 80 81)||7|runtimeConfig.portMappings[1]
one port twice|$(mapping 80 80), $(mapping 80 80)||7|runtimeConfig.portMappings[1]
one port by all and by one|$(mapping 80 80), $(mapping 80 80 tcp 127.0.0.1)||7|runtimeConfig.portMappings
a condition|$(mapping 80 80)|"conditionsV4": ["-m", "owner"]|2|conditionsV4 ["-m","owner"]
a condition of IPv6|$(mapping 80 80)|"conditionsV6": ["-p", "tcp"]|2|conditionsV6 ["-p","tcp"]
an interface with hostIP|$(mapping 80 80 tcp 127.0.0.1)|"conditionsV4": ["-i", "eth0"]|2|conditionsV4 -i eth0
both marks|$(mapping 80 80)|"markMasqBit": 1, "externalSetMarkChain": "X"|7|Cannot specify externalSetMarkChain and markMasqBit
a mark|$(mapping 80 80)|"markMasqBit": 32|7|MasqMarkBit must be between 0 and 31
onConflict|$(mapping 80 80)|"onConflict": "ask"|7|onConflict
LIST
ports=$(mapping 8080 80) keys='' previous='{"ips": [{"address": "nonsense"}]}'
run cni ADD
is 'a result that cannot be read' "$status $(code)" '1 6'
previous=''
printf '{"name": "net", "runtimeConfig": %s1%s}' "$(head -c 5000 /dev/zero | tr '\0' '[')" "$(head -c 5000 /dev/zero | tr '\0' ']')" >"$tap_tmp/deep"
run as_runtime ADD <"$tap_tmp/deep"
is 'five thousand brackets' "$status $(code)" '1 6'
head -c 17000000 /dev/zero | tr '\0' ' ' >"$tap_tmp/long"
run as_runtime ADD <"$tap_tmp/long"
is 'seventeen megabytes' "$status $(code)" '1 6'
run as_runtime ADD <"$tap_tmp"
is 'stdin that cannot be read' "$status $(code)" '1 5'
run as_runtime ADD <&-
is 'no stdin' "$status $(code)" '1 5'
ok 'none of this has made a record' test ! -e "$PORTPUB_RUNTIME_DIR"
keys='"backend": "nftables", "markMasqBit": 13, "conditionsV4": []'
run cni ADD
is 'keys of iptables are accepted' "$status" 0
has 'with a warning' "$err" 'backend is of the iptables plugin'
ports="$(mapping 8080 80 tcp '::'), $(mapping 8081 80 tcp 2001:db8::1)"
run cni ADD
is 'a family that the container does not have is skipped' "$status $("$PORTPUB" list --json | jq length)" '0 0'
cni DEL
keys=''

# As runtimes call their containers: 64 digits, and some put a name before them.
long=default-$(printf %064d 7) ports=$(mapping 8080 80)
run cni ADD "$long"
is 'a container is listed as its runtime calls it' "$status $("$PORTPUB" list --json | jq -r '.[0].container')" "0 $long"
has '... by metrics, too' "$("$PORTPUB" metrics)" ",container=\"$long\"} 1"
run cni DEL "$long"
is '... and is removed by that' "$status $("$PORTPUB" list --json)" '0 []'

# Every version's shape of the result comes back as it was.
while read -r version; do
	while read -r what previous; do
		ports=$(mapping 8080 80)
		run cni ADD
		is "$version: ADD with $what succeeds" "$status" 0
		is "$version: $what is printed with nothing dropped" "$(echo "$out" | jq -cS .)" \
			"$(echo "$previous" | jq -cS --arg v "$version" '.cniVersion = $v')"
		is "$version: $what has its container" "$(nft list map inet portpub any4 | grep -o '10.0.0.[0-9]* . 80 ')" '10.0.0.2 . 80 '
		run cni DEL
		is "$version: DEL says nothing" "$status $out" '0 '
	done <<-'LIST'
		the-old-result {"cniVersion": "0.2.0", "ip4": {"ip": "10.0.0.2/24", "gateway": "10.0.0.1", "routes": []}, "dns": {}, "x": 1}
		the-new-result {"interfaces": [{"name": "br0"}, {"name": "eth0", "sandbox": "/x", "extra": [1]}], "ips": [{"version": "4", "interface": 1, "address": "10.0.0.2/24"}], "routes": [{"dst": "0.0.0.0/0"}], "dns": {"nameservers": ["10.0.0.1"]}}
		without-interfaces {"ips": [{"address": "10.0.0.2/24"}, {"address": "10.0.0.9/24"}]}
	LIST
done <<'LIST'
0.1.0
0.2.0
0.3.0
0.3.1
0.4.0
1.0.0
1.1.0
LIST
version=1.0.0 previous=

# No ports: the result is passed on and nothing is touched.
before=$(sysctls)
ports=
run cni ADD
is 'no ports: the result is passed on' "$status $(echo "$out" | jq -r '.ips[0].address')" '0 10.0.0.2/24'
is 'and nothing is left of all this' "$(left_over)" ''
ports=$(mapping 8080 80) ips=
run cni ADD
is 'no address of the container: success' "$status $(echo "$out" | jq -c '.ips')" '0 []'
has 'with a warning' "$err" 'no address'
ips='{"address": "203.0.113.7/24"}'
run cni ADD
is 'an address that this host has no way to: success' "$status" 0
has 'and a warning that names it' "$err" '203.0.113.7'
is 'of which nothing is left either' "$(left_over)" ''
is 'nor any sysctl' "$(sysctls)" "$before"

# A result that nobody reads is undone.
ips='{"interface": 1, "address": "10.0.0.2/24"}'
config >"$tap_tmp/config"
CNI_COMMAND=ADD CNI_CONTAINERID=web CNI_IFNAME=eth0 CNI_NETNS=/proc/$container/ns/net CNI_PATH=/x \
	"$PORTPUB" <"$tap_tmp/config" >/dev/full 2>/dev/null
is 'an answer that cannot be written is a failure' "$?" 1
is 'that has changed nothing' "$(left_over)" ''
finish
