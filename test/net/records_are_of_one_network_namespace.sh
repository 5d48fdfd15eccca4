#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What is on disk: separate for each network namespace, in a directory that is safe to use or is refused, and an
# error where it is not what portpub has written.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../publish.sh"

publish() { add "$@" >/dev/null 2>&1; }
ids() { "$PORTPUB" list --json | jq -r '[.[].id] | join(" ")'; }

# Two hosts, which share the directory: the machine outside is the other.
at "$lan" "$PORTPUB" add --no-keeper --to 192.0.2.1 --id web 80:80 >/dev/null 2>&1
publish --to 10.0.0.2 --id web 80:80
publish --to 10.0.0.2 --id here 81:81
is 'the same id and port are published in two network namespaces' "$(ids)/$(at "$lan" "$PORTPUB" list --json |
	jq -c '[.[] | [.id, .targets[0].address]]')" 'here web/[["web","192.0.2.1"]]'
is 'with a directory for each' "$(find "$PORTPUB_RUNTIME_DIR" -mindepth 1 -maxdepth 1 | wc -l)" 2
is 'check is content with both' "$("$PORTPUB" check; at "$lan" "$PORTPUB" check)" ''
del --all
is 'everything is everything of one of them' "$(ids)/$(at "$lan" "$PORTPUB" list --json | jq length)" /1
at "$lan" "$PORTPUB" del web
is 'and in the end nothing is left' "$(left_over)$(at "$lan" nft list ruleset | grep elements)" ''

# Where they are.
is 'in a user namespace they are never in /run/portpub' "$(
	mount -t tmpfs none /run
	env -u PORTPUB_RUNTIME_DIR -u XDG_RUNTIME_DIR "$PORTPUB" add --no-keeper --to 10.0.0.2 80:80 2>&1
	ls /run
)" 'portpub: no place for records: XDG_RUNTIME_DIR is not set, nor is PORTPUB_RUNTIME_DIR'
mkdir "$tap_tmp/user"
env -u PORTPUB_RUNTIME_DIR XDG_RUNTIME_DIR="$tap_tmp/user" "$PORTPUB" add --no-keeper --to 10.0.0.2 --id web 80:80 >/dev/null 2>&1
is 'but in XDG_RUNTIME_DIR' "$(basename "$(find "$tap_tmp/user/portpub" -name web.json)")" web.json
is 'where it can be found again' "$(env -u PORTPUB_RUNTIME_DIR XDG_RUNTIME_DIR="$tap_tmp/user" "$PORTPUB" del web; nft list ruleset | grep elements)" ''

# A directory on a disk has what was published before the machine was started: not so the kernel.
publish --to 10.0.0.2 --id old 80:80
nft flush ruleset
echo 11111111-2222-3333-4444-555555555555 >"$tap_tmp/boot"
mount --bind "$tap_tmp/boot" /proc/sys/kernel/random/boot_id
is 'what is of another boot is not published' "$(ids)" ''
publish --to 10.0.0.2 --id old 80:80
is 'nor in the way' "$(ids) $("$PORTPUB" check)" 'old '
del old
umount /proc/sys/kernel/random/boot_id
is 'of its own boot it is' "$(ids)" old
run unshare -m sh -c "mount -t tmpfs none /proc && exec $PORTPUB list --json"
is 'where there is no telling which boot it is, nothing is said of what is published' "$status $out" '1 '
has 'but why' "$err" 'is /proc mounted?'
del old

# refused CLAIM WORDS DIRECTORY
refused() {
	claim=$1 words=$2
	nft flush ruleset
	PORTPUB_RUNTIME_DIR=$3 run "$PORTPUB" add --no-keeper --to 10.0.0.2 --id web 80:80
	is "$claim: it fails" "$([ "$status" -gt 0 ] && [ "$status" -lt 5 ] && echo "failed $out")" 'failed '
	has "$claim: in words" "$err" "$words"
	is "$claim: nothing is published" "$(nft list ruleset | grep elements)" ''
}
refused 'a relative directory' 'must be an absolute path' run
refused 'a path too long' 'too long' "/$(printf '%04100d' 0)"
: >"$tap_tmp/file"
refused 'a file in its place' "$tap_tmp/file" "$tap_tmp/file"
refused 'a file on the way' "$tap_tmp/file" "$tap_tmp/file/portpub"
mkdir "$tap_tmp/readonly"
mount -t tmpfs -o ro none "$tap_tmp/readonly"
refused 'a directory that cannot be written' 'Read-only file system' "$tap_tmp/readonly/portpub"
umount "$tap_tmp/readonly"
mount -t tmpfs -o size=4k,nr_inodes=3 none "$tap_tmp/readonly"
refused 'a disk that is full' 'No space left' "$tap_tmp/readonly/portpub"
umount "$tap_tmp/readonly"
mount -t tmpfs -o nr_inodes=12 none "$tap_tmp/readonly"
refused 'a disk that fills up on the way' 'No space left' "$tap_tmp/readonly"
is 'which leaves no half of anything' "$(find "$tap_tmp/readonly" -name '*.json' -o -name new)" ''
umount "$tap_tmp/readonly"

