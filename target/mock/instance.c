/* target/mock/instance.c: the life of an instance, from fresh data of the kernel to the last thread's end. */
#include "internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

struct instance instance;

/*
 * .data and .bss of the kernel's objects, put together by kernel_data.ld. A copy from before the first instance makes
 * each one start afresh.
 */
extern char kernel_data_start[], kernel_data_end[];
static char *fresh_data;

#define INIT_PATH "/init"

/* --- the kernel's memory --------------------------------------------------------------------------------- */

static size_t data_size(void)
{
    return (size_t)(kernel_data_end - kernel_data_start);
}

static void memory_map(void)
{
    void *window = mmap((void *)MYST_WINDOW_BASE, MYST_WINDOW_SIZE, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);

    if (window != (void *)MYST_WINDOW_BASE) {
        perror("mock: the page window");
        abort();
    }
    fresh_data = malloc(data_size());
    if (!fresh_data)
        abort();
    copy_unwatched(fresh_data, kernel_data_start, data_size());
}

static void memory_reset(void)
{
    if (!fresh_data) {
        memory_map();
        return;
    }
    copy_unwatched(kernel_data_start, fresh_data, data_size());
    madvise((void *)MYST_WINDOW_BASE, MYST_WINDOW_SIZE, MADV_DONTNEED);
}

int target_pages_fill(uint64_t offset, uint64_t len)
{
    bool ok = offset <= MYST_WINDOW_SIZE && len <= MYST_WINDOW_SIZE - offset &&
              !request_fails("pages", ASKER);

    RESULT(pages_fill, ok ? 0 : -ENOMEM);
}

int target_pages_drop(uint64_t offset, uint64_t len)
{
    int err = -EINVAL;

    if (offset <= MYST_WINDOW_SIZE && len <= MYST_WINDOW_SIZE - offset)
        err = madvise((char *)MYST_WINDOW_BASE + offset, len, MADV_DONTNEED) ? -errno : 0;
    RESULT(pages_drop, err);
}

/* Pages that nobody touched are not in memory. */
uint64_t target_pages_seek(uint64_t offset, uint64_t len, bool used)
{
    uint64_t at = offset, end = offset + len;
    unsigned char there;

    while (at < end && !mincore((char *)MYST_WINDOW_BASE + at, PAGE, &there) && (there & 1) != used)
        at += PAGE;
    RESULT(pages_seek, at);
}

/* --- entropy, ends, and what there is not ---------------------------------------------------------------- */

static uint64_t random_state; /* atomic */

/* splitmix64 (S. Vigna). */
static uint64_t random_next(void)
{
    uint64_t z = __atomic_add_fetch(&random_state, 0x9e3779b97f4a7c15ULL, __ATOMIC_RELAXED);

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
    return z ^ z >> 31;
}

int target_random(void *to, size_t len)
{
    for (size_t done = 0; done < len; done += sizeof(uint64_t)) {
        uint64_t word = random_next();

        memcpy((char *)to + done, &word, len - done < sizeof(word) ? len - done : sizeof(word));
    }
    OFFER_BYTES(random, data, to, len);
    RESULT(random, 0);
}

void target_exit(int status)
{
    instance_end(MOCK_EXITED, status);
    leave();
}

void target_panic(void)
{
    instance_end(MOCK_PANICKED, 0);
    leave();
}

/* Nobody watches from outside. */
void target_suspend(void)
{
}

uintptr_t target_vdso_clock_gettime(void)
{
    return 0;
}

const void *target_symbols(size_t *size)
{
    *size = 0;
    return NULL;
}

/* --- one instance ------------------------------------------------------------------------------------------ */

static const char *const init_argv[] = {INIT_PATH, NULL};
static const char *const init_envp[] = {"PATH=/bin", NULL};
static struct boot_mount boot_mounts[4];

#define DATA_PAGES (1UL << 20) /* offsets of the window that stay unused, as if .data were there */
#define UNLIMITED  UINT64_MAX

