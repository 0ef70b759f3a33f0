"""Tests of bench/tool without a guest: results_test.py PATH/TO/results.py."""

import contextlib
import io
import os
import sys
import tempfile
import unittest

sys.path[:0] = [os.path.dirname(os.path.abspath(sys.argv.pop(1))), os.path.abspath("toolchains/qemu")]

import baseline
import compare
import document
import goals
import guest
import locks
import names
import profile
import render
import report as reports
import results
import scale

LINES = """SeaBIOS (version 1.16.2)
BENCH_INIT 26538526
BENCH_START icount 2
BENCH_KERNEL Linux 6.12.0
BENCH getpid 50000 3751139 75.0
BENCH_TSC getpid 3751250
BENCH stat 4000 6229928 1557.5
BENCH_TSC stat 6230000
BENCH_END
"""


def run(text=LINES, clock="icount", configuration="kevlar", wanted=("getpid", "stat")):
    return results.parse(results.Run(configuration, clock, 1, ["qemu"]), text, list(wanted))


def figure_of(median, spread=0.0, runs=7):
    return {"median": median, "spread": spread, "low": median, "high": median, "runs": runs}


def report_of(median, spread=0.0, clock="wall", runs=7, systems=None, partial=""):
    return {"partial": partial, "summary": {clock: {"stat": {"kevlar": figure_of(median, spread, runs)}}}, "systems": systems or {}}


def entry_of(ours, linux, spread=0.0, verdict="faster"):
    return {"kevlar": figure_of(ours, spread), "linux": {"linux": figure_of(linux)}, "best": "linux", "ratio": ours / linux, "verdict": verdict}


class Parsing(unittest.TestCase):
    def test_a_whole_run_is_read(self):
        one = run()
        self.assertEqual(one.results["getpid"].iterations, 50000)
        self.assertAlmostEqual(one.results["stat"].per_iteration, 1557.482)
        self.assertEqual((one.kernel, one.init_ticks), ("Linux 6.12.0", 26538526))

    def test_a_run_survives_json(self):
        self.assertEqual(results.Run.from_json(run().to_json()), run())

    def refused(self, text, why, **kwargs):
        with self.assertRaisesRegex(results.Incomplete, why):
            run(text, **kwargs)

    def test_incomplete_runs_are_refused(self):
        self.refused(LINES.replace("BENCH_END\n", ""), "no BENCH_END")
        self.refused(LINES.replace("BENCH_START icount 2\n", ""), "no BENCH_START")
        self.refused(LINES, "not measured: pipe", wanted=("getpid", "stat", "pipe"))
        self.refused(LINES.replace("BENCH stat 4000 6229928 1557.5", "BENCH_SKIP stat killed by signal 11"), "BENCH_SKIP stat killed")
        self.refused(LINES.replace("BENCH_TSC stat 6230000\n", ""), "stat has no time or no TSC figure")
        self.refused(LINES.replace("BENCH_END", "BENCH getpid 1 1 1.0\nBENCH_END"), "reported twice")

    def test_the_counts_of_another_clock_are_refused(self):
        self.refused(LINES, "counts of icount", clock="wall")

    def test_every_name_is_listed_once(self):
        self.assertEqual((len(names.CALLS), len(names.PROGRAMS), len(set(names.ALL))), (37, 18, 55))


