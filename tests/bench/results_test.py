"""Tests of bench/tool without a guest: results_test.py PATH/TO/results.py."""

import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(sys.argv.pop(1))))

import compare
import names
import render
import results

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


def report_of(median, spread=0.0, clock="wall"):
    return {"summary": {clock: {"stat": {"kevlar": {"median": median, "spread": spread}}}}}


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
        self.assertEqual((len(names.ORIGINAL), len(names.PROGRAMS), len(set(names.ALL))), (37, 18, 55))


class Comparing(unittest.TestCase):
    def figure(self, *values):
        return results.Figure.of(list(values))

    def verdict(self, ours, defaults, unmitigated, clock="wall"):
        return results.compare(self.figure(*ours), {"a": self.figure(*defaults), "b": self.figure(*unmitigated)}, clock)

    def test_the_lower_linux_is_the_one_to_beat(self):
        one = self.verdict([80], [100], [90])
        self.assertEqual((one.best, one.verdict), ("b", "faster"))
        self.assertAlmostEqual(one.ratio, 80 / 90)

    def test_a_difference_within_the_spread_is_a_tie(self):
        self.assertEqual(self.verdict([80, 90, 120], [100, 101, 102], [200]).verdict, "tie")
        self.assertEqual(self.verdict([80, 81, 82], [100, 101, 102], [200]).verdict, "faster")
        self.assertEqual(self.verdict([110, 111, 112], [100, 101, 102], [200]).verdict, "slower")
        self.assertEqual(self.verdict([98], [100], [200], "icount").verdict, "tie")

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
        self.assertEqual(self.worse({"baseline": {"stat": 2424.0}}, {"baseline": {"stat": 2600.0}}), 1)

    def test_a_benchmark_that_is_gone_is_an_error(self):
        with self.assertRaisesRegex(ValueError, "no longer measured: stat"):
            compare.changes({"baseline": {"stat": 1.0}}, {"baseline": {"getpid": 1.0}}, 0.04)


class Rendering(unittest.TestCase):
    def test_a_report_is_written(self):
        runs = [run(), run(LINES.replace("6229928", "9000000").replace("6230000", "9000000"), configuration="linux")]
        summary = {name: {"kevlar": vars(c.kevlar), "linux": {k: vars(f) for k, f in c.linux.items()}, "ratio": c.ratio, "verdict": c.verdict}
                   for name, c in results.summarise(runs, "icount", ["getpid", "stat"]).items()}
        report = {"date": "today", "host": "here", "versions": {}, "warnings": ["beware"], "summary": {"icount": summary, "wall": {}},
                  "systems": {}, "commands": {"icount": {"kevlar": "qemu -x"}}, "runs_of": {"icount": {"kevlar": 1}}}
        text = render.markdown(report)
        self.assertIn("| stat | 1,557.5 | 0.0% | 2,250.0 | 0.0% | 0.692 | faster |", text)
        self.assertIn("beware", text)
        self.assertIn("</svg>", render.chart(report))


if __name__ == "__main__":
    unittest.main()
