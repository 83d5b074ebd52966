#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# gcc and g++ compiling large files: the same object files to the last byte. The driver
# execs cc1, as and ld, so the preload goes through a chain of programs.
. "$(dirname "$0")/../../support/tap.sh"
. "$top/tests/support/programs.sh"
tap_need gcc g++

perl -e '
	print "#include <stdio.h>\n#include <string.h>\n";
	for my $i (0 .. 700) {
		print "struct s$i { int a[", 1 + $i % 7, "]; const char *n; struct s$i *next; };\n";
		print "static int f$i(struct s$i *p, int x)\n{\n\tint t = x;\n\twhile (p) {\n";
		print "\t\tswitch (t & 7) {\n", (map {; "\t\tcase $_: t += p->a[0] * ", $_ + $i, "; break;\n" } 0 .. 6), "\t\tdefault: t ^= $i;\n\t\t}\n";
		print "\t\tp = p->next;\n\t}\n\treturn t;\n}\n";
	}
	print "int main(int argc, char **argv)\n{\n\tlong t = argc;\n\t(void)argv;\n";
	print "\tstruct s$_ v$_ = { { $_ }, \"n$_\", 0 }; t += f$_(&v$_, (int)t);\n" for 0 .. 700;
	print "\tprintf(\"%ld\\n\", t);\n\treturn 0;\n}\n";' >"$tmp/large.c" || exit 1
cat >"$tmp/large.cc" <<'CXX'
#include <bits/stdc++.h>
template <int N> struct table { std::map<std::string, std::array<double, N>> rows; table<N - 1> rest; };
template <> struct table<0> {};
int main()
{
	std::regex words("(\\w+)@(\\w+)\\.org");
	table<40> t;
	t.rows["a"] = {};
	std::unordered_map<std::string, std::vector<std::shared_ptr<std::string>>> m;
	for (int i = 0; i < 1000; i++) m[std::to_string(i % 10)].push_back(std::make_shared<std::string>(i, 'x'));
	std::vector<std::future<size_t>> sums;
	for (auto &[k, v] : m) sums.push_back(std::async(std::launch::async, [&v = v] { size_t n = 0; for (auto &s : v) n += s->size(); return n; }));
	size_t n = 0;
	for (auto &f : sums) n += f.get();
	std::cout << n << ' ' << std::regex_replace("me@here.org", words, "$2") << '\n';
}
CXX
tap_note "$(wc -l <"$tmp/large.c") lines of C"
same "gcc -O2 -g" gcc -O2 -g -Wall "-fdebug-prefix-map=$tmp/plain=." "-fdebug-prefix-map=$tmp/hakmem=." \
	-c "$tmp/large.c" -o large.o
tap_ok "gcc: the object files are equal" cmp "$tmp/plain/large.o" "$tmp/hakmem/large.o"
same "g++ -O2" g++ -std=c++17 -O2 "$tmp/large.cc" -o large -pthread
tap_ok "g++: the programs are equal" cmp "$tmp/plain/large" "$tmp/hakmem/large"
same "what g++ made" ./large
echo 'int main(void) { return 0; }' >"$tmp/small.c"
HAKMEM_STATS=1 on hakmem gcc "$tmp/small.c" -o small 2>"$tmp/accounts"
for process in gcc cc1 as ld; do
	account_of "$process" "$tmp/accounts"
done
tap_done