class Comparing(unittest.TestCase):
    def figure(self, *values):
        return results.Figure.of(list(values))

    def verdict(self, ours, defaults, unmitigated, clock="wall"):
        return results.compare(self.figure(*ours), {"a": self.figure(*defaults), "b": self.figure(*unmitigated)}, clock)

    def test_the_lower_linux_is_the_one_to_beat(self):
        one = self.verdict([80] * 3, [100] * 3, [90] * 3)
        self.assertEqual((one.best, one.verdict), ("b", "faster"))
        self.assertAlmostEqual(one.ratio, 80 / 90)

    def test_a_difference_within_the_spread_is_a_tie(self):
        self.assertEqual(self.verdict([80, 90, 120], [100, 101, 102], [200]).verdict, "tie")
        self.assertEqual(self.verdict([80, 81, 82], [100, 101, 102], [200]).verdict, "faster")
        self.assertEqual(self.verdict([110, 111, 112], [100, 101, 102], [200]).verdict, "slower")
        self.assertEqual(self.verdict([98], [100], [200], "icount").verdict, "tie")

    def test_the_wall_clock_gives_no_verdict_without_a_spread(self):
        for ours, linux in (([80], [100] * 3), ([80] * 3, [100]), ([80, 81], [100, 101])):
            self.assertEqual(self.verdict(ours, linux, [200] * 3).verdict, "spread unknown")
        self.assertEqual(self.verdict([80], [100], [200], "icount").verdict, "faster")

    def test_few_runs_are_warned_of(self):
        def warnings(count, clock):
            return results.run_warnings([results.Run("kevlar", clock, n, []) for n in range(count)])

        self.assertIn("no verdict", warnings(2, "wall")[0])
        self.assertIn("6 runs", warnings(6, "kvm")[0])
        self.assertEqual(warnings(7, "wall") + warnings(1, "icount"), [])

    def test_runs_with_other_counts_are_not_compared(self):
        other = run(LINES.replace("4000 6229928", "5000 6229928"), configuration="linux")
        with self.assertRaisesRegex(results.Incomplete, "different iteration counts"):
            results.summarise([run(), other], "icount", ["stat"])

    def test_a_wrong_clock_is_noticed(self):
        slow = run(LINES.replace("6229928", "3000000"), configuration="linux")
        self.assertEqual(len(results.clock_warnings([run(), slow])), 1)
        self.assertEqual(results.clock_warnings([run()]), [])


class Regressions(unittest.TestCase):
    def worse(self, old, new, tolerance=compare.TOLERANCE):
        return sum(c.worse() for c in compare.changes(old, new, tolerance))

    def test_beyond_tolerance_and_spread_is_worse(self):
        self.assertEqual(self.worse(report_of(100), report_of(110)), 1)
        self.assertEqual(self.worse(report_of(100), report_of(103)), 0)
        self.assertEqual(self.worse(report_of(100, spread=0.2), report_of(110)), 0)
        with self.assertRaisesRegex(ValueError, "spread unknown"):
            self.worse(report_of(100), report_of(110, runs=2))
        self.assertEqual(self.worse({"baseline": {"stat": 2424.0}}, {"baseline": {"stat": 2600.0}}), 1)

    def test_a_benchmark_that_is_gone_is_an_error(self):
        with self.assertRaisesRegex(ValueError, "no longer measured: stat"):
            compare.changes({"baseline": {"stat": 1.0}}, {"baseline": {"getpid": 1.0}}, 0.04)

    def test_a_clock_that_is_gone_is_an_error(self):
        with self.assertRaisesRegex(ValueError, "wall: no longer measured"):
            compare.changes(report_of(100), {"baseline": {"stat": 100.0}}, 0.04)

    def test_boot_and_memory_are_compared(self):
        def system(instructions, seconds):
            return {"kevlar": {"boot,_million_instructions": figure_of(instructions, runs=1), "boot,_seconds": figure_of(seconds, 0.1)}}

        old = report_of(100, systems=system(50, 2.0))
        self.assertEqual(self.worse(old, report_of(100, systems=system(50, 2.1))), 0)
        self.assertEqual(self.worse(old, report_of(100, systems=system(53, 2.3))), 2)
        with self.assertRaisesRegex(ValueError, "system: no longer measured"):
            compare.changes(old, report_of(100), 0.04)

    def test_seconds_need_a_spread_and_what_is_counted_does_not(self):
        def one_run(name):
            return report_of(100, systems={"kevlar": {name: figure_of(100, runs=1)}})

        for name in ("reset_to_login,_milliseconds_of_guest_time", "reset_to_login,_million_instructions", "kernel_file,_KiB"):
            self.assertEqual(self.worse(one_run(name), one_run(name)), 0)
        for name in ("reset_to_login,_seconds,_wall", "kernel_entry_to_init,_seconds", "reset_to_init_seconds_kvm"):
            with self.assertRaisesRegex(ValueError, "spread unknown"):
                self.worse(one_run(name), one_run(name))

    def test_a_report_without_boots_is_partial(self):
        def partial(*options):
            return reports.partial_of(reports.arguments(list(options)), ["icount", "wall"], "tcg")

        self.assertEqual(partial(), "")
        self.assertEqual(partial("--no-boot"), "--no-boot")
        self.assertEqual(partial("--boot-runs=0"), "--boot-runs=0")

    def test_a_partial_report_is_refused(self):
        compare.refuse_partial("old", report_of(100))
        with self.assertRaisesRegex(ValueError, "old is partial: --only=stat"):
            compare.refuse_partial("old", report_of(100, partial="--only=stat"))

    def test_a_baseline_that_guards_nothing_is_stale(self):
        def stale(old, new):
            return [c.name for c in compare.changes({"baseline": {"stat": old}}, {"baseline": {"stat": new}}, 0.04) if baseline.is_stale(c)]

        self.assertEqual(stale(1000.0, 890.0), ["stat"])
        self.assertEqual(stale(1000.0, 910.0) + stale(30.0, 27.0), [])


