#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# python3's own test suite, a broad selection: every single test ends as it does on the
# system's allocator. PYTHONMALLOC=malloc sends all of python's objects through malloc.
# HAK_TEST_PYTHON=all runs the whole suite (hours); or name the modules.
. "$(dirname "$0")/../../support/tap.sh"
. "$top/tests/support/programs.sh"
"$python" -c 'import test.test_dict' 2>/dev/null || tap_skip_all "python3's test suite is not installed"

selection=(
	test_{dict,list,set,tuple,deque,heapq,sort,unicode,bytes,string,fstring,re,json,pickle,copy,struct,array,memoryview,buffer}
	test_{collections,ordered_dict,itertools,functools,generators,coroutines,asyncgen,gc,weakref,weakset,finalization}
	test_{exceptions,traceback,long,float,decimal,fractions,datetime,zlib,bz2,lzma,gzip,zipfile,tarfile,hashlib,hmac,random}
	test_{ctypes,mmap,io,fileio,tempfile,shelve,csv,email,xml_etree,xml_etree_c,pyexpat,minidom,sax,difflib,inspect}
	test_{ast,compile,tokenize,dis,marshal,class,descr,enum,dataclasses,typing,contextlib,argparse,configparser}
	test_{thread,threading_local,queue,fork1,subprocess,codecs,multibytecodec,locale,bisect,textwrap,base64,statistics}
)
case ${HAK_TEST_PYTHON-} in
'') ;;
all) selection=() ;;
*) read -ra selection <<<"$HAK_TEST_PYTHON" ;;
esac

# Without hash randomisation, and with a fixed seed, both runs do the same.
export PYTHONMALLOC=malloc PYTHONHASHSEED=0

cat >"$tmp/outcomes.py" <<'PY'
import sys, xml.etree.ElementTree as tree
for case in sorted(tree.parse(sys.argv[1]).iter("testcase"), key=lambda c: c.get("name")):
    marks = [child.tag for child in case if child.tag in ("error", "failure", "skipped")]
    print(case.get("name"), ",".join(marks) or case.get("result").replace("completed", "ok"))
PY

pids=()
for how in plain hakmem; do
	on "$how" "$python" -m test --randseed 1 -j1 --timeout 240 --junit-xml "$tmp/$how.xml" "${selection[@]}" \
		>"$tmp/$how.log" 2>&1 </dev/null &
	pids+=($!)
done
wait "${pids[@]}"
for how in plain hakmem; do
	"$python" "$tmp/outcomes.py" "$tmp/$how.xml" >"$tmp/$how.outcomes"
	tap_note "$how: $(wc -l <"$tmp/$how.outcomes") tests, $(grep -c ' ok$' "$tmp/$how.outcomes") passed, $(
		grep -c ' skipped$' "$tmp/$how.outcomes") skipped; $(grep '^Tests\? result' "$tmp/$how.log" | tail -n 1)"
done
tap_ok "the suite ran" test "$(grep -c ' ok$' "$tmp/plain.outcomes")" -gt 20
tap_same "$tmp/hakmem.outcomes" "$tmp/plain.outcomes" "every test of python3's suite ends the same way"
served "$(basename "$python")" "$python" -c 'print(len([str(i) for i in range(1000)]))'
tap_done
