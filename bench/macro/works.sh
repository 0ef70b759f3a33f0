# bench/macro/works.sh — the work that is timed: works.sh NAME prepare|run|remove, by Debian's bash.
#
# Each piece has two functions, and a folder on tmpfs where both start. It must leave exit status 0, and say something only if it went wrong.
# shellcheck shell=bash disable=SC2317 # the functions are called by name
set -eu

SOURCES=/usr/src/musl

# --- A configure script: hundreds of small commands, and a compiler called to try things. ---
shell_configure_prepare() { cp -r $SOURCES tree; }
shell_configure_run() { (cd tree && sh ./configure --disable-shared >/dev/null 2>&1); }

# --- tar, there and back. ---
tar_create_prepare() { :; }
tar_create_run() { for i in 1 2 3; do tar cf tree.$i.tar -C /usr/src musl; done; }
tar_extract_tree_prepare() { tar cf tree.tar -C /usr/src musl; }
tar_extract_tree_run() { for i in 1 2 3; do mkdir $i; tar xf tree.tar -C $i; done; }

# --- A build of C sources with make -j2 and gcc. ---
make_gcc_prepare() {
    cp -r $SOURCES tree
    cd tree
    sh ./configure --disable-shared >/dev/null 2>&1
}
make_gcc_run() {
    local objects
    objects=$(cd tree/src/string && for f in *.c; do echo "obj/src/string/${f%.c}.o"; done)
    # shellcheck disable=SC2086 # one word an object
    make -s -j2 -C tree $objects 2>/dev/null
    [ "$(find tree/obj -name '*.o' | wc -l)" -gt 50 ]
}

# --- Text: 50 MiB of words and numbers, the same on every run. ---
text_data() { awk 'BEGIN { srand(7); while (n < 50 * 1048576) { s = sprintf("%08x line %d of words %d", rand() * 4294967295, i++, rand() * 1000); n += length(s) + 1; print s } }'; }
sort_50m_prepare() { text_data >text; }
sort_50m_run() { sort text >sorted && sort -c sorted; }
grep_50m_prepare() { text_data >text; }
grep_50m_run() { for pattern in 'words 77' '[0-9a-f]*ff line' 'absent'; do grep -c "$pattern" text >>counts || [ "$pattern" = absent ]; done; }
awk_50m_prepare() { text_data >text; }
awk_50m_run() { awk '{ count[$NF]++; sum += $3 } END { for (k in count) n++; exit !(n == 1000 && sum > 0) }' text; }

# --- Python: starting, and computing. ---
python_start_prepare() { python3 -c 'import json, os, re, subprocess'; }
python_start_run() { for _ in 1 2 3 4 5 6 7 8 9 10; do python3 -c 'import json, os, re, subprocess'; done; }
python_loops_prepare() {
    cat >loops.py <<'PYTHON'
import json, random, re

random.seed(1)
words = ["".join(random.choices("abcdefgh", k=6)) for _ in range(40000)]
table = {}
for word in words:
    table.setdefault(word[:3], []).append(word)
assert json.loads(json.dumps(table)) == table
assert sum(len(re.findall("a+b", word)) for word in words) > 0
assert sorted(words) == sorted(sorted(words), reverse=False)
print(sum(i * i % 7 for i in range(300000)))
PYTHON
}
python_loops_run() { python3 loops.py >out; }

# --- sqlite: 10,000 transactions of one row each. ---
sqlite_10k_prepare() {
    {
        echo 'create table t(id integer primary key, word text);'
        seq 1 10000 | sed "s/.*/insert into t(word) values('row &');/"
        echo 'select count(*) from t;'
    } >script.sql
}
sqlite_10k_run() { [ "$(sqlite3 data.db <script.sql)" = 10000 ]; }

# --- redis over a unix socket. ---
redis_prepare() {
    redis-server --port 0 --unixsocket "$PWD/socket" --save '' --appendonly no --daemonize yes --pidfile "$PWD/pid" >/dev/null
    for _ in $(seq 100); do [ -S socket ] && [ -s pid ] && return; sleep 0.1; done
    return 1
}
redis_run() { redis-benchmark -s "$PWD/socket" -q -n 10000 -c 20 -t set,get,incr,lpush >out; [ "$(grep -c 'requests per second' out)" -ge 4 ]; }
redis_remove() { redis-cli -s "$PWD/socket" shutdown nosave; }

# --- git status in a tree of thousands of files. ---
git_status_prepare() {
    cp -r $SOURCES tree
    cd tree
    git init -q .
    git config user.email bench@kevlar
    git config user.name bench
    git add -A
    git commit -q -m all
}
git_status_run() { cd tree && for _ in 1 2 3 4 5 6 7 8 9 10; do [ -z "$(git status --short)" ]; done; }

mkdir -p "/tmp/$1"
cd "/tmp/$1"
case $2 in
    remove)
        if declare -F "$1_remove" >/dev/null; then "$1_remove"; fi
        cd / && rm -rf "/tmp/$1"
        ;;
    *) "$1_$2" ;;
esac
