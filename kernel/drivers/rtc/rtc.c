// kernel/drivers/rtc/rtc.c — /dev/rtc0, the battery clock: rtc(4). Reading and setting the time; alarms and periodic interrupts are not offered (ENOTTY).
#include "kernel/abi/ioctl.h"
#include "kernel/base/string.h"
#include "kernel/boot/init.h"
#include "kernel/drivers/base/device.h"
#include "kernel/proc/cred.h"
#include "kernel/vfs/vfs.h"

#define RTC_MAJOR 254u
#define SECONDS_PER_DAY 86400

struct abi_rtc_time {
    int32_t sec, min, hour, mday, mon, year, wday, yday, isdst; // as in struct tm
};
#define RTC_RD_TIME IOR_('p', 0x09, struct abi_rtc_time)
#define RTC_SET_TIME IOW_('p', 0x0a, struct abi_rtc_time)
static_assert(RTC_RD_TIME == 0x80247009u && RTC_SET_TIME == 0x4024700au);

static bool leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int month_days(int year, int month) // month from 0
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month] + (month == 1 && leap(year));
}

static struct abi_rtc_time broken_down(int64_t seconds)
{
    int days = (int)(seconds / SECONDS_PER_DAY), rest = (int)(seconds % SECONDS_PER_DAY), year = 1970, month = 0;
    struct abi_rtc_time t = {.sec = rest % 60, .min = rest / 60 % 60, .hour = rest / 3600, .wday = (days + 4) % 7}; // 1970 began on a Thursday
    for (int length; days >= (length = 365 + leap(year)); year++)
        days -= length;
    t.yday = days;
    for (int length; days >= (length = month_days(year, month)); month++)
        days -= length;
    t.mday = days + 1;
    t.mon = month;
    t.year = year - 1900;
    return t;
}

static int to_seconds(const struct abi_rtc_time *t, int64_t *seconds)
{
    int year = t->year + 1900;
    if (t->year < 70 || t->year > 199 || t->mon < 0 || t->mon > 11 || t->mday < 1 || t->mday > month_days(year, t->mon) || t->hour < 0 || t->hour > 23 ||
        t->min < 0 || t->min > 59 || t->sec < 0 || t->sec > 59)
        return -EINVAL;
    int64_t days = t->mday - 1;
    for (int y = 1970; y < year; y++)
        days += 365 + leap(y);
    for (int m = 0; m < t->mon; m++)
        days += month_days(year, m);
    *seconds = days * SECONDS_PER_DAY + t->hour * 3600 + t->min * 60 + t->sec;
    return 0;
}

static long rtc_ioctl(struct file *, unsigned cmd, unsigned long arg)
{
    struct abi_rtc_time t;
    int64_t seconds;
    int err;
    switch (cmd) {
    case RTC_RD_TIME:
        err = arch_rtc_read(&seconds);
        if (err)
            return err;
        t = broken_down(seconds);
        return copy_to_user(user_ptr(void, arg), &t, sizeof t) ? -EFAULT : 0;
    case RTC_SET_TIME:
        if (!capable(CAP_SYS_TIME))
            return -EACCES;
        if (copy_from_user(&t, user_ptr(void, arg), sizeof t))
            return -EFAULT;
        err = to_seconds(&t, &seconds);
        return err ? err : arch_rtc_write(seconds);
    }
    return -ENOTTY;
}

static bool in_use; // one opener at a time

static int rtc_open(struct inode *, struct file *)
{
    return xchg(&in_use, true) ? -EBUSY : 0;
}

static void rtc_release(struct file *)
{
    store_release(&in_use, false);
}

static const struct file_ops rtc_ops = {.open = rtc_open, .release = rtc_release, .ioctl = rtc_ioctl, .nonseekable = true};
static struct char_device rtc_cdev = {.major = RTC_MAJOR, .nr_minors = 1, .name = "rtc", .ops = &rtc_ops};
static struct device_class rtc_class = {.name = "rtc"};
static struct device rtc_device = {.name = "rtc0", .class = &rtc_class, .devt = MKDEV(RTC_MAJOR, 0), .mode = 0600};

static int rtc_init(void)
{
    int64_t now;
    if (arch_rtc_read(&now))
        return 0; // the machine has none
    int err = device_class_register(&rtc_class);
    if (!err)
        err = char_device_register(&rtc_cdev);
    return err ? err : device_add(&rtc_device);
}
INITCALL(device, rtc_init);
