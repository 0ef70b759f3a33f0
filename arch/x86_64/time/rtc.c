// arch/x86_64/time/rtc.c — the battery clock (MC146818 and its heirs), read once at boot and by /dev/rtc0.
#include "arch/include/cpu.h"
#include "cpu/io.h"
#include "kernel/abi/errno.h"
#include "kernel/drivers/acpi/acpi.h"
#include "kernel/sync/spinlock.h"

enum rtc_register {
    RTC_SECONDS = 0,
    RTC_MINUTES = 2,
    RTC_HOURS = 4,
    RTC_DAY = 7,
    RTC_MONTH = 8,
    RTC_YEAR = 9,
    RTC_STATUS_A = 10,
    RTC_STATUS_B = 11
};
#define RTC_UPDATING 0x80
#define RTC_BINARY 0x04
#define RTC_24_HOURS 0x02
#define RTC_PM 0x80
#define RTC_SET 0x80

struct rtc_time {
    uint8_t second, minute, hour, day, month, year, century;
};

static DEFINE_LOCK_CLASS(rtc_lock_class, "rtc", RANK_DRIVER);
static struct spinlock rtc_lock = SPINLOCK_INIT(&rtc_lock_class); // the index port

static uint8_t rtc_register_read(uint8_t reg) REQUIRES(rtc_lock)
{
    outb(0x70, reg);
    return inb(0x71);
}

static struct rtc_time read_once(void) REQUIRES(rtc_lock)
{
    return (struct rtc_time){.second = rtc_register_read(RTC_SECONDS),
                             .minute = rtc_register_read(RTC_MINUTES),
                             .hour = rtc_register_read(RTC_HOURS),
                             .day = rtc_register_read(RTC_DAY),
                             .month = rtc_register_read(RTC_MONTH),
                             .year = rtc_register_read(RTC_YEAR),
                             .century = acpi_info.century_register ? rtc_register_read(acpi_info.century_register) : 0};
}

static unsigned from_bcd(unsigned v, bool binary)
{
    return binary ? v : (v >> 4) * 10 + (v & 15);
}

// Days since 1970-01-01 of a date in the Gregorian calendar: counts from March, so that the leap day is a year's last.
static int64_t days_since_epoch(int64_t year, unsigned month, unsigned day)
{
    year -= month <= 2;
    int64_t era = year / 400;
    unsigned of_era = (unsigned)(year - era * 400);
    unsigned of_year = (153 * (month + (month > 2 ? -3u : 9u)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static void rtc_register_write(uint8_t reg, uint8_t value) REQUIRES(rtc_lock)
{
    outb(0x70, reg);
    outb(0x71, value);
}

static uint8_t to_bcd(unsigned v, bool binary)
{
    return (uint8_t)(binary ? v : v / 10 << 4 | v % 10);
}

int arch_rtc_write(int64_t seconds)
{
    if (acpi_info.no_rtc)
        return -ENODEV;
    int64_t days = seconds / 86400;
    unsigned of_day = (unsigned)(seconds % 86400), year = 1970, month = 1;
    // The first of the year and the month that do not go beyond the day.
    while (days_since_epoch(year + 1, 1, 1) <= days)
        year++;
    while (month < 12 && days_since_epoch(year, month + 1, 1) <= days)
        month++;
    unsigned day = (unsigned)(days - days_since_epoch(year, month, 1)) + 1;
    if (seconds < 0 || year > 2099)
        return -EINVAL;
    spin_irq_guard(&rtc_lock);
    uint8_t status = rtc_register_read(RTC_STATUS_B);
    bool binary = status & RTC_BINARY;
    unsigned hour = of_day / 3600;
    uint8_t hour_byte = status & RTC_24_HOURS ? to_bcd(hour, binary)
                                              : (uint8_t)(to_bcd(hour % 12 ? hour % 12 : 12, binary) | (hour >= 12 ? RTC_PM : 0));
    rtc_register_write(RTC_STATUS_B, status | RTC_SET); // the clock stands while it is set
    rtc_register_write(RTC_SECONDS, to_bcd(of_day % 60, binary));
    rtc_register_write(RTC_MINUTES, to_bcd(of_day / 60 % 60, binary));
    rtc_register_write(RTC_HOURS, hour_byte);
    rtc_register_write(RTC_DAY, to_bcd(day, binary));
    rtc_register_write(RTC_MONTH, to_bcd(month, binary));
    rtc_register_write(RTC_YEAR, to_bcd(year % 100, binary));
    if (acpi_info.century_register)
        rtc_register_write(acpi_info.century_register, to_bcd(year / 100, binary));
    rtc_register_write(RTC_STATUS_B, status);
    return 0;
}

int arch_rtc_read(int64_t *seconds)
{
    if (acpi_info.no_rtc)
        return -ENODEV;
    struct rtc_time t, again;
    uint8_t status;
    {
        spin_irq_guard(&rtc_lock);
        unsigned tries = 0;
        do { // a second may turn between two registers: two readings must agree
            while (rtc_register_read(RTC_STATUS_A) & RTC_UPDATING)
                if (++tries > 100000)
                    return -ENODEV;
            t = read_once();
            again = read_once();
        } while (__builtin_memcmp(&t, &again, sizeof t) != 0 && ++tries < 100000);
        status = rtc_register_read(RTC_STATUS_B);
    }
    bool binary = status & RTC_BINARY, pm = !(status & RTC_24_HOURS) && t.hour & RTC_PM;
    unsigned hour = from_bcd(t.hour & ~(status & RTC_24_HOURS ? 0 : RTC_PM), binary);
    if (!(status & RTC_24_HOURS))
        hour = hour % 12 + (pm ? 12 : 0);
    unsigned year = from_bcd(t.year, binary), century = from_bcd(t.century, binary);
    year += century >= 19 ? century * 100 : year < 70 ? 2000 : 1900;
    unsigned month = from_bcd(t.month, binary), day = from_bcd(t.day, binary);
    if (month < 1 || month > 12 || day < 1 || day > 31)
        return -ENODEV;
    *seconds = days_since_epoch(year, month, day) * 86400 + hour * 3600 + from_bcd(t.minute, binary) * 60 +
               from_bcd(t.second, binary);
    return 0;
}