static void boot_mounts_fill(struct boot_info *boot, const struct mock_options *options)
{
    for (boot->nmounts = 0; boot->nmounts < 4 && options->mounts[boot->nmounts][1];
         boot->nmounts++) {
        const char *const *from = options->mounts[boot->nmounts];

        boot_mounts[boot->nmounts] = (struct boot_mount){
            .source = from[0],
            .target = from[1],
            .type = from[2],
            .options = from[3],
            .file = *from[0] ? files_open_path(from[0]) : -1,
        };
    }
    boot->mounts = boot_mounts;
}

static struct boot_publish boot_publish[4];

static void boot_publish_fill(struct boot_net *net, const struct mock_options *options)
{
    for (net->npublish = 0; net->npublish < 4 && options->publish[net->npublish]; net->npublish++) {
        uint16_t port = options->publish[net->npublish];

        boot_publish[net->npublish] = (struct boot_publish){
            .file = socket_publish(port), .host_port = port, .port = port, .family = 2};
    }
    net->publish = boot_publish;
}

static void boot_console_fill(struct boot_info *boot, enum mock_console console)
{
    uint32_t mode = console == MOCK_TERMINAL ? S_IFCHR : console == MOCK_FILES ? S_IFREG : S_IFIFO;

    boot->console_tty = console == MOCK_TERMINAL ? 7 : 0;
    for (int fd = 0; fd < 3; fd++) {
        boot->console_mode[fd] = mode | 0600;
        boot->console_access[fd] = console == MOCK_TERMINAL ? 2 : fd > 0;
    }
}

static const struct boot_interface boot_interface = {.name = "eth0",
                                                     .index = 2,
                                                     .flags = 0x1043,
                                                     .mtu = 1500,
                                                     .queue = 1000,
                                                     .type = 1,
                                                     .gateway4 = {192, 0, 2, 1}};
static const struct boot_address boot_address = {
    .interface = 2, .family = 2, .prefix = 24, .ip = {192, 0, 2, 2}};

static void boot_fill(struct boot_info *boot, const struct mock_options *options)
{
    *boot = (struct boot_info){
        .data_pages = DATA_PAGES,
        .memory_size = options->memory_size ? options->memory_size : 256UL << 20,
        .page_size = PAGE,
        .cpus = 2,
        .minsigstksz = 2048,
        .platform = "x86_64",
        .program = INIT_PATH,
        .argv = init_argv,
        .envp = init_envp,
        .hostname = "mock",
        .uid = options->uid,
        .gid = options->gid,
        .umask = 022,
        .root = BOOT_ROOT_DIRECTORY,
        .root_file = files_open_path("/"),
        .root_writable = options->writable,
        .strace = options->strace,
        .verbose = options->verbose,
        .uname_machine = "x86_64",
        .net = {.outside = true,
                .interfaces = &boot_interface,
                .ninterfaces = 1,
                .addresses = &boot_address,
                .naddresses = 1},
    };
    boot_mounts_fill(boot, options);
    boot_publish_fill(&boot->net, options);
    boot_console_fill(boot, options->console);
    for (int i = 0; i < 16; i++)
        boot->rlimits[i][0] = boot->rlimits[i][1] = UNLIMITED;
    boot->rlimits[3][0] = 8UL << 20; /* RLIMIT_STACK */
    boot->rlimits[7][0] = 256;       /* RLIMIT_NOFILE */
    boot->rlimits[7][1] = 1024;
}

void mock_run(const struct mock_options *options, struct mock_result *result)
{
    memory_reset();
    sched_reset();
    spaces_reset();
    files_reset();
    ready_reset();
    sockets_reset();
    console_reset();
    programs_reset();
    instance.options = options;
    instance.over = 0;
    random_state = options->seed;
    if (options->input)
        mock_input(options->input);
    mock_host_program(INIT_PATH, options->main, options->arg);
    if (options->setup)
        options->setup();
    boot_fill(&instance.boot, options);

    sched_thread_starts(); /* as if this one ran, too: or the first may seem to be all there is */
    thread_first_start(space_new());
    thread_service_start();
    sched_thread_ends();
    sched_all_ended();
    *result = instance.result;
    heap_reset();
}

void mock_usage(struct mock_usage *out)
{
    *out = (struct mock_usage){.host_files = files_open_count() + sockets_open_count(),
                               .host_pages = spaces_pages()};
    heap_usage(out);
}
