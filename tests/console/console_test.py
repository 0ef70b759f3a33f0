"""The console driver without a guest: scripts, TAP, and what a run reports. Run with qemu_test.py's path."""

import contextlib
import io
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(sys.argv.pop(1)))
import qemu_test  # noqa: E402
import console  # noqa: E402  (its folder comes with the command line)
import script  # noqa: E402
import tap  # noqa: E402


def drive(guest, steps):
    """Runs a shell program as if it were QEMU. Returns (passed, report)."""
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()) as printed:
        stderr = os.path.join(folder, "stderr")
        one = console.Console(["/bin/sh", "-c", guest], dict(os.environ), stderr)
        passed = console.run(script.parse(steps, "test"), "test", one, stderr)
    return passed, printed.getvalue()


class Scripts(unittest.TestCase):
    def refused(self, text, why):
        with self.assertRaises(script.ScriptError) as caught:
            script.parse(text, "test")
        self.assertIn(why, str(caught.exception))

    def test_texts_are_read_as_in_c(self):
        steps = script.parse('type "a\\n\\x1b\\"" # typed\n\nend "z" 1.5\nstatus 3\n', "test")
        self.assertEqual((steps[0].text, steps[1].seconds, steps[2].status), ('a\n\x1b"', 1.5, 3))

    def test_end_and_status_are_wanted(self):
        self.refused('expect "a" 1\n', "must be `end` and `status`")
        self.refused('status 0\nend "a" 1\n', "must be `end` and `status`")

    def test_unknown_step_and_missing_limit_are_refused(self):
        self.refused('hope "a"\n', "line 1: there is no step hope")
        self.refused('expect "a"\n', "line 1: expect wants a text and a number")

    def test_included_steps_stand_in_their_place(self):
        with tempfile.TemporaryDirectory() as folder:
            for name, steps in (("findings", '# what never comes\nnever "bang"\nnever "crash"\n'), ("nothing", "# no step\n"), ("twice", 'include "findings"\n')):
                with open(os.path.join(folder, name + ".steps"), "w", encoding="utf-8") as f:
                    f.write(steps)
            steps = script.parse('expect "a" 1\ninclude "findings" # both\nend "z" 1\nstatus 0\n', "test", folder)
            self.assertEqual([(s.verb, s.text, s.line) for s in steps[:3]], [("expect", "a", 1), ("never", "bang", 2), ("never", "crash", 2)])
            for name, why in (("none", "there is no none.steps"), ("nothing", "has no step"), ("twice", "can not include")):
                with self.assertRaisesRegex(script.ScriptError, why):
                    script.parse(f'include "{name}"\nend "z" 1\nstatus 0\n', "test", folder)

    def test_variables_are_put_in_and_shell_is_left(self):
        self.assertEqual(script.substitute("${a} $b $(c)", {"a": "1"}, "test"), "1 $b $(c)")
        with self.assertRaises(script.ScriptError):
            script.substitute("${none}", {}, "test")


class Transcripts(unittest.TestCase):
    WANTED = "  init 1 is starting up Linux RELEASE (x86_64)\n\n * a ... [ ok ]\nhost login:\n"

    def compared(self, text):
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as f, contextlib.redirect_stdout(io.StringIO()) as printed:
            f.write(self.WANTED)
            f.flush()
            return qemu_test.same_transcript(f.name, text), printed.getvalue()

    def test_release_and_what_is_typed_may_differ(self):
        same, report = self.compared("noise\n  init 1 is starting up Kevlar 6.1 (x86_64)\n\n * a ... [ ok ]\nhost login: root\nmore\n")
        self.assertTrue(same, report)

    def test_a_line_more_fails(self):
        same, report = self.compared("  init 1 is starting up X 1 (x86_64)\n\n * a ... [ ok ]\n[ 1.0] a warning\nhost login: \n")
        self.assertFalse(same)
        self.assertIn("+[ 1.0] a warning", report)

    def test_a_line_less_fails(self):
        same, report = self.compared("  init 1 is starting up X 1 (x86_64)\n\nhost login: \n")
        self.assertFalse(same)
        self.assertIn("- * a ... [ ok ]", report)

    def test_no_start_fails(self):
        self.assertFalse(self.compared("host login: \n")[0])


