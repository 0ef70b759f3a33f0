#!/usr/local/glibc/bash
# Debian's bash and coreutils, run as they are: what they ask of a kernel by way of glibc. Reports TAP.
export PATH=/usr/local/glibc LC_ALL=C
cases=0
[[ -e /dev/fd ]] || ln -s /proc/self/fd /dev/fd # as a boot makes it

# check NAME WANTED GOT
check() {
    cases=$((cases + 1))
    if [[ $2 == "$3" ]]; then
        echo "ok $cases - $1"
    else
        echo "# wanted: ${2@Q}, got: ${3@Q}"
        echo "not ok $cases - $1"
    fi
}

scratch=$(mktemp -d /tmp/tools.XXXXXX)
check mktemp_makes_a_folder directory "$(stat -c %F "$scratch")"
cd "$scratch" || exit 1

check bash_is_glibcs_own 5 "${BASH_VERSINFO[0]}"
check pipeline_through_five_programs "5050" "$(seq 100 | sort -R | sort -n | paste -sd+ | { read -r sum; echo $((sum)); })"
check process_substitution_reads_dev_fd "2 b" "$(join <(printf '1 a\n2 b\n') <(printf '2\n'))"
check here_string_is_standard_input HELLO "$(tr a-z A-Z <<<hello)"
check here_document_larger_than_a_pipe 200000 "$(wc -c <<<"$(yes | head -c 199999 | tr '\n' y)" | tr -d ' ')"
check sort_merges_temporary_files 60000 "$(seq 60000 -1 1 | sort -n -S 64K -T . | tail -n 1)"
seq 30000 | shuf | sort -n --parallel=4 >sorted
check sort_starts_threads "1 30000" "$(head -n 1 sorted) $(tail -n 1 sorted)"

(exit 7) & child=$!
wait $child
check wait_gives_the_exit_status 7 $?
sleep 100 & child=$!
kill -TERM $child
wait $child
check wait_gives_the_signal 143 $?
coproc { while read -r line; do echo "<$line>"; done; }
coprocess=$COPROC_PID
echo ping >&"${COPROC[1]}"
read -r answer <&"${COPROC[0]}"
check coprocess_answers "<ping>" "$answer"
eval "exec ${COPROC[1]}>&-"
wait "$coprocess"
check coprocess_sees_the_end 0 $?
check trap_runs_in_a_subshell trapped "$(trap 'echo trapped; exit' USR1; kill -USR1 $BASHPID; sleep 5; echo missed)"
timeout 1 sleep 100
check timeout_says_124 124 $?
check read_times_out 142 "$(mkfifo quiet; exec 4<>quiet; read -rt 0.2 -u 4; echo $?)"

umask 027
touch made
check umask_holds 640 "$(stat -c %a made)"
chmod 4751 made
check chmod_with_set_user_id 4751 "$(stat -c %a made)"
touch -d @1000000000.5 made
check touch_sets_nanoseconds 1000000000.500000000 "$(stat -c %.9Y made)"
ln made hard && ln -s made soft
check links_are_counted "2 made" "$(stat -c %h made) $(readlink soft)"
mkdir -p a/b/c && cp -a a z && mv z/b z/d
check cp_and_mv_of_trees "z z/d z/d/c" "$(du -a z | cut -f2 | sort | paste -sd' ')"
rm -r a z
check rm_leaves_nothing "" "$(ls -d a z 2>/dev/null)"
truncate -s 1M sparse
check truncate_makes_a_hole "1048576 0" "$(stat -c '%s %b' sparse)"
dd if=/dev/zero of=sparse bs=4096 seek=10 count=1 conv=notrunc status=none
cp --sparse=always sparse copy
check holes_survive_a_copy same "$([[ $(sha256sum <sparse) == "$(sha256sum <copy)" ]] && echo same)"
check sha256_of_nothing e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 "$(sha256sum </dev/null | cut -d' ' -f1)"
mkfifo pipe
echo through >pipe &
check fifo_joins_two_programs through "$(cat pipe)"
wait
mknod null c 1 3 && echo gone >null
check mknod_reaches_the_device "character special file 1,3" "$(stat -c '%F %t,%T' null)"
split -l 3 <(seq 10) part.
check split_makes_four_files 4 "$(ls part.* | wc -l)"
check nproc_is_what_the_guest_was_given "$guest_cpus" "$(nproc)"
check id_is_root "0 0" "$(id -u) $(id -g)"
check exec_replaces_the_shell same "$(bash -c 'before=$$; exec bash -c "[[ \$\$ == $before ]] && echo same"')"
check ls_lists_four_hundred_names 400 "$(mkdir many; cd many; touch $(seq 400); ls -U | wc -l)"
cd / && rm -r "$scratch"
check scratch_is_gone no "$([[ -e $scratch ]] && echo yes || echo no)"
echo "1..$cases"
