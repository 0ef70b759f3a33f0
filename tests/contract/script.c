// tests/contract/script.c — interpreter scripts: the first line, its limits, nesting. execve(2) "Interpreter scripts".
#include "tests/contract/harness.h"

#include <sys/prctl.h>

// A script `#!PROGRAM --helper` named like a helper runs that helper: the kernel puts the script's path where the name belongs.

static void make_script(const char *path, const char *text)
{
    make_file(path, text);
    REQUIRE(chmod(path, 0755) == 0);
}

// Runs `path` with two arguments: its wait status, or -errno of execve.
static int run_script(const char *path)
{
    pid_t child = fork_or_fail(__FILE_NAME__, __LINE__);
    if (child == 0) {
        execve(path, (char *[]){"zero", "one", "two words", nullptr}, (char *[]){"E=1", nullptr});
        _exit(errno);
    }
    int status;
    REQUIRE_EQ(waitpid(child, &status, 0), child);
    return status;
}

#define FAILS(error) ((error) << 8) // the child's exit code is errno

HELPER(show_arguments)
{
    if (argc != 2 || strcmp(argv[0], "one") != 0 || strcmp(argv[1], "two words") != 0)
        return 100;
    extern char **environ;
    if (!environ[0] || strcmp(environ[0], "E=1") != 0)
        return 101;
    if (strcmp(program_path, "/guest/program") != 0)
        return 102;
    char name[17] = "";
    prctl(PR_GET_NAME, name);
    return strcmp(name, "show_arguments") == 0 ? 0 : 103; // of the script, not of the interpreter
}

CASE(script_gets_interpreter_argument_path_and_arguments)
{
    make_script("show_arguments", "#!/guest/program --helper\n");
    EXPECT_EQ(run_script("show_arguments"), 0);
}

CASE(script_line_may_have_blanks_around)
{
    make_script("show_arguments", "#! \t /guest/program \t --helper \t \nnot read\n");
    EXPECT_EQ(run_script("show_arguments"), 0);
}

CASE(script_line_may_end_with_the_file)
{
    make_script("show_arguments", "#!/guest/program --helper");
    EXPECT_EQ(run_script("show_arguments"), 0);
}

CASE(script_has_only_one_argument)
{
    make_script("show_arguments", "#!/guest/program --helper show_arguments\n"); // one argument with a blank in it: no --helper
    IN_CHILD(child)
    {
        close(2); // the program takes the words for names of cases, and finds none
        execve("show_arguments", (char *[]){"a", nullptr}, nullptr);
        _exit(99);
    }
    EXPECT_EXITED(child, 0);
}

CASE(script_without_interpreter_is_enoexec)
{
    make_script("b", "#!\n/guest/program\n");
    make_script("c", "#!  \t \n");
    make_script("d", "#");
    make_script("e", "# !/guest/program\n");
    EXPECT_EQ(run_script("b"), FAILS(ENOEXEC));
    EXPECT_EQ(run_script("c"), FAILS(ENOEXEC));
    EXPECT_EQ(run_script("d"), FAILS(ENOEXEC));
    EXPECT_EQ(run_script("e"), FAILS(ENOEXEC));
}

CASE(script_of_the_two_letters_alone_names_the_directory)
{
    make_script("a", "#!"); // without the end of the line the name is empty, and that is the working directory
    EXPECT_EQ(run_script("a"), FAILS(EACCES));
}

CASE(script_interpreter_errors_are_those_of_its_path)
{
    make_script("missing", "#!/no/such/file\n");
    make_script("dos", "#!/guest/program\r\n");
    make_script("folder", "#!/tmp\n");
    make_script("plain", "#!text\n");
    make_file("text", "x");
    EXPECT_EQ(run_script("missing"), FAILS(ENOENT));
    EXPECT_EQ(run_script("dos"), FAILS(ENOENT));
    EXPECT_EQ(run_script("folder"), FAILS(EACCES));
    EXPECT_EQ(run_script("plain"), FAILS(EACCES));
}

CASE(script_interpreter_may_be_relative)
{
    REQUIRE(symlink("/guest/program", "link") == 0);
    make_script("succeed", "#!link --helper\n");
    EXPECT_EQ(run_script("succeed"), 0);
}

// A chain of `count` scripts before the program.
static int run_chain(int count)
{
    char path[32], line[64];
    for (int i = 0; i < count; i++) {
        snprintf(path, sizeof path, "s%d", i);
        snprintf(line, sizeof line, i == 0 ? "#!/guest/program --helper\n" : "#!s%d\n", i - 1);
        make_script(path, line);
    }
    return run_script(path);
}

HELPER(s0)
{
    return argc >= 2 ? 0 : 1;
}

CASE(script_interpreter_may_be_a_script_five_deep)
{
    EXPECT_EQ(run_chain(1), 0);
    EXPECT_EQ(run_chain(3), 0);
    EXPECT_EQ(run_chain(5), 0);
    EXPECT_EQ(run_chain(6), FAILS(ELOOP));
    make_script("self", "#!self\n");
    EXPECT_EQ(run_script("self"), FAILS(ELOOP));
}

CASE(script_line_of_255_bytes_is_read)
{
    char line[600] = "#!/guest/program --helper";
    memset(line + strlen(line), ' ', 400);
    strcpy(line + 400, "\n");
    make_script("succeed", line); // blanks beyond the limit do not matter
    EXPECT_EQ(run_script("succeed"), 0);
    memset(line, 'x', sizeof line - 1);
    memcpy(line, "#!/", 3);
    make_script("long", line); // the name does not end within the limit
    EXPECT_EQ(run_script("long"), FAILS(ENOEXEC));
    line[254] = '\n'; // a name that does
    make_script("fits", line);
    EXPECT_EQ(run_script("fits"), FAILS(ENOENT));
}

CASE(script_set_user_id_bit_is_ignored)
{
    make_script("check_ids", "#!/guest/program --helper\n");
    REQUIRE(chown("check_ids", 1000, 1000) == 0 && chmod("check_ids", 06755) == 0);
    EXPECT_EQ(run_script("check_ids"), 0);
}

HELPER(check_ids)
{
    return geteuid() == 0 && getegid() == 0 ? 0 : 1;
}
