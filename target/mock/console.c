/*
 * target/mock/console.c: the three descriptors that an instance is started with. 0 gives what the test has
 * written beforehand, and then the end of file; what goes to 1 and 2 is kept for the test.
 */
#include "internal.h"

#include <asm/ioctls.h>
#include <asm/termbits.h>
#include <asm/termios.h>
#include <linux/poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* what follows */
static size_t input_taken;
static struct text input, output, log_text;

static void text_add(struct text *text, const char *from, size_t len)
{
    if (text->len + len + 1 > text->room) {
        text->room = 2 * (text->len + len + 1);
        text->at = realloc(text->at, text->room);
        if (!text->at)
            abort();
    }
    memcpy(text->at + text->len, from, len);
    text->len += len;
    text->at[text->len] = 0;
}

static void text_clear(struct text *text)
{
    text->len = 0;
    text_add(text, "", 0);
}

void console_reset(void)
{
    pthread_mutex_lock(&lock);
    input_taken = 0;
    text_clear(&input);
    text_clear(&output);
    text_clear(&log_text);
    pthread_mutex_unlock(&lock);
}

const char *mock_output(void)
{
    return output.at;
}

const char *mock_log(void)
{
    return log_text.at;
}

void mock_input(const char *text)
{
    pthread_mutex_lock(&lock);
    text_add(&input, text, strlen(text));
    pthread_mutex_unlock(&lock);
    ready_news(0);
}

/* Bytes to read; at the end of file there is that to be read. */
static bool input_ready(void *arg)
{
    bool ready;

    (void)arg;
    pthread_mutex_lock(&lock);
    ready = input_taken < input.len || !instance.options->input_open;
    pthread_mutex_unlock(&lock);
    return ready;
}

int console_ready(int console)
{
    if (console < 0 || console > 2)
        return POLLNVAL;
    if (console)
        return POLLOUT | POLLWRNORM;
    return input_ready(NULL) ? POLLIN | POLLRDNORM : 0;
}

/* --- the calls ------------------------------------------------------------------------------------------ */

static int64_t read_input(char *to, size_t len)
{
    char piece[PAGE];
    size_t n, done;
    int err = sched_host_wait(input_ready, NULL, TARGET_FOREVER);

    if (err)
        return err;
    pthread_mutex_lock(&lock);
    n = input.len - input_taken;
    n = n < len ? n : len;
    n = n < sizeof(piece) ? n : sizeof(piece);
    memcpy(piece, input.at + input_taken, n);
    input_taken += n;
    pthread_mutex_unlock(&lock);
    done = any_write(to, piece, n);
    return done || !n ? (int64_t)done : -EFAULT;
}

int64_t target_console_read(int console, void *to, size_t len)
{
    int64_t n = console == 0 ? read_input(to, len) : -EBADF;

    if (n > 0 && !is_user(to))
        OFFER_BYTES(console_read, data, to, (size_t)n);
    RESULT(console_read, n);
}

int64_t target_console_write(int console, const void *from, size_t len)
{
    char piece[PAGE];
    size_t done = 0;

    if (console != 1 && console != 2)
        RESULT(console_write, (int64_t)-EBADF);
    while (done < len) {
        size_t n = len - done < PAGE ? len - done : PAGE;
        size_t got = any_read(piece, (const char *)from + done, n);

        sent_show(piece, got);
        pthread_mutex_lock(&lock);
        text_add(&output, piece, got);
        pthread_mutex_unlock(&lock);
        done += got;
        if (got < n)
            break;
    }
    RESULT(console_write, done || !len ? (int64_t)done : -EFAULT);
}

/* Of a file that is read: where it is, and back to the start. Nobody seeks otherwise. */
static int64_t seek_input(int64_t offset, int whence)
{
    int64_t at;

    if (offset || whence == SEEK_END)
        return -EINVAL;
    pthread_mutex_lock(&lock);
    if (whence == SEEK_SET)
        input_taken = 0;
    at = (int64_t)input_taken;
    pthread_mutex_unlock(&lock);
    return at;
}

int64_t target_console_seek(int console, int64_t offset, int whence)
{
    bool file = instance.options->console == MOCK_FILES && console == 0;

    RESULT(console_seek, file ? seek_input(offset, whence) : -ESPIPE);
}

static const struct winsize window = {.ws_row = 24, .ws_col = 80};
static const struct termios modes = {.c_lflag = ICANON | ISIG | ECHO};

/* What a terminal answers to a request, `size` bytes at `arg`; NULL: nothing. */
static const void *terminal_answer(unsigned int request, int *left)
{
    switch (request) {
    case TCGETS:
        return &modes;
    case TIOCGWINSZ:
        return &window;
    case FIONREAD:
        pthread_mutex_lock(&lock);
        *left = (int)(input.len - input_taken);
        pthread_mutex_unlock(&lock);
        return left;
    case TIOCOUTQ:
        *left = 0;
        return left;
    default:
        return NULL;
    }
}

int target_console_ioctl(int console, unsigned int request, void *arg, size_t len)
{
    int left;
    const void *answer = terminal_answer(request, &left);

    if (instance.options->console != MOCK_TERMINAL)
        RESULT(console_ioctl, -ENOTTY);
    if (answer) {
        memcpy(arg, answer, len);
        OFFER_BYTES(console_ioctl, data, arg, len);
    } else {
        sent_show(arg, len);
    }
    RESULT(console_ioctl, 0);
}

void target_log(const char *text, size_t len)
{
    sent_show(text, len);
    pthread_mutex_lock(&lock);
    text_add(&log_text, text, len);
    pthread_mutex_unlock(&lock);
}