class Goals(unittest.TestCase):
    def missed(self, found):
        return [goal.title for goal in found if not goal.met]

    def micro(self, ratio, clock="icount", **changed):
        summary = {name: entry_of(ratio * 100, 100) for name in names.ALL}
        summary.update({name: entry_of(other * 100, 100) for name, other in changed.items()})
        return self.missed(goals.micro({"icount": {name: entry_of(20, 100) for name in names.ALL}, "wall": {name: entry_of(60, 100) for name in names.ALL},
                                        clock: summary}))

    def test_instructions(self):
        self.assertEqual(self.micro(0.29), [])
        self.assertEqual(len(self.micro(0.35)), 1)  # the mean of single system calls alone
        self.assertEqual(len(self.micro(0.29, stat=1.01)), 1)
        self.assertEqual(len(self.micro(0.41)), 2)

    def test_wall(self):
        self.assertEqual(self.micro(0.69, "wall", stat=1.09), [])
        self.assertEqual(len(self.micro(0.69, "wall", stat=1.11)), 1)
        self.assertEqual(len(self.micro(0.71, "wall")), 1)

    def test_what_was_not_measured_is_missed(self):
        self.assertEqual(len(self.missed(goals.micro({}))), 6)
        self.assertEqual(len(self.missed(goals.boot({}))), len(goals.BOOT) + 1)
        for found in (goals.scale({}), goals.macro({}), goals.memory_each({})):
            self.assertEqual(len(self.missed(found)), 1)

    def test_boot(self):
        linux = {name: figure_of(1000) for name, _ in goals.BOOT}
        ours = {name: figure_of(limit * 1000) for name, limit in goals.BOOT}
        ours["kernel_file,_KiB"] = figure_of(2048)
        self.assertEqual(self.missed(goals.boot({"kevlar": ours, "linux": linux})), [])
        ours["kernel_file,_KiB"] = figure_of(2049)
        ours["reset_to_login,_million_instructions"] = figure_of(201)
        self.assertEqual(len(self.missed(goals.boot({"kevlar": ours, "linux": linux, "other": linux}))), 2)

    def curve(self, ours, linux):
        return self.missed(goals.scale({f"open {10 ** (i + 1)}": entry_of(a, b) for i, (a, b) in enumerate(zip(ours, linux))}))

    def test_curves(self):
        self.assertEqual(self.curve([10, 20, 40], [20, 40, 80]), [])
        self.assertEqual(self.curve([10, 20, 40], [50, 60, 80]), [])  # the same growth, on less
        self.assertEqual(len(self.curve([10, 41, 40], [20, 40, 80])), 1)  # one point
        self.assertEqual(len(self.curve([1, 10, 100], [200, 210, 220])), 1)  # the order
        self.assertEqual(len(self.curve([1, 10, 300], [200, 210, 220])), 2)

    def test_macro(self):
        def macro(**entries):
            return self.missed(goals.macro({"wall": entries}))

        self.assertEqual(macro(tar=entry_of(80, 100), git=entry_of(90, 100, verdict="tie")), [])
        self.assertEqual(len(macro(tar=entry_of(60, 100), git=entry_of(101, 100, verdict="slower"))), 1)
        self.assertEqual(len(macro(tar=entry_of(60, 100, verdict=results.SPREAD_UNKNOWN))), 1)
        self.assertEqual(len(macro(tar=entry_of(90, 100))), 1)

    def test_a_baseline_has_no_goals(self):
        with self.assertRaisesRegex(ValueError, "no report"):
            goals.judge({"baseline": {"stat": 1.0}})

    def test_a_partial_report_is_not_enough(self):
        report = {"kind": "macro", "partial": "--only=tar", "summary": {"wall": {"tar": entry_of(60, 100)}}, "systems": {}}
        with contextlib.redirect_stdout(io.StringIO()):
            self.assertEqual(goals.judge(report), 1)
            self.assertEqual(goals.judge({**report, "partial": ""}), 0)


