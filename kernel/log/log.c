/* kernel/log/log.c: one line a message, formatted on the stack and written in one piece. */
#include "log/log.h"

#include "base/fmt.h"
#include "host/log.h"
#include "self/self.h"

#define LINE 512

static struct {
    enum log_level level; /* constant after start-up */
    u32 panicking;        /* atomic */
} log = {.level = LOG_WARN};

void (*panic_report)(void);

void log_set_level(enum log_level level)
{
    log.level = level;
}

void log_raw(const char *text, size_t len)
{
    host_log(text, len);
}

static void log_line(const char *prefix, const char *room, const char *fmt, va_list args)
{
    char line[LINE];
    int n = scnprintf(line, sizeof(line), "%s%s%s", prefix, room, *room ? ": " : "");

    n += vscnprintf(line + n, sizeof(line) - (size_t)n - 1, fmt, args);
    line[n++] = '\n';
    host_log(line, (size_t)n);
}

void log_print(enum log_level level, const char *room, const char *fmt, ...)
{
    va_list args;

    if (level > log.level)
        return;
    va_start(args, fmt);
    log_line("myst: ", room, fmt, args);
    va_end(args);
}

void panic(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    log_line("myst: panic: ", "", fmt, args);
    va_end(args);
    if (!__atomic_exchange_n(&log.panicking, 1, __ATOMIC_SEQ_CST) && panic_report)
        panic_report();
    host_panic();
}
