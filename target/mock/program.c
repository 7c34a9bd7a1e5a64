/*
 * target/mock/program.c: scripts as programs: the way into the kernel and back, and what a processor would do
 * with the registers that the kernel leaves.
 *
 * A script stands in for machine code, so RIP says only where it is in general: at SITE (its one system call
 * instruction), behind it, in a program's entry, or in a handler. Handlers are called by their address in this
 * process, which no address of a program's memory can be.
 */
#include "internal.h"

#include <asm/unistd_64.h>
#include <linux/elf.h>
#include <linux/mman.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define SITE       0x20000UL /* where the system call instruction of all scripts is said to stand */
#define BEHIND     (SITE + 2)
#define IMAGE_BASE 0x400000UL
#define ENTRY(i)   (IMAGE_BASE + 0x200 + 16 * (i))
#define PROGRAMS   128

#define RING_SIZE   65536UL
#define STACK_SIZE  65536UL
#define RESTORER    0x30000UL /* never executed: handlers return to the mock */
#define SA_RESTORER 0x04000000

static struct {
    pthread_mutex_t lock; /* count; the entries below are constant */
    size_t count;
    struct {
        struct script script;
        char image[MOCK_IMAGE_SIZE];
    } at[PROGRAMS];
} programs = {.lock = PTHREAD_MUTEX_INITIALIZER};

/*
 * What the test gave out as a handler: a program can put any number into RIP, by sigreturn(2) or ptrace(2), and
 * must not make this process run it.
 */
#define HANDLERS 32
static mock_handler *handlers[HANDLERS]; /* atomic; NULL: the end */

uint64_t mock_handler_address(mock_handler *handler)
{
    for (size_t i = 0; i < HANDLERS; i++) {
        mock_handler *none = NULL;

        if (__atomic_compare_exchange_n(&handlers[i], &none, handler, false, __ATOMIC_SEQ_CST,
                                        __ATOMIC_SEQ_CST) ||
            none == handler)
            return (uint64_t)handler;
    }
    abort();
}

static bool is_handler(uint64_t rip)
{
    for (size_t i = 0; i < HANDLERS; i++)
        if (rip && (uint64_t)__atomic_load_n(&handlers[i], __ATOMIC_RELAXED) == rip)
            return true;
    return false;
}

void programs_reset(void)
{
    programs.count = 0;
    memset(handlers, 0, sizeof(handlers));
}

/* --- images --------------------------------------------------------------------------------------------- */

static void image_fill(char *image, size_t i)
{
    Elf64_Ehdr header = {
        .e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
        .e_type = ET_EXEC,
        .e_machine = EM_X86_64,
        .e_version = EV_CURRENT,
        .e_entry = ENTRY(i),
        .e_phoff = sizeof(header),
        .e_ehsize = sizeof(header),
        .e_phentsize = sizeof(Elf64_Phdr),
        .e_phnum = 1,
    };
    Elf64_Phdr segment = {
        .p_type = PT_LOAD,
        .p_flags = PF_R | PF_X,
        .p_vaddr = IMAGE_BASE,
        .p_paddr = IMAGE_BASE,
        .p_filesz = MOCK_IMAGE_SIZE,
        .p_memsz = MOCK_IMAGE_SIZE,
        .p_align = PAGE,
    };

    memset(image, 0x90, MOCK_IMAGE_SIZE);
    memcpy(image, &header, sizeof(header));
    memcpy(image + sizeof(header), &segment, sizeof(segment));
}

const void *mock_image(mock_script *script, void *arg)
{
    size_t i;

    pthread_mutex_lock(&programs.lock);
    for (i = 0; i < programs.count; i++)
        if (programs.at[i].script.run == script && programs.at[i].script.arg == arg)
            break;
    if (i == PROGRAMS)
        abort();
    if (i == programs.count) {
        programs.at[i].script = (struct script){script, arg, true};
        image_fill(programs.at[i].image, i);
        programs.count++;
    }
    pthread_mutex_unlock(&programs.lock);
    return programs.at[i].image;
}

void mock_host_program(const char *path, mock_script *script, void *arg)
{
    mock_host_file(path, 0755, mock_image(script, arg), MOCK_IMAGE_SIZE);
}

