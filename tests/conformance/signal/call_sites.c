/*
 * call_sites.c: system-call instructions that were executed often behave as they did the first time, whatever a program does
 * to them, and with a signal at any moment.
 */
/* tags: trap */
#include "../lib/child.h"

#include <asm/prctl.h>
#include <link.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <ucontext.h>

#define PAGE      4096UL
#define EFLAGS_TF 0x100UL
#define EFLAGS_DF 0x400UL
#define EFLAGS_AC 0x40000UL
#define WARM      3000 /* calls */

/*
 * Five shapes of a call site: padding close by; none, but the number loaded in front; something in between; a number that is
 * known only when it runs; one on two pages. Each returns what its call returns.
 */
__asm__(".text\n"
        ".p2align 4\n"
        "site_hole: mov $110,%eax\n"
        "site_hole_call: syscall\n"
        "site_hole_behind: ret\n"
        ".p2align 4\n"
        ".skip 80, 0x90\n"
        "site_load: mov $110,%eax\n"
        "site_load_call: syscall\n"
        "site_load_behind: .skip 140, 0x90\n"
        "ret\n"
        ".skip 96, 0x90\n"
        "site_between: mov $110,%eax\n"
        "lea 1(%rdi),%rdi\n"
        "lea -1(%rdi),%rdi\n"
        "syscall\n"
        ".skip 140, 0x90\n"
        "ret\n"
        ".p2align 4\n"
        "site_any: mov %rdi,%rax\n"
        "syscall\n"
        "cmp $-4096,%rax\n"
        "ja 1f\n"
        "ret\n"
        ".p2align 4\n"
        "1: ret\n"
        ".p2align 4\n"
        ".p2align 12\n"
        ".skip 4090, 0x90\n"
        "site_pages: mov $110,%eax\n"
        "syscall\n"
        "ret\n"
        ".p2align 4\n"
        /* the last page of the text has room behind its code */
        ".section .text_end,\"ax\",@progbits\n"
        ".p2align 12\n"
        "text_end: ret\n"
        ".text\n");

long site_hole(void), site_hole_call(void), site_hole_behind(void), site_load(void),
    site_load_call(void), site_load_behind(void), site_between(void), site_any(long nr),
    site_pages(void), text_end(void);

static const struct {
    const char *name;
    long (*call)(void);
} sites[] = {
    {"hole", site_hole},
    {"load", site_load},
    {"between", site_between},
    {"pages", site_pages},
};

static void warm_up(void)
{
    long parent = getppid();

    for (int i = 0; i < WARM; i++) {
        for (size_t s = 0; s < ARRAY_LEN(sites); s++)
            need_eq(sites[s].call(), parent);
        need_eq(site_any(SYS_getppid), parent);
        need_eq(syscall(SYS_getppid), parent);
        need_eq(getppid(), parent);
    }
}

/* covers: getppid */
static void every_shape_of_a_site_makes_its_call(void **state)
{
    (void)state;
    warm_up();
    need_eq(site_any(SYS_getpid), getpid());
    need_eq(site_any(100000), -ENOSYS);
    need_eq(site_any(-1), -ENOSYS);
    need_errno(syscall(SYS_close, -1), EBADF);
}

static void a_jump_to_the_instruction_itself_is_a_call(void **state)
{
    (void)state;
    long result;

    warm_up();
    __asm__ volatile("call site_load_call"
                     : "=a"(result)
                     : "a"(SYS_getpid)
                     : "rcx", "r11", "memory");
    need_eq(result, getpid());
    __asm__ volatile("call site_hole_call"
                     : "=a"(result)
                     : "a"(SYS_getpid)
                     : "rcx", "r11", "memory");
    need_eq(result, getpid());
    /* and to what stands behind it: nothing happens */
    __asm__ volatile("call site_hole_behind" : "=a"(result) : "a"(42));
    need_eq(result, 42);
    __asm__ volatile("call site_load_behind" : "=a"(result) : "a"(42));
    need_eq(result, 42);
}

/* ---- registers ---- */

#define NREGS 13
volatile uint64_t registers[NREGS], vectors[2];
long (*volatile target)(void);

