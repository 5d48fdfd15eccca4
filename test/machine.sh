# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
# A private machine for daemons of others, on top of that of hosts.sh: source this after tap.sh, and hosts.sh after it. It
# starts the script again in network, mount, pid, ipc and uts namespaces of its own, so that all that daemons start ends
# with it; /run, /dev/shm, /etc, /var and /opt are its own, the last three with what is in them, until then.
# $MACHINE_GROUP is the name for its control groups: these are the one thing that is not its own, and init removes them.
#
# A runtime that is to be tested here needs no more than a file beside docker.sh: it starts its daemon, if it has one, with
# everything in /run, and its containers below $MACHINE_GROUP, from $rootfs.

if [ -z "${MACHINE_GROUP:-}" ]; then
	# shellcheck disable=SC2154 # tap.sh made the directory
	rm -rf "$tap_tmp" # the script that starts anew makes its own
	[ "$(id -u)" -eq 0 ] || skip_all 'container runtimes are started here by root alone; needs root'
	for group in /sys/fs/cgroup/portpub-test-* /sys/fs/cgroup/*/portpub-test-*; do # of one that was killed
		if [ -d "$group" ] && [ ! -e "/proc/${group##*-}" ]; then find "$group" -depth -type d -exec rmdir {} +; fi
	done
	apart='unshare --net --mount --pid --ipc --uts --fork --kill-child --mount-proc --propagation private'
	$apart true 2>/dev/null || skip_all 'no namespaces of our own are to be had here: unshare fails'
	# shellcheck disable=SC2093 # exec does not come back
	HOSTS_INSIDE=1 MACHINE_GROUP=portpub-test-$$ exec $apart "${0%/*}/../init" "$0"
fi

# need_programs PROGRAM...: what the runtime is made of. `make check-runtime` installs it.
need_programs() {
	for program in "$@"; do
		command -v "$program" >/dev/null || skip_all "$program is not installed"
	done
}

# lay DIRECTORY: what is written there goes to memory.
lay() {
	mkdir -p "/run/laid$1/upper" "/run/laid$1/work"
	mount -t overlay overlay -o "lowerdir=$1,upperdir=/run/laid$1/upper,workdir=/run/laid$1/work" "$1"
}

# Runtimes disagree on what they can do with two hierarchies of control groups, and agree on the first version alone.
mount_groups() {
	[ ! -e /sys/fs/cgroup/cgroup.controllers ] || return 0
	controllers=$(awk '$4 == 1 && !/^#/ {print $1}' /proc/cgroups)
	mount -t tmpfs -o mode=755 tmpfs /sys/fs/cgroup || return
	mkdir /sys/fs/cgroup/systemd
	mount -t cgroup -o none,name=systemd cgroup /sys/fs/cgroup/systemd || rmdir /sys/fs/cgroup/systemd
	for controller in $controllers; do
		mkdir "/sys/fs/cgroup/$controller"
		mount -t cgroup -o "$controller" cgroup "/sys/fs/cgroup/$controller" 2>/dev/null ||
			rmdir "/sys/fs/cgroup/$controller"
	done
}

furnish() {
	mount -t tmpfs -o mode=755 tmpfs /run && mkdir /run/lock && mkdir -m 1777 $TMPDIR && mount -t tmpfs tmpfs /dev/shm &&
		lay /etc && lay /var && lay /opt && rm -f /etc/portpub.conf && mount_groups &&
		echo machine >/proc/sys/kernel/hostname
}

export TMPDIR=/run/tmp # a containerd that dockerd finds slow leaves its stacks there
furnished=$(furnish 2>&1) || skip_all "no machine of our own is to be had here: $furnished"

# ordinary_user: $uid, somebody with no rights here and some names below their own, and $home, outside of /run, over which
# runtimes lay another. as_user COMMAND... is theirs, in an environment of its own.
ordinary_user() {
	uid=4711 home=/opt/somebody
	mkdir -p $home "/run/user/$uid"
	chown $uid:$uid $home "/run/user/$uid"
	chmod 700 "/run/user/$uid"
	chmod 755 "$tap_tmp"
	echo "somebody:x:$uid:$uid::$home:/bin/sh" >>/etc/passwd
	echo "somebody:x:$uid:" >>/etc/group
	echo somebody:200000:65536 | tee -a /etc/subuid >>/etc/subgid
	mknod -m 666 /run/tun c 10 200 && mount --bind /run/tun /dev/net/tun # which some machines have for root alone
}
as_user() {
	setpriv --reuid "$uid" --regid "$uid" --clear-groups --inh-caps=-all \
		env -i PATH="$PATH" HOME="$home" USER=somebody XDG_RUNTIME_DIR="/run/user/$uid" "$@"
}

# The file system of a container: busybox, the servers of the tests with the libraries that they need, and `serve`.
rootfs=/run/rootfs
make_rootfs() {
	mkdir -p $rootfs/bin $rootfs/etc $rootfs/proc $rootfs/sys $rootfs/dev $rootfs/tmp
	busybox=$(command -v busybox)
	cp "$busybox" $rootfs/bin/busybox
	for applet in sh sleep wget nc cat; do ln -s busybox "$rootfs/bin/$applet"; done
	cp "$HELLO" "$HELPERS/udp" $rootfs/bin
	for library in $(ldd "$busybox" "$HELLO" "$HELPERS/udp" 2>/dev/null | grep -o '/[^ ]*\.so[^ ]*' | sort -u); do
		mkdir -p "$rootfs${library%/*}"
		cp -L "$library" "$rootfs$library"
	done
	cat >$rootfs/bin/serve <<'SERVE'
#!/bin/sh
# serve NAME PROTOCOL:PORT[-PORT]...: each answers with NAME and who asked.
name=$1
shift
for each in "$@"; do
	ports=${each#*:} port=${ports%-*}
	while [ "$port" -le "${ports#*-}" ]; do
		if [ "${each%:*}" = udp ]; then udp serve '' "$port" "$name" & else hello "$port" "$name" & fi
		port=$((port + 1))
	done
done
wait
SERVE
	chmod 755 $rootfs/bin/serve
}