publish --to 10.0.0.2 --id web 80:80
dir=$(find "$PORTPUB_RUNTIME_DIR" -name web.json)
dir=${dir%/active/web.json}
echo precious >"$tap_tmp/precious"
ln -s "$tap_tmp/precious" "$dir/new"
publish --to 10.0.0.2 --id other 81:81
is 'a link in the place of a file that is written is not followed' "$(cat "$tap_tmp/precious") $(ids)" 'precious other web'
del other
umask 077
publish --to 10.0.0.2 --id web --replace 80:80
is 'nobody else can hold the lock, and everybody can read' "$(stat -c %a "$dir/lock" "$dir" "$dir/active" "$dir/active/web.json" |
	paste -sd ' ')" '600 755 755 644'
rm "$dir/lock"
ln -s "$tap_tmp/precious" "$dir/lock"
for command in 'add --to 10.0.0.2 82:82' 'del web'; do
	# shellcheck disable=SC2086 # words are wanted
	run $command
	is "a link in the place of the lock is refused: ${command%% *}" "$status" 1
	has "and told" "$err" "cannot lock $dir: Too many levels of symbolic links"
done
rm "$dir/lock"
is 'and nothing was done to what it pointed to' "$(cat "$tap_tmp/precious") $(stat -c %a "$tap_tmp/precious")" 'precious 644'
is 'without it all is as it was' "$(ids) $("$PORTPUB" check)" 'web '

# What is in them. Each of these in the place of web's record is told with its file, and nothing changes.
del nobody 2>/dev/null # makes the lock
cp "$dir/active/web.json" "$tap_tmp/web.json"
malformed() {
	is "a record that is $1: every command says what is wrong with which file, and changes nothing" "$(
		everything >"$tap_tmp/before"
		for command in 'list' 'list web' 'check' 'check web' 'add --no-keeper --to 10.0.0.2 --id web --replace 80:81'; do
			# shellcheck disable=SC2086
			run "$PORTPUB" $command
			case "$out$err" in *"$dir/active/web.json is no record: "*'; portpub del web drops it') [ "$status" != 1 ] || continue ;; esac
			echo "$command: $status $out$err"
		done
		everything | diff "$tap_tmp/before" -
	)" ''
}
change() { jq -c "$1" <"$tap_tmp/web.json" >"$dir/active/web.json"; }
for text in '' '{' '[]' 'null' '{}' 'web'; do
	printf %s "$text" >"$dir/active/web.json"
	malformed "'$text'"
done
for filter in '.version = 2' '.version = "1"' 'del(.version)' '.id = "other"' '.id = "../web"' '.id = 7' 'del(.publications)' \
	'.publications = {}' '.publications = ["80"]' '.publications = ["80-90:80"]' '.publications = ["0:80"]' '.publications = [80]' \
	'.publications = ["127.0.0.1:80:80/tcp\u0000"]' '.ipv4.address = "10.0.0"' '.ipv4.address = "fd00::1"' '.ipv4.interface = "../../etc"' \
	'.ipv4.interface = "abcdefghijklmnop"' 'del(.ipv4.alone)' '.ipv6 = 6' '.via = "magic"' '.allow = ["10.0.0.0/33"]' '.allow = "all"' \
	'.container = ("x" * 64)' '.pid = "1"' '.created = null' '.no_keeper = 1'; do
	change "$filter"
	malformed "$filter"
done
head -c 40 "$tap_tmp/web.json" >"$dir/active/web.json"
malformed 'cut off'
rm "$dir/active/web.json"
mkdir "$dir/active/web.json"
malformed 'a directory'
rmdir "$dir/active/web.json"
ln -s "$tap_tmp/web.json" "$dir/active/web.json"
malformed 'a link'
rm "$dir/active/web.json"
change '. + {"later": "versions may know more"}'
is 'a key that nobody knows is passed over' "$("$PORTPUB" check; ids)" web
touch "$dir/active/.web.json.swp" "$dir/active/README" "$dir/active/bad id.json"
is 'and so is a file that is no record' "$("$PORTPUB" check; ids)" web
rm "$dir/active/.web.json.swp" "$dir/active/README" "$dir/active/bad id.json"

for id in '' . .. -x ../web a/b 'a b' 'ä' "$(printf '%064d' 1)" "$(printf 'a\nb')"; do
	run add --to 10.0.0.2 --id "$id" 90:90
	is "no id: '$(echo "$id" | tr '\n' '/')'" "$status$out" 2
done
run add --to 10.0.0.2 --id "$(printf '%063d' 1)" 90:90
is 'the longest id' "$status $(ids)" "0 $(printf '%063d' 1) web"
del --all
is 'all of it can be removed' "$(left_over)" ''
finish