/* Loads all registers that a call preserves, makes it, and stores them. RSP is checked by coming back. */
__asm__(".text\n"
        ".p2align 4\n"
        "around: push %rbx\n push %rbp\n push %r12\n push %r13\n push %r14\n push %r15\n"
        "mov $0x101,%ebx\n mov $0x102,%ebp\n mov $0x103,%r12d\n mov $0x104,%r13d\n"
        "mov $0x105,%r14d\n mov $0x106,%r15d\n mov $0x107,%edi\n mov $0x108,%esi\n"
        "mov $0x109,%edx\n mov $0x10a,%r10d\n mov $0x10b,%r8d\n mov $0x10c,%r9d\n"
        "movq %rbx,%xmm0\n movq %rbp,%xmm15\n"
        "mov $0x1234567,%eax\n mov %rax,-128(%rsp)\n" /* the red zone */
        "sub $8,%rsp\n call *target(%rip)\n add $8,%rsp\n"
        "lea registers(%rip),%rcx\n"
        "mov %rbx,(%rcx)\n mov %rbp,8(%rcx)\n mov %r12,16(%rcx)\n mov %r13,24(%rcx)\n"
        "mov %r14,32(%rcx)\n mov %r15,40(%rcx)\n mov %rdi,48(%rcx)\n mov %rsi,56(%rcx)\n"
        "mov %rdx,64(%rcx)\n mov %r10,72(%rcx)\n mov %r8,80(%rcx)\n mov %r9,88(%rcx)\n"
        "mov -128(%rsp),%rdx\n mov %rdx,96(%rcx)\n"
        "movq %xmm0,vectors(%rip)\n movq %xmm15,8+vectors(%rip)\n"
        "pop %r15\n pop %r14\n pop %r13\n pop %r12\n pop %rbp\n pop %rbx\n ret\n");
long around(void);

static void need_registers(long (*call)(void), long want)
{
    target = call;
    need_eq(around(), want);
    for (int i = 0; i < NREGS - 1; i++)
        need_eq(registers[i], 0x101 + i);
    need_eq(registers[NREGS - 1], 0x1234567);
    need_eq(vectors[0], 0x101);
    need_eq(vectors[1], 0x102);
}

static volatile long handled, strange;

/* A program may look where it was interrupted: never in bytes that it does not have. */
static void look(int sig, siginfo_t *info, void *context)
{
    uintptr_t rip = (uintptr_t)((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
    uintptr_t end = (uintptr_t)text_end + 1;

    (void)sig, (void)info;
    if (rip >= end && rip < end + PAGE - 1)
        strange++;
    if (rip > (uintptr_t)site_hole_behind && rip < (uintptr_t)site_hole_behind + 9)
        strange++;
    handled++;
}

static void handle(int sig, void (*handler)(int, siginfo_t *, void *))
{
    struct sigaction act = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_RESTART};

    must(sigaction(sig, &act, NULL));
}

static volatile int storm_over;

static void *storm(void *arg)
{
    pthread_t victim = *(pthread_t *)arg;

    while (!storm_over)
        need_eq(pthread_kill(victim, SIGUSR1), 0);
    return NULL;
}

/* covers: getppid tgkill */
static void registers_survive_calls_in_a_storm_of_signals(void **state)
{
    (void)state;
    pthread_t self = pthread_self(), other;
    long parent = getppid();

    warm_up();
    handled = strange = storm_over = 0;
    handle(SIGUSR1, look);
    need_eq(pthread_create(&other, NULL, storm, &self), 0);
    for (long i = 0; i < 20000 || handled < 200; i++) {
        need_registers(sites[i % ARRAY_LEN(sites)].call, parent);
    }
    storm_over = 1;
    need_eq(pthread_join(other, NULL), 0);
    need_eq(strange, 0);
}

static void flags_survive_calls(void **state)
{
    (void)state;
    static const unsigned long tried[] = {EFLAGS_DF, EFLAGS_AC, EFLAGS_DF | EFLAGS_AC, 0x8d5, 0};
    long parent = getppid();

    warm_up();
    for (size_t i = 0; i < ARRAY_LEN(tried); i++) {
        unsigned long flags = tried[i], mask = 0x8d5 | EFLAGS_DF | EFLAGS_AC;
        long result;

        __asm__ volatile(
            "sub $128,%%rsp; push %0; popf; call site_hole; pushf; pop %0; cld; push $0x202; popf;"
            " add $128,%%rsp"
            : "+r"(flags), "=a"(result)
            :
            : "rcx", "r11", "memory", "cc");
        need_eq(result, parent);
        need_eq(flags & mask, tried[i] & mask);
    }
}

/* ---- single steps ---- */

static volatile unsigned long steps, outside;
static uintptr_t step_from, step_to;

static void step(int sig, siginfo_t *info, void *context)
{
    greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;
    uintptr_t rip = (uintptr_t)regs[REG_RIP];

    (void)sig, (void)info;
    steps++;
    /* the caller's frame is not looked at; in between only the site's own instructions are seen */
    if (rip >= step_from + 16 && rip < step_to)
        outside++;
    look(sig, info, context);
}

static long stepped(long (*call)(void))
{
    long result;

    __asm__ volatile(
        "sub $128,%%rsp; pushf; orl $0x100,(%%rsp); popf; call *%1; pushf; andl $~0x100,(%%rsp);"
        " popf; add $128,%%rsp"
        : "=a"(result)
        : "r"(call)
        : "rcx", "r11", "memory", "cc");
    return result;
}

static void single_steps_go_over_a_call(void **state)
{
    (void)state;
    long parent = getppid();

    warm_up();
    handle(SIGTRAP, step);
    for (size_t s = 0; s < ARRAY_LEN(sites); s++) {
        steps = outside = strange = 0;
        step_from = (uintptr_t)sites[s].call;
        step_to = step_from + 16;
        need_eq(stepped(sites[s].call), parent);
        need(steps >= 4);
        need_eq(strange, 0);
    }
    /* libc's own one, which may be rewritten in another way */
    need_eq(stepped((long (*)(void))(void *)getppid), parent);
}

/* ---- text that changes ---- */

struct segment {
    uintptr_t start;
    size_t len, offset;
};

static int find_text(struct dl_phdr_info *info, size_t size, void *arg)
{
    struct segment *out = arg;

    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];

        if (p->p_type == PT_LOAD && (p->p_flags & PF_X)) {
            out->offset = p->p_offset & ~(PAGE - 1);
            out->start = info->dlpi_addr + (p->p_vaddr & ~(PAGE - 1));
            out->len = (p->p_offset + p->p_filesz - out->offset + PAGE - 1) & ~(PAGE - 1);
        }
    }
    return 1; /* the program itself comes first */
}

