#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The install script for Kubernetes nodes: whatever the node had as portmap is kept, and put back; killed at any step, the
# node has one of the two, all of it; and what does not run on the node is not installed there.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
if is_sanitized; then skip_all 'what watches the program writes where it was built, of which there is nothing below another root'; fi
contrib=${0%/*}/../../contrib/kubernetes
export ROOT="$tap_tmp/node" BINARY="$PORTPUB"
bin=$ROOT/opt/cni/bin

# The node: a portmap of its own, and the libraries of the program, but for those that a test takes away.
libraries=$(ldd "$PORTPUB" | grep -o '/[^ ]*\.so[^ ]*' | sort -u)
mkdir -p "$bin"
printf '#!/bin/sh\necho own\n' >"$bin/portmap"
chmod 755 "$bin/portmap"
cp "$bin/portmap" "$bin/bridge"
mkdir -p "$ROOT/proc/sys/kernel/random"
cp /proc/sys/kernel/random/boot_id "$ROOT/proc/sys/kernel/random/"

# here: what is in the directory of the plugins, and what of it is the node's own and ours.
here() {
	for file in "$bin"/.[a-z]* "$bin"/*; do
		if [ -L "$file" ]; then
			echo "${file##*/}@$(readlink "$file")"
		elif cmp -s "$file" "$bin/bridge"; then
			echo "${file##*/}=own"
		elif cmp -s "$file" "$PORTPUB" && [ -x "$file" ]; then
			echo "${file##*/}=portpub"
		elif [ -e "$file" ]; then
			echo "${file##*/}=?"
		fi
	done | tr '\n' ' '
}
before='bridge=own portmap=own '
after='bridge=own portmap=portpub portmap.orig=own portpub=portpub '

run "$contrib/install"
is 'a node without the libraries is left as it is' "$status $(here)" "1 $before"
has '... and told what to do' "$err" 'build it on the system of the nodes, or link it statically'
for library in $libraries; do
	mkdir -p "$ROOT${library%/*}"
	cp -L "$library" "$ROOT$library"
done

run "$contrib/install"
is 'install' "$status $err $(here)" "0  $after"
has '... says which it is' "$out" "/opt/cni/bin/portmap is portpub: portpub "
run "$contrib/install" install
is 'once more' "$status $err $(here)" "0  $after"
is 'what is installed is what a runtime calls' \
	"$(CNI_COMMAND=VERSION chroot "$ROOT" /opt/cni/bin/portmap | jq -r .cniVersion)" 1.1.0
run env PORTPUB_RUNTIME_DIR=/opt/cni/bin/bridge "$contrib/install" uninstall
is 'uninstall, where it is not known what is published' "$status $(here)" "1 $after"
has '... says so' "$err" 'not known (portpub: cannot open /opt/cni/bin/bridge'
has '... and what to do' "$err" 'FORCE=1'
run env PORTPUB_RUNTIME_DIR=/opt/cni/bin/bridge FORCE=1 "$contrib/install" uninstall
is '... which removes it' "$status $err $(here)" "0  $before"
"$contrib/install" >"$tap_tmp/said"
run "$contrib/install" uninstall
is 'uninstall' "$status $err $(here)" "0  $before"
run "$contrib/install" uninstall
is 'once more, too' "$status $err $(here)" "0  $before"

# An update of the node's plugins comes over it.
"$contrib/install" >"$tap_tmp/said"
echo '# newer' >>"$bin/bridge"
cp "$bin/bridge" "$bin/portmap"
"$contrib/install" >"$tap_tmp/said"
is 'a newer portmap of the node is the one that is kept' "$(here)" "$after"
cp "$bin/bridge" "$bin/portmap"
"$contrib/install" uninstall >"$tap_tmp/said"
is 'one that has come over it stays' "$(here)" "$before"

# Of k3s, all plugins are one program, by links.
ln -sf bridge "$bin/portmap"
"$contrib/install" >"$tap_tmp/said"
is 'a link is kept as a link' "$(here)" 'bridge=own portmap=portpub portmap.orig@bridge portpub=portpub '
"$contrib/install" uninstall >"$tap_tmp/said"
is '... and put back as one' "$(here)" 'bridge=own portmap@bridge '
rm "$bin/portmap"
"$contrib/install" >"$tap_tmp/said" && "$contrib/install" uninstall >"$tap_tmp/said"
is 'a node without a portmap has none afterwards' "$(here)" 'bridge=own '
cp "$bin/bridge" "$bin/portmap"

for wrong in BINARY=/nonexistent CNI_BIN=/nonexistent; do
	run env "$wrong" "$contrib/install"
	is "$wrong is an error" "$status $(here)" "1 $before"
	has '... which says what to do' "$err" "${wrong%%=*}=PATH names"
done
run "$contrib/install" remove
is 'there is nothing else that it does' "$status $err" '1 install: remove: neither install nor uninstall'

# Each program that the script calls is a step: before the one of this number the script is killed; cp has copied half.
mkdir "$tap_tmp/steps"
for program in cp mv rm chmod chroot grep; do
	cat >"$tap_tmp/steps/$program" <<-STEP
		#!/bin/sh
		step=\$((\$(cat "$tap_tmp/step") + 1))
		echo \$step >"$tap_tmp/step"
		for last in "\$@"; do :; done
		if [ \$step = "\$KILL_AT" ]; then
			if [ $program = cp ]; then head -c 1000 "$PORTPUB" >"\$last"; fi
			kill -KILL "\$(cat "$tap_tmp/pid")"
			exit 1
		fi
		exec $(command -v $program) "\$@"
	STEP
	chmod 755 "$tap_tmp/steps/$program"
done
# killed STEP COMMAND: false when it has ended by itself.
killed() {
	echo 0 >"$tap_tmp/step"
	# shellcheck disable=SC2016 # that one's own pid
	PATH=$tap_tmp/steps:$PATH KILL_AT=$1 sh -c 'echo $$ >"$0"; exec "$@"' "$tap_tmp/pid" sh "$contrib/install" "$2" >"$tap_tmp/said" 2>&1
	[ $? = 137 ]
}
# The node has one of the two, all of it, and the other one is not lost.
is_whole() {
	case $(here) in
	*' portmap=own '* | *' portmap=portpub '*'portmap.orig=own '*) ;;
	*) here && return 1 ;;
	esac
}
for command in install uninstall; do
	step=1
	while killed $step $command; do
		ok "$command, killed before step $step: a portmap is there" is_whole
		"$contrib/install" >"$tap_tmp/said"
		is '... install finishes it' "$(here)" "$after"
		killed $step $command
		if [ $command = install ]; then "$contrib/install" uninstall >"$tap_tmp/said"; fi
		step=$((step + 1))
	done
	echo "# $command: $step steps"
	is "$command: there are steps" $((step > 4)) 1
done
is 'in the end it is as it was' "$(here)" "$before"
finish
