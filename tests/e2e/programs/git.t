#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# git on a repository of the system's headers with a history, and on the project's own:
# import, clone, log, blame, diff, threaded repack, fsck. Object names must be equal.
. "$(dirname "$0")/../../support/tap.sh"
. "$top/tests/support/programs.sh"
tap_need git
export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null GIT_PAGER=cat HOME=$tmp
export GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@example.org GIT_AUTHOR_DATE='1700000000 +0000'
export GIT_COMMITTER_NAME=C GIT_COMMITTER_EMAIL=c@example.org GIT_COMMITTER_DATE='1700000000 +0000'

cat >"$tmp/work.sh" <<'SH'
set -e
git init -q -b main repo
cd repo
git config core.autocrlf false
git config pack.threads 4
cp -rL /usr/include/linux /usr/include/c++ . 2>/dev/null || cp -r /usr/include/linux .
git add -A
git commit -q -m 'All of it'
for i in 1 2 3 4 5 6; do
	find . -name '*.h' -not -path './.git/*' | sort | awk -v i=$i 'NR % 7 == i' | xargs sed -i "${i}s/\$/ changed $i/"
	git commit -q -a -m "Change $i"
done
git checkout -q -b side HEAD~3
git mv linux other
git commit -q -m 'Move a folder'
git merge -q -m 'Merge' main
git log --stat --format='%H %s'
git blame other/fs.h
git diff --stat HEAD~4 HEAD
git diff -M HEAD^ HEAD | sha1sum
git grep -c 'define.*MAX' | sort | sha1sum
git repack -q -a -d -f --depth=20 --window=20
git fsck --full --strict
git clone -q --no-local . ../copy
git -C ../copy log --oneline
git archive HEAD | sha1sum
SH
same "git" sh "$tmp/work.sh"
if git -c safe.directory='*' -C "$top" rev-parse -q --verify HEAD >/dev/null 2>&1; then
	git config --file "$tmp/gitconfig" safe.directory '*'
	export GIT_CONFIG_GLOBAL=$tmp/gitconfig
	same "git on the project itself" sh -c 'git -C "$1" log -p --format="%H %an %s" | sha1sum && git -C "$1" grep -c include | sort' sh "$top"
fi
served git git -C "$tmp/plain/repo" log --oneline -p -2
tap_done