static const struct script *program_at(uint64_t rip)
{
    const struct script *script = NULL;

    pthread_mutex_lock(&programs.lock);
    for (size_t i = 0; i < programs.count; i++)
        if (rip == ENTRY(i))
            script = &programs.at[i].script;
    pthread_mutex_unlock(&programs.lock);
    return script;
}

/* --- in and out of the kernel --------------------------------------------------------------------------- */

static struct target_regs *regs(void)
{
    return &carrier->thread->regs;
}

static void kernel_enter(void)
{
    leave_if_over();
    __atomic_store_n(&carrier->thread->mode, TARGET_IN_KERNEL, __ATOMIC_SEQ_CST);
}

/* As the hosted target's way out: marks are looked at after the mode was published. */
static void kernel_leave(void)
{
    struct target_thread *thread = carrier->thread;

    for (;;) {
        while (__atomic_load_n(&thread->pending, __ATOMIC_SEQ_CST))
            upcall_exit_work();
        __atomic_store_n(&thread->mode, TARGET_IN_USER, __ATOMIC_SEQ_CST);
        if (!__atomic_load_n(&thread->pending, __ATOMIC_SEQ_CST))
            return;
        __atomic_store_n(&thread->mode, TARGET_IN_KERNEL, __ATOMIC_SEQ_CST);
    }
}

static void call_again(uint64_t nr)
{
    kernel_enter();
    regs()->orig_rax = nr;
    regs()->rip = BEHIND;
    upcall_syscall();
    kernel_leave();
}

static void raise_fault(struct target_fault fault)
{
    kernel_enter();
    regs()->orig_rax = (uint64_t)-1;
    fault = fault_told(fault);
    upcall_fault(&fault);
    kernel_leave();
}

static void call_handler(uint64_t address)
{
    uint64_t frame = regs()->rsp;
    mock_handler *handler = (mock_handler *)address;

    handler((int)regs()->rdi, regs()->rsi, regs()->rdx);
    regs()->rsp = frame + 8; /* as its `ret` does */
    call_again(__NR_rt_sigreturn);
}

/* Goes on where the registers say, until that is behind the script's own call. */
static void go_on(void)
{
    for (;;) {
        uint64_t rip = regs()->rip;

        if (rip == BEHIND)
            return;
        if (rip == SITE)
            call_again(regs()->rax);
        else if (is_handler(rip))
            call_handler(rip);
        else if (program_at(rip))
            longjmp(carrier->program, 1);
        else
            raise_fault((struct target_fault){
                .signo = SIGILL, .code = ILL_ILLOPN, .address = rip, .trapno = 6});
    }
}

long mock_call6(long nr, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                uint64_t a5)
{
    struct target_regs *r = regs();

    r->rdi = a0, r->rsi = a1, r->rdx = a2, r->r10 = a3, r->r8 = a4, r->r9 = a5;
    r->rax = (uint64_t)nr;
    call_again((uint64_t)nr);
    go_on();
    return (long)regs()->rax;
}

long mock_trap(mock_user site, long nr)
{
    kernel_enter();
    regs()->orig_rax = (uint64_t)nr;
    regs()->rip = site + 2;
    upcall_trapped();
    kernel_leave();
    return mock_call(nr);
}

void mock_pause(void)
{
    kernel_enter();
    regs()->orig_rax = (uint64_t)-1;
    regs()->rip = BEHIND;
    kernel_leave();
    go_on();
}

/* --- what threads do -------------------------------------------------------------------------------------- */

static void run_script(const struct script *script)
{
    int status = script->run(script->arg);

    mock_call(script->whole_process ? __NR_exit_group : __NR_exit, status);
    abort(); /* neither returns */
}

/* The program whose entry RIP is; exec comes back here. */
static void run_programs(void)
{
    const struct script *script;

    (void)setjmp(carrier->program);
    carrier->ring = 0;
    script = program_at(regs()->rip);
    if (script) {
        regs()->rip = BEHIND;
        run_script(script);
    }
    go_on();
    abort(); /* whatever stood at RIP, it was no script's call */
}