class Runs(unittest.TestCase):
    def test_conversation_passes(self):
        passed, report = drive(r"printf 'lo\033[1mgin: '; name=$(head -c 4); echo hello $name; exit 33",
                               'expect "login: " 10\nsend "root"\nend "hello root" 10\nstatus 33\n')
        self.assertTrue(passed, report)

    def test_wrong_status_fails_though_the_end_was_seen(self):
        passed, report = drive("echo done; exit 1", 'end "done" 10\nstatus 0\n')
        self.assertFalse(passed)
        self.assertIn("status 1, wanted 0", report)

    def test_right_status_fails_without_the_end(self):
        passed, report = drive("echo almost; exit 0", 'end "done" 10\nstatus 0\n')
        self.assertFalse(passed)
        self.assertIn("| almost", report)
        self.assertIn('"done"', report)

    def test_limit_ends_a_guest_that_waits(self):
        passed, report = drive("exec cat", 'end "done" 0.2\nstatus 0\n')
        self.assertFalse(passed)
        self.assertIn("did not come", report)

    def test_never_is_seen_even_when_nothing_waits_for_it(self):
        passed, report = drive("echo Kernel panic; echo done; exit 0", 'never "Kernel panic"\nend "done" 10\nstatus 0\n')
        self.assertFalse(passed)
        self.assertIn("must never appear", report)

    def test_what_a_kernel_may_not_say_of_itself_fails(self):
        steps = 'include "kernel_findings"\nend "done" 10\nstatus 0\n'
        self.assertTrue(drive("echo done", steps)[0])
        self.assertTrue(drive("echo ' * WARNING: you are stopping a boot service'; echo done", steps)[0])
        for said in ("Kernel panic on CPU 0: x", "[ 1.0] WARNING: a.c:1 on CPU 0: x", "WARNING: CPU: 0 PID: 1 at a.c:1 f", "watchdog: CPU 1 has had", "ASAN: x",
                     "UBSAN: x", "LOCK: x", "BUG: x"):
            passed, report = drive(f"echo '{said}'; echo done", steps)
            self.assertFalse(passed, said)
            self.assertIn("must never appear", report)

    def test_failed_tap_case_fails(self):
        passed, report = drive("printf '1..2\\nok 1 - a\\nnot ok 2 - b\\ndone\\n'", 'tap "t" 10\nend "done" 10\nstatus 0\n')
        self.assertFalse(passed)
        self.assertIn("not ok: b", report)


class Tap(unittest.TestCase):
    def test_lines_of_others_are_left_out(self):
        report = tap.parse("1..2\n[ 1.0] noise\nok 1 - pipe_works\nokay\nok 2 fork # comment\n")
        self.assertEqual(([c.name for c in report.cases], report.problems()), (["pipe_works", "fork"], []))

    def test_missing_plan_short_plan_and_all_skipped_are_problems(self):
        self.assertTrue(tap.parse("ok 1\n").problems())
        self.assertTrue(tap.parse("1..2\nok 1 - a\n").problems())
        self.assertTrue(tap.parse("1..1\nok 1 - a # SKIP no such thing\n").problems())
        self.assertTrue(tap.parse("1..0\n").problems())

    def test_skipped_case_does_not_count_as_passed(self):
        self.assertFalse(tap.parse("1..1\nok 1 - a # skip\n").cases[0].passed)


class Comparison(unittest.TestCase):
    def problems(self, linux, kevlar, minimum=0):
        with tempfile.NamedTemporaryFile("w", suffix=".log") as log, contextlib.redirect_stdout(io.StringIO()):
            log.write(linux)
            log.flush()
            return qemu_test.compare(log.name, kevlar, {}, minimum)

    def test_equal_passes_agree(self):
        self.assertEqual(self.problems("1..2\nok 1 - a\nok 2 - b\n", "1..2\nok 1 - b\nok 2 - a\n"), 0)

    def test_every_way_to_differ_is_a_problem(self):
        both = "1..2\nok 1 - a\nok 2 - b\n"
        for other in ("1..2\nok 1 - a\nnot ok 2 - b\n", "1..1\nok 1 - a\n", "1..2\nok 1 - a\nok 2 - b # SKIP\n", "", "1..2\nok 1 - a\n"):
            self.assertGreater(self.problems(both, other), 0, other)
            self.assertGreater(self.problems(other, both), 0, other)

    def test_fewer_cases_than_there_must_be_are_a_problem(self):
        both = "1..3\nok 1 - a\nok 2 - b\nok 3 - c # SKIP not here\n"
        self.assertEqual(self.problems(both, both, 2), 0)
        self.assertEqual(self.problems(both, both, 3), 1)

    def test_failing_on_both_is_no_agreement(self):
        self.assertGreater(self.problems("1..1\nnot ok 1 - a\n", "1..1\nnot ok 1 - a\n"), 0)


if __name__ == "__main__":
    unittest.main()
