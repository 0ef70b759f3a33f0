// kernel/debug/ubsan.h — undefined behaviour seen at run time, in the fortress profile.
#pragma once

// Places reported so far.
extern unsigned ubsan_reports;
