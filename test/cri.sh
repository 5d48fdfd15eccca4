# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # what is set here is read by those who source it, and what is not set here by machine.sh and tap.sh
# Pods, as the kubelet asks containerd for them: source this after containerd.sh. Each is its sandbox alone, whose image
# serves TCP on 3000 and UDP on 8000. CRI is gRPC on a unix socket: HTTP/2, which curl speaks, and protocol buffers, which
# are written here: each byte is \ooo until it is sent.
curl --version | grep -qw HTTP2 || skip_all 'this curl has no HTTP/2'

# number FIELD VALUE; text FIELD TEXT; message FIELD FIELDS
varint() {
	rest=$1
	while [ "$rest" -gt 127 ]; do
		printf '\\%03o' $((rest & 127 | 128))
		rest=$((rest >> 7))
	done
	printf '\\%03o' "$rest"
}
number() { varint $(($1 << 3)) && varint "$2"; }
message() { varint $(($1 << 3 | 2)) && varint $((${#2} / 4)) && printf %s "$2"; }
text() { message "$1" "$(printf %s "$2" | od -An -v -to1 | tr -d '\n' | sed 's, ,\\,g')"; }

# cri METHOD FIELDS: the answer is $tap_tmp/answer, the error $error.
cri() {
	length=$((${#2} / 4))
	frame=$(printf '\\%03o' 0 $((length >> 24)) $((length >> 16 & 255)) $((length >> 8 & 255)) $((length & 255)))
	# shellcheck disable=SC2059 # that is where the bytes are made
	printf "$frame$2" | curl -sS --http2-prior-knowledge --unix-socket "$CONTAINERD_ADDRESS" --data-binary @- \
		-H 'content-type: application/grpc' -H 'te: trailers' -D "$tap_tmp/headers" -o "$tap_tmp/answer" \
		"http://localhost/runtime.v1.RuntimeService/$1"
	error=$(tr -d '\r' <"$tap_tmp/headers" | sed -n 's/^grpc-message: //p')
	grep -q '^grpc-status: 0' "$tap_tmp/headers"
}

# pod NAME [PROTOCOL:HOST_PORT:CONTAINER_PORT[:ADDRESS]...]: $pod is its id, $attempt which one of this name it is.
attempt=0
pod() {
	name=$1 fields="$(message 1 "$(text 1 "$1" && text 2 "uid-$1" && text 3 default && number 4 $attempt)")$(text 2 "$1")"
	shift
	for each in "$@"; do
		port=${each#*:} address=${each#*:*:*:}
		if [ "$address" = "$each" ]; then address=; fi
		case ${each%%:*} in tcp) protocol=0 ;; udp) protocol=1 ;; *) protocol=2 ;; esac
		container_port=${port#*:}
		fields=$fields$(message 5 "$(number 1 $protocol && number 2 "${container_port%%:*}" &&
			number 3 "${port%%:*}" && text 4 "$address")")
	done
	fields="$fields$(text 3 /run/pods)$(message 8 "$(text 1 "/$MACHINE_GROUP")")"
	cri RunPodSandbox "$(message 1 "$fields")" || return
	pod=$(grep -ao '[0-9a-f]\{64\}' "$tap_tmp/answer")
	until_true serves "$pod"
}
stop_pod() { cri StopPodSandbox "$(text 1 "$1")"; }
remove_pod() { cri RemovePodSandbox "$(text 1 "$1")"; }

# process POD
process() { ctr -n k8s.io task ls | awk -v pod="$1" '$1 == pod {print $2}'; }
serves() { serving "$(process "$1")" 2; }

# make_image: what make_rootfs has made, as `docker save` would write it; it serves with its own name.
make_image() {
	mkdir "$tap_tmp/image"
	cat >"$rootfs/bin/pause" <<-'PAUSE'
		#!/bin/sh
		exec serve "$(cat /proc/sys/kernel/hostname)" tcp:3000 udp:8000
	PAUSE
	chmod 755 "$rootfs/bin/pause"
	tar -C "$rootfs" --owner=0 --group=0 -cf "$tap_tmp/image/layer.tar" .
	case $(uname -m) in x86_64) machine=amd64 ;; aarch64) machine=arm64 ;; *) machine=$(uname -m) ;; esac
	cat >"$tap_tmp/image/config.json" <<-CONFIG
		{"architecture": "$machine", "os": "linux", "config": {"Env": ["PATH=/bin"], "Cmd": ["/bin/pause"]},
		 "rootfs": {"type": "layers", "diff_ids": ["sha256:$(sha256sum "$tap_tmp/image/layer.tar" | cut -d' ' -f1)"]}}
	CONFIG
	echo '[{"Config": "config.json", "RepoTags": ["localhost/test:latest"], "Layers": ["layer.tar"]}]' >"$tap_tmp/image/manifest.json"
	tar -C "$tap_tmp/image" -cf "$tap_tmp/image.tar" manifest.json config.json layer.tar
	rm -r "$tap_tmp/image"
	ctr -n k8s.io images import --snapshotter native "$tap_tmp/image.tar" >/dev/null
}