class Rendering(unittest.TestCase):
    def report(self, partial=""):
        runs = [run(), run(LINES.replace("6229928", "9000000").replace("6230000", "9000000"), configuration="linux")]
        report = document.new("report", partial, "QEMU 7", {"icount": results.summarise(runs, "icount", ["getpid", "stat"]), "wall": {}}, {})
        return {**report, "warnings": ["beware"], "commands": {"icount": {"kevlar": "qemu -x"}}, "runs_of": {"icount": {"kevlar": 1}}}

    def test_a_report_is_written(self):
        report = self.report()
        text = render.markdown(report)
        self.assertIn("| stat | 1,557.5 | 0.0% | 2,250.0 | 0.0% | 0.692 | faster |", text)
        self.assertIn("beware", text)
        self.assertIn("</svg>", render.chart(report))
        self.assertNotIn("partial", text)

    def test_a_partial_report_says_so(self):
        self.assertIn("partial: --clocks=icount", render.markdown(self.report("--clocks=icount")))
        self.assertTrue(document.folder("", "--only=stat").endswith("partial"))
        self.assertFalse(document.folder("", "").endswith("partial"))

    def test_a_report_is_read_again_and_an_old_format_is_not(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "report.json")
            report = self.report()
            document.write(report, folder, "report", {})
            self.assertEqual(compare.changes(document.load(path), document.load(path), 0.04)[0].name, "getpid")
            document.write({**report, "format": 1}, folder, "report", {})
            with self.assertRaisesRegex(ValueError, "another format"):
                document.load(path)

    def test_scaling_has_the_common_shape(self):
        found = {c: {"curves": {"open": {10: value, 100: value}}, "memory": {"thread": value}, "commands": [], "warnings": [c]}
                 for c, value in (("kevlar", 1.0), ("linux", 2.0))}
        report = scale.build(found, "", "QEMU 7")
        self.assertEqual(sorted(c.name for c in compare.changes(report, report, 0.04)), ["open 10", "open 100", "thread"])
        self.assertIn("| open | 10 | 1 | 2 | 0.500 |", scale.markdown(report, found))
        self.assertEqual(report["warnings"], ["kevlar", "linux"])
        self.assertEqual([goal for goal in goals.scale(report["summary"]["icount"]) if not goal.met], [])

    def test_a_run_that_left_something_out_is_refused(self):
        def refuse(*lines):
            scale.refuse_incomplete("run", guest.Transcript([], [(0.0, line) for line in lines]))

        refuse("SCALE_START cpus", "SCALE cpu_fork 1 1 1 1.0", "SCALE_END")
        with self.assertRaisesRegex(results.Incomplete, "no SCALE_END"):
            refuse("SCALE_START cpus", "SCALE cpu_fork 1 1 1 1.0")
        with self.assertRaisesRegex(results.Incomplete, "SCALE_SKIP cpu_fork"):
            refuse("SCALE_START cpus", "SCALE_SKIP cpu_fork 1 no process", "SCALE_END")


class Locks(unittest.TestCase):
    NAMES = ("spin_lock_slow", "mutex_lock_slow", "down_read_slow_", "down_write_uninterruptible_", "wait_in_queue", "try_take.27", "try_take_all")

    def symbols(self, names):
        return profile.Symbols([(profile.KERNEL_SPACE + i * 16, name) for i, name in enumerate(names)])

    def test_waiting_is_counted_by_name(self):
        counts = {profile.KERNEL_SPACE + i * 16: 1 for i in range(len(self.NAMES))}
        everything, functions = locks.share({**counts, 16: 5}, self.symbols(self.NAMES), locks.WAITING["kevlar"])
        self.assertEqual((everything, sorted(functions)), (12, sorted(self.NAMES[:-1])))

    def test_a_name_that_is_gone_is_noticed(self):
        locks.check_names(self.symbols(self.NAMES), "kevlar")
        with self.assertRaisesRegex(results.Incomplete, "mutex_lock_slow"):
            locks.check_names(self.symbols([name for name in self.NAMES if name != "mutex_lock_slow"]), "kevlar")
        with self.assertRaisesRegex(results.Incomplete, "queued_spin_lock_slowpath"):
            locks.check_names(self.symbols(self.NAMES), "linux")


if __name__ == "__main__":
    unittest.main()