void program_run(void)
{
    kernel_leave();
    run_programs();
    __builtin_unreachable();
}

void program_run_child(void)
{
    kernel_leave();
    if (!setjmp(carrier->program)) {
        go_on();
        run_script(&carrier->first);
    }
    run_programs();
    __builtin_unreachable();
}

void mock_child(mock_script *child, void *arg)
{
    carrier->child = (struct script){child, arg, false};
}

long mock_clone(uint64_t flags, mock_script *child, void *arg, mock_user parent_tid,
                mock_user child_tid)
{
    mock_user stack = 0;
    bool thread = flags & CLONE_THREAD;

    if (flags & CLONE_VM && !(flags & CLONE_VFORK)) {
        long at = mock_call(__NR_mmap, 0, STACK_SIZE, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (at < 0)
            return at;
        stack = (mock_user)at + STACK_SIZE;
    }
    carrier->child = (struct script){child, arg, !thread};
    return mock_call(__NR_clone, flags, stack, parent_tid, child_tid, 0);
}

long mock_fork(mock_script *child, void *arg)
{
    return mock_clone(SIGCHLD, child, arg, 0, 0);
}

long mock_vfork(mock_script *child, void *arg)
{
    return mock_clone(CLONE_VFORK | CLONE_VM | SIGCHLD, child, arg, 0, 0);
}

long mock_thread(mock_script *script, void *arg)
{
    return mock_clone(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
                          CLONE_SYSVSEM,
                      script, arg, 0, 0);
}

long mock_wait(long pid)
{
    mock_user status = mock_room(sizeof(int));
    long got = mock_call(__NR_wait4, pid, status, 0, 0);

    return got < 0 ? got : mock_get(int, status);
}

long mock_handle(int signo, mock_handler *handler, uint64_t flags)
{
    const uint64_t action[4] = {mock_handler_address(handler), flags | SA_RESTORER, RESTORER, 0};

    return mock_call(__NR_rt_sigaction, signo, mock_put(action, sizeof(action)), 0, 8);
}

/* --- the program's memory ---------------------------------------------------------------------------------- */

static void access_memory(enum access access, mock_user at, char *buffer, size_t size)
{
    struct target_fault fault;
    size_t done = 0;

    for (;;) {
        done += space_access(carrier->thread->space, access, at + done, buffer + done, size - done,
                             &fault);
        if (done == size)
            return;
        regs()->rip = BEHIND;
        raise_fault(fault);
        go_on();
    }
}

void mock_load(void *to, mock_user from, size_t size)
{
    access_memory(ACCESS_READ, from, to, size);
}

void mock_store(mock_user to, const void *from, size_t size)
{
    access_memory(ACCESS_WRITE, to, (char *)from, size);
}

/* Of the ring, mapped when it is first needed; a copy of it comes along with fork. */
static mock_user ring_take(size_t size)
{
    mock_user at;

    size = (size + 15) & ~15UL;
    if (size > RING_SIZE)
        abort();
    if (!carrier->ring) {
        long ring = mock_call(__NR_mmap, 0, RING_SIZE, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (ring < 0)
            mock_call(__NR_exit_group, 99); /* no memory for the script's own words */
        carrier->ring = (mock_user)ring;
        carrier->ring_used = 0;
    }
    if (carrier->ring_used + size > RING_SIZE)
        carrier->ring_used = 0;
    at = carrier->ring + carrier->ring_used;
    carrier->ring_used += size;
    return at;
}

mock_user mock_put(const void *data, size_t size)
{
    mock_user at = ring_take(size);

    mock_store(at, data, size);
    return at;
}

mock_user mock_string(const char *text)
{
    return mock_put(text, strlen(text) + 1);
}

mock_user mock_room(size_t size)
{
    mock_user at = ring_take(size);
    static const char zeros[RING_SIZE];

    mock_store(at, zeros, size);
    return at;
}

mock_user mock_strings(const char *const *strings)
{
    mock_user at[64];
    size_t n = 0;

    for (; strings[n] && n < 63; n++)
        at[n] = mock_string(strings[n]);
    at[n++] = 0;
    return mock_put(at, n * sizeof(at[0]));
}
