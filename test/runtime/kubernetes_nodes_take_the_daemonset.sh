#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The containers of the DaemonSet, run by containerd with the commands, mounts and capabilities that it names: the one
# makes portpub the node's portmap, whose pods have their ports by it from then on; the other puts back what is flushed.
. "${0%/*}/../tap.sh"
. "${0%/*}/../machine.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../containerd.sh"
. "${0%/*}/../cri.sh"
if is_sanitized; then skip_all 'what watches the program wants files that the image has not'; fi

# A distribution's network: its own portmap.
jq '.plugins[1].type = "portmap"' "$contrib/cni/containerd/10-portpub.conflist" >"$tap_tmp/10-node.conflist"
begin "$tap_tmp/10-node.conflist"
make_image
rm $plugins/portpub
cp $plugins/portmap "$tap_tmp/own"
chown -R 1001:1001 $plugins # as they are in the archives of the CNI project

# The image, as README there has it.
image=/run/node-image
mkdir -p $image/bin $image/usr/local/bin $image/host $image/proc $image/sys $image/dev
cp "$(command -v busybox)" $image/bin/busybox
for applet in sh cp mv rm chmod chroot grep; do ln -s busybox $image/bin/$applet; done
cp "$PORTPUB" $image/usr/local/bin/portpub
cp "$contrib/kubernetes/install" $image/install

sed '/^ *#/d' "$contrib/kubernetes/daemonset.yaml" | jq .spec.template.spec >"$tap_tmp/pod"
of_container() { jq -r --arg name "$container" "(.initContainers + .containers)[] | select(.name == \$name) | $1" "$tap_tmp/pod"; }
# node_container NAME ARGUMENT...: ctr is asked for what the DaemonSet has; what it would add to that is taken away.
node_container() {
	container=$1
	shift
	set -- "$@" --net-host --env PATH=/usr/sbin:/bin --cgroup "/$MACHINE_GROUP/$container" --with-ns pid:/proc/1/ns/pid --mount type=bind,src=/,dst=/host,options=rbind:rw
	for capability in CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE; do
		of_container '.securityContext.capabilities.add[]' | grep -qx $capability || set -- "$@" --cap-drop CAP_$capability
	done
	for capability in $(of_container '.securityContext.capabilities.add[]'); do set -- "$@" --cap-add "CAP_$capability"; done
	for variable in $(of_container '(.env // [])[] | .name + "=" + .value'); do set -- "$@" --env "$variable"; done
	# shellcheck disable=SC2046 # words are wanted
	ctr run "$@" --rootfs $image "$container" $(of_container '.command[]') ${command:+"$command"}
}
command=

is 'the host is mounted where the script looks for it' \
	"$(jq -c '[.volumes[0].hostPath.path, .initContainers[0].volumeMounts[0].mountPath, .hostNetwork, .hostPID]' "$tap_tmp/pod")" \
	'["/","/host",true,true]'
is 'what watches is what is installed' "$(jq -r '.containers[0].command[2]' "$tap_tmp/pod")" \
	"$(jq -r '.initContainers[0].env[] | select(.name == "CNI_BIN") | .value' "$tap_tmp/pod")/portpub"
run node_container install --rm
is 'the first container ends well' "$status $err" '0 '
has '... and says what it has done' "$out" '/opt/cni/bin/portmap is portpub: portpub '
ok '... which is there' cmp "$PORTPUB" $plugins/portmap
ok '... and keeps what was' cmp "$tap_tmp/own" $plugins/portmap.orig

node_container watch -d --null-io
has_anchor() { nft list tables | grep -q portpub-anchor; }
pod web tcp:8080:3000 udp:5000:8000
is 'pods have their ports by portpub' "$("$PORTPUB" list --json | jq -c '[.[].publications[].host_port]')" '[8080,5000]'
is '... which answer, and show who asks' "$(ask "$lan" http://192.0.2.1:8080/) $(ask_udp "$lan" 192.0.2.1 5000)" \
	'hello from web, 192.0.2.2 hello from web, 192.0.2.2'
ok 'the other container watches' until_true has_anchor
nft flush ruleset
whole() { "$PORTPUB" check; }
ok '... and puts back what is flushed' until_true whole
is '... so that it answers' "$(ask "$lan" http://192.0.2.1:8080/)" 'hello from web, 192.0.2.2'

command=uninstall
run node_container install --rm
is 'it is not taken away while pods have ports' "$status" 1
has '... which is said' "$out$err" 'drain the node first'
remove_pod "$pod"
is 'the last pod leaves nothing' "$(left_behind)" ''
run node_container install --rm
is 'then it is' "$status $err" '0 '
ok '... and the own portmap is back' cmp "$tap_tmp/own" $plugins/portmap
is '... as it was' "$(stat -c '%u %a' $plugins/portmap)" '1001 755'
is '... alone' "$(find $plugins -name '*port*')" "$plugins/portmap"
ctr task kill watch
ended() { ctr task ls | grep -q '^watch .*STOPPED'; }
ok 'the other container ends when it is told to' until_true ended
finish