/* A second mapping of this program's text. */
static char *map_text(struct segment *text)
{
    int fd = must(open("/proc/self/exe", O_RDONLY));

    dl_iterate_phdr(find_text, text);
    char *copy = mmap(NULL, text->len, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, (off_t)text->offset);

    need(copy != MAP_FAILED);
    close(fd);
    return copy;
}

static long (*in_copy(const char *copy, const struct segment *text, long (*site)(void)))(void)
{
    return (long (*)(void))(uintptr_t)(copy + ((uintptr_t)site - text->start));
}

static void need_calls(long (*call)(void), int times)
{
    for (int i = 0; i < times; i++)
        need_eq(call(), getppid());
}

/* covers: mmap */
static void two_mappings_of_one_text_both_make_calls(void **state)
{
    (void)state;
    struct segment text;

    warm_up();
    char *one = map_text(&text), *two = map_text(&text);
    for (size_t s = 0; s < ARRAY_LEN(sites); s++) {
        need_calls(in_copy(one, &text, sites[s].call), WARM);
        need_calls(in_copy(two, &text, sites[s].call), WARM);
        need_calls(sites[s].call, 10);
    }
    must(munmap(one, text.len));
    need_calls(in_copy(two, &text, site_load), 10);
    must(munmap(two, text.len));
    warm_up();
}

/* covers: munmap mprotect */
static void text_of_which_a_part_goes_makes_calls(void **state)
{
    (void)state;
    struct segment text;

    warm_up();
    for (int how = 0; how < 4; how++) {
        char *copy = map_text(&text), *last = copy + text.len - PAGE;

        need_calls(in_copy(copy, &text, site_hole), WARM);
        need_calls(in_copy(copy, &text, site_load), WARM);
        switch (how) {
        case 0:
            must(munmap(last, PAGE));
            break;
        case 1:
            must(mprotect(last, PAGE, PROT_NONE));
            break;
        case 2:
            need_eq(mmap(last, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0),
                    last);
            break;
        case 3:
            must(mprotect(last, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC));
            memset(last, 0xcc, PAGE);
            break;
        }
        need_calls(in_copy(copy, &text, site_hole), 100);
        need_calls(in_copy(copy, &text, site_load), 100);
        must(munmap(copy, text.len));
    }
}

