/* kernel/task/exec_stack.c: what a new program finds on its stack: psABI, "Process Initialization". */
#include "base/errno.h"
#include "base/string.h"
#include "host/host.h"
#include "mm/alloc.h"
#include "mm/mm.h"
#include "mm/uaccess.h"
#include "task/exec.h"

#include <asm/auxvec.h>
#include <linux/auxvec.h>
#include <myst/boot.h>

#define RANDOM_BYTES     16
#define TICKS_PER_SECOND 100
#define HWCAP2_FSGSBASE  (1UL << 1) /* the program must leave the GS base to the kernel */
#define PLATFORM_MAX     16

/* From the launcher: what the processor can do. Constant once programs run. */
static struct {
    u64 hwcap, hwcap2, minsigstksz;
    char platform[PLATFORM_MAX];
} machine;

u64 (*exec_vdso_map)(void);

void exec_stack_start(const struct boot_info *boot)
{
    machine.hwcap = boot->hwcap;
    machine.hwcap2 = boot->hwcap2 & ~HWCAP2_FSGSBASE;
    machine.minsigstksz = boot->minsigstksz;
    strlcpy(machine.platform, boot->platform[0] ? boot->platform : "x86_64", PLATFORM_MAX);
}

/* Addresses of what lies above the pointers. */
struct top {
    u64 at; /* grows down */
    u64 execfn, envp, argv, platform, random;
};

static int push(struct top *top, const void *from, size_t len, u64 *where)
{
    top->at -= len;
    *where = top->at;
    return copy_to_user((void __user *)top->at, from, len);
}

static int push_texts(struct top *top, const struct exec *exec)
{
    u8 random[RANDOM_BYTES];
    u64 end_marker = 0, where;
    int err = random_bytes(random, sizeof random);

    if (!err)
        err = push(top, &end_marker, sizeof end_marker, &where);
    if (!err)
        err = push(top, exec->shown_path, strlen(exec->shown_path) + 1, &top->execfn);
    if (!err)
        err = push(top, exec->envp.text, exec->envp.len, &top->envp);
    if (!err)
        err = push(top, exec->argv.text, exec->argv.len, &top->argv);
    if (!err)
        err = push(top, machine.platform, strlen(machine.platform) + 1, &top->platform);
    top->at = ALIGN_DOWN(top->at, 16);
    if (!err)
        err = push(top, random, sizeof random, &top->random);
    return err;
}

struct words {
    u64 *word;
    size_t n;
};

static void aux(struct words *to, u64 type, u64 value)
{
    to->word[to->n++] = type;
    to->word[to->n++] = value;
}

/* getauxval(3). Returns how many words of mm->auxv are in use. */
static size_t build_auxv(const struct exec *exec, const struct top *top, u64 *words)
{
    const struct elf_file *program = &exec->program;
    const struct cred *cred = cred_current();
    struct words to = {words, 0};
    u64 vdso = exec_vdso_map ? exec_vdso_map() : 0;

    if (vdso)
        aux(&to, AT_SYSINFO_EHDR, vdso);
    if (machine.minsigstksz)
        aux(&to, AT_MINSIGSTKSZ, machine.minsigstksz);
    aux(&to, AT_HWCAP, machine.hwcap);
    aux(&to, AT_PAGESZ, PAGE_SIZE);
    aux(&to, AT_CLKTCK, TICKS_PER_SECOND);
    aux(&to, AT_PHDR, elf_phdr_address(program));
    aux(&to, AT_PHENT, sizeof(Elf64_Phdr));
    aux(&to, AT_PHNUM, program->header.e_phnum);
    aux(&to, AT_BASE, exec->interpreter.file ? exec->interpreter.bias : 0);
    aux(&to, AT_FLAGS, 0);
    aux(&to, AT_ENTRY, elf_entry(program));
    aux(&to, AT_UID, cred->uid);
    aux(&to, AT_EUID, cred->euid);
    aux(&to, AT_GID, cred->gid);
    aux(&to, AT_EGID, cred->egid);
    aux(&to, AT_SECURE, exec->secure);
    aux(&to, AT_RANDOM, top->random);
    aux(&to, AT_HWCAP2, machine.hwcap2);
    aux(&to, AT_EXECFN, top->execfn);
    aux(&to, AT_PLATFORM, top->platform);
    aux(&to, AT_NULL, 0);
    return to.n;
}

static void put_pointers(struct words *to, const struct strings *strings, u64 address)
{
    for (size_t at = 0; at < strings->len; at += strlen(strings->text + at) + 1)
        to->word[to->n++] = address + at;
    to->word[to->n++] = 0;
}

static int push_pointers(struct top *top, const struct exec *exec, const u64 *auxv, size_t auxv_n)
{
    size_t n = 1 + exec->argv.n + 1 + exec->envp.n + 1 + auxv_n;
    struct words to = {kmalloc(n * sizeof(u64)), 0};
    int err;

    if (!to.word)
        return -ENOMEM;
    to.word[to.n++] = exec->argv.n;
    put_pointers(&to, &exec->argv, top->argv);
    put_pointers(&to, &exec->envp, top->envp);
    memcpy(to.word + to.n, auxv, auxv_n * sizeof(u64));
    to.n += auxv_n;

    /* The stack pointer of the first step is a multiple of 16. */
    top->at = ALIGN_DOWN(top->at - n * sizeof(u64), 16);
    err = copy_to_user((void __user *)top->at, to.word, n * sizeof(u64));
    kfree(to.word);
    return err;
}

int exec_stack_build(const struct exec *exec, u64 *sp)
{
    struct mm *mm = self()->mm;
    struct top top = {0};
    s64 stack = mm_map_stack(exec->stack_executable);
    size_t auxv_n;
    int err;

    if (stack < 0)
        return (int)stack;
    top.at = (u64)stack;
    err = push_texts(&top, exec);
    if (err)
        return err;
    mm->arg_start = top.argv;
    mm->arg_end = mm->env_start = top.argv + exec->argv.len;
    mm->env_end = mm->env_start + exec->envp.len;
    auxv_n = build_auxv(exec, &top, mm->auxv);
    err = push_pointers(&top, exec, mm->auxv, auxv_n);
    mm->start_stack = top.at;
    *sp = top.at;
    return err;
}
