/* Messages on the instance's log (standard error of the launcher), and panic. One line a message. */
#ifndef LOG_LOG_H
#define LOG_LOG_H

#include "base/types.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* `room` prefixes the line: "myst: room: text". Shown when level <= the instance's verbosity. */
void log_print(enum log_level level, const char *room, const char *fmt, ...) __printf(3, 4);
void log_raw(const char *text, size_t len); /* the strace output and reports */
void log_set_level(enum log_level level);

#define log_error(room, ...) log_print(LOG_ERROR, room, __VA_ARGS__)
#define log_warn(room, ...)  log_print(LOG_WARN, room, __VA_ARGS__)
#define log_info(room, ...)  log_print(LOG_INFO, room, __VA_ARGS__)
#define log_debug(room, ...) log_print(LOG_DEBUG, room, __VA_ARGS__)

/* A broken invariant of our own. Prints the report and ends the instance. */
void panic(const char *fmt, ...) __printf(1, 2) __attribute__((noreturn));
#define ASSERT(cond)                                                                               \
    do {                                                                                           \
        if (unlikely(!(cond)))                                                                     \
            panic("%s:%d: %s", __FILE__, __LINE__, #cond);                                         \
    } while (0)

/* debug/ registers what a panic prints besides its message. */
extern void (*panic_report)(void);

#endif