/* covers: mremap */
static void text_that_is_moved_makes_calls(void **state)
{
    (void)state;
    struct segment text;

    warm_up();
    char *copy = map_text(&text);
    need_calls(in_copy(copy, &text, site_load), WARM);
    char *room = mmap(NULL, text.len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    need(room != MAP_FAILED);
    need_eq(mremap(copy, text.len, text.len, MREMAP_MAYMOVE | MREMAP_FIXED, room), room);
    need_calls(in_copy(room, &text, site_load), WARM);
    need_calls(in_copy(room, &text, site_hole), 100);

    /* one page with a site alone */
    size_t page = ((uintptr_t)site_load - text.start) & ~(PAGE - 1);
    char *alone = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    need(alone != MAP_FAILED);
    need_eq(mremap(room + page, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, alone), alone);
    need_calls((long (*)(void))(uintptr_t)(alone + ((uintptr_t)site_load & (PAGE - 1))), 100);
    must(munmap(alone, PAGE));
    must(munmap(room, text.len));
}

/* covers: mprotect */
static void text_that_its_program_changes_does_what_it_says(void **state)
{
    (void)state;
    struct segment text;

    warm_up();
    char *copy = map_text(&text);
    long (*load)(void) = in_copy(copy, &text, site_load);
    long (*hole)(void) = in_copy(copy, &text, site_hole);

    need_calls(load, WARM);
    need_calls(hole, WARM);
    must(mprotect(copy, text.len, PROT_READ | PROT_WRITE | PROT_EXEC));
    *((unsigned char *)load + 1) = SYS_getpid;
    *((unsigned char *)hole + 1) = SYS_getpid;
    for (int i = 0; i < 100; i++) {
        need_eq(load(), getpid());
        need_eq(hole(), getpid());
    }
    must(mprotect(copy, text.len, PROT_READ | PROT_EXEC));
    for (int i = 0; i < WARM; i++) {
        need_eq(load(), getpid());
        need_eq(hole(), getpid());
    }
    must(munmap(copy, text.len));
    warm_up();
}

/* ---- GS ---- */

static int use_gs(void *arg)
{
    static uint64_t area[512] = {0x1122334455667788};
    uint64_t value;

    (void)arg;
    warm_up();
    need_eq(syscall(SYS_arch_prctl, ARCH_SET_GS, area), 0);
    warm_up();
    __asm__ volatile("mov %%gs:0,%0" : "=r"(value));
    need_eq(value, area[0]);
    for (size_t i = 1; i < ARRAY_LEN(area); i++)
        need_eq(area[i], 0);
    need_eq(syscall(SYS_arch_prctl, ARCH_SET_GS, 0), 0);
    warm_up();
    return 0;
}

/* covers: arch_prctl ARCH_SET_GS */
static void a_program_with_a_gs_of_its_own_makes_calls(void **state)
{
    (void)state;
    child_passes(use_gs, NULL);
}

static int load_gs(void *arg)
{
    (void)arg;
    warm_up();
    for (int i = 0; i < 100; i++) {
        __asm__ volatile("mov %0,%%gs" ::"r"(0));
        need_calls(sites[(size_t)i % ARRAY_LEN(sites)].call, 3);
    }
    return 0;
}

static void a_program_that_loads_the_selector_makes_calls(void **state)
{
    (void)state;
    child_passes(load_gs, NULL);
}

/* ---- threads ---- */

static void *hammer(void *arg)
{
    long parent = getppid(), self = getpid();

    (void)arg;
    for (int i = 0; i < 2 * WARM; i++) {
        need_eq(sites[(size_t)i % ARRAY_LEN(sites)].call(), parent);
        need_eq(site_any(i % 2 ? SYS_getppid : SYS_getpid), i % 2 ? parent : self);
        need_eq(syscall(SYS_getppid), parent);
        need_errno(close(-1), EBADF);
    }
    return NULL;
}

/* Nothing is warm when they start: the child's text was not run yet. */
static int hammer_in_threads(void *arg)
{
    pthread_t threads[4];

    (void)arg;
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        need_eq(pthread_create(&threads[i], NULL, hammer, NULL), 0);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        need_eq(pthread_join(threads[i], NULL), 0);
    return 0;
}

static void threads_run_through_sites_for_the_first_time(void **state)
{
    (void)state;
    child_passes(hammer_in_threads, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_run_through_sites_for_the_first_time),
        cmocka_unit_test(every_shape_of_a_site_makes_its_call),
        cmocka_unit_test(a_jump_to_the_instruction_itself_is_a_call),
        cmocka_unit_test(registers_survive_calls_in_a_storm_of_signals),
        cmocka_unit_test(flags_survive_calls),
        cmocka_unit_test(single_steps_go_over_a_call),
        cmocka_unit_test(two_mappings_of_one_text_both_make_calls),
        cmocka_unit_test(text_of_which_a_part_goes_makes_calls),
        cmocka_unit_test(text_that_is_moved_makes_calls),
        cmocka_unit_test(text_that_its_program_changes_does_what_it_says),
        cmocka_unit_test(a_program_with_a_gs_of_its_own_makes_calls),
        cmocka_unit_test(a_program_that_loads_the_selector_makes_calls),
    };

    return cmocka_run_group_tests_name("signal/call_sites", tests, NULL, NULL);
}
