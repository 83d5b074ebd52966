#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What commands write has no more permission than the umask leaves; in a folder that everybody may
# write to, nobody can have them write somewhere else, or read what they write.
. "$(dirname "$0")/../support/tap.sh"
cd "$tmp" || exit 1
tar -xzf "$top/tests/data/ctf/good/full.tar.gz"

# write FILE COMMAND...: with -o FILE; its messages go to ./said.
write() {
	local file=$1
	shift
	"$hakstat" "$@" -o "$file" >said 2>&1
}

commands=('report full' 'report full --format summary' 'report full --format html' 'report full --format pprof'
	'diff full full' 'whatif full --size-classes fine' 'tune full --max-classes 20')
for mask in 077 027 022; do
	for i in "${!commands[@]}"; do
		read -ra words <<<"${commands[i]}"
		(umask "$mask" && write "out.$mask.$i" "${words[@]}")
		tap_is "$? $(stat -c %a "out.$mask.$i")" "0 $(printf %o $((0666 & ~0$mask)))" "umask $mask: ${commands[i]}"
	done
done

chmod 600 out.022.0
write out.022.0 report full
tap_is "$(stat -c %a out.022.0)" 600 "a file that is there keeps its own permission"
ln -s target mine
write mine report full
tap_ok "the user's own links are followed" test -s target
tap_ok "so are the system's" sh -c '"$1" report full -o /dev/stdout | grep -q .' sh "$hakstat"
write . report full
tap_is "$? $(cat said)" "2 hakstat: .: cannot be written: Is a directory" "what cannot be written is said"

if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
	chmod 755 .
	for mode in 1777 777; do
		mkdir "shared$mode" && chmod "$mode" "shared$mode"
		echo precious >precious
		setpriv --reuid=65534 --clear-groups ln -s ../precious "shared$mode/link"
		setpriv --reuid=65534 --clear-groups sh -c 'umask 0; : >"$1"' sh "shared$mode/file"
		for name in link file; do
			write "shared$mode/$name" report full
			tap_is "$? $(cat said)" "2 hakstat: shared$mode/$name: cannot be written: it belongs to somebody else, in a folder that everybody may write to" \
				"folder of mode $mode: somebody else's $name is not used"
		done
		tap_is "$(cat precious)" precious "nothing is written through the link"
		tap_ok "nor to the file" test ! -s "shared$mode/file"
		ln -s ../mine.$mode "shared$mode/own" && write "shared$mode/own" report full
		tap_ok "one's own link there is followed" test -s "mine.$mode"
	done
fi
tap_done
