/* kernel/task/exec.h: between the files that carry out execve(2). */
#ifndef TASK_EXEC_H
#define TASK_EXEC_H

#include "base/types.h"
#include "cred/cred.h"
#include "task/internal.h"
#include "vfs/file.h"

#include <linux/elf.h>

#define EXEC_HEAD 256 /* bytes that tell what a file is; a script's first line may be as long */

/* Strings one behind the other, each with its zero. */
struct strings {
    char *text;
    size_t len, room;
    u32 n;
};

/* A file of the ELF format, checked, and where its parts belong. */
struct elf_file {
    struct file *file; /* counted; writing is denied */
    Elf64_Ehdr header;
    Elf64_Phdr *segments; /* header.e_phnum */
    u64 low, high;        /* from the first to the last segment, in whole pages */
    u64 bias;             /* what is added to the file's addresses; known once loaded */
};

struct exec {
    int dirfd;
    const char *path; /* as the caller names it; kernel memory */
    int at_flags;
    char *shown_path; /* AT_EXECFN; differs from path for descriptors */
    bool fd_closes;   /* the file is named by a descriptor that will be closed */
    struct strings argv, envp;
    u8 head[EXEC_HEAD];                   /* of the file that is looked at; zeros behind its end */
    struct elf_file program, interpreter; /* interpreter.file NULL: none */
    struct file *named; /* the file that was asked for, until it is known what it is */
    bool stack_executable;
    struct cred *cred; /* of the new program */
    bool secure;       /* AT_SECURE */
    bool dumpable;
};

/* ---- exec_args.c ---- */

int strings_add(struct strings *to, const char *text, size_t len);
/* A NULL-ended array of the program's; NULL: none. -EFAULT, -E2BIG, -ENOMEM. */
int strings_from_user(struct strings *to, const char __user *const __user *array, size_t *left);
int strings_from_kernel(struct strings *to, const char *const *array);
void strings_free(struct strings *strings);
size_t exec_args_limit(void); /* execve(2), "Limits on size of arguments and environment" */

/* ---- exec_script.c ---- */

/* For "#!": puts the interpreter and its argument in front of argv. *next: the interpreter's path. */
int script_parse(struct exec *exec, const char *script, char **next);

/* ---- elf.c ---- */

/* Checks a file whose head has been read; takes the reference over. -ENOEXEC and so on. */
int elf_open(struct elf_file *elf, struct file *file, const u8 *head);
void elf_close(struct elf_file *elf);
/* The interpreter's path from PT_INTERP, allocated; NULL: there is none. ERR_PTR. */
char *elf_interpreter(const struct elf_file *elf);
bool elf_wants_executable_stack(const struct elf_file *elf);
/* Into the caller's space, which is the new one. */
int elf_load(struct elf_file *elf, bool interpreter, bool has_interpreter);
static inline u64 elf_entry(const struct elf_file *elf)
{
    return elf->header.e_entry + elf->bias;
}
u64 elf_phdr_address(const struct elf_file *elf);

/* ---- exec_stack.c ---- */

struct boot_info;
void exec_stack_start(const struct boot_info *boot);
/* time/ maps its vDSO into the caller's new space: its address, or 0. NULL: there is none. */
extern u64 (*exec_vdso_map)(void);
/* Arguments, environment and auxiliary vector; *sp is the stack pointer of the first step. */
int exec_stack_build(const struct exec *exec, u64 *sp);

/* ---- exec_cred.c ---- */

int exec_credentials(struct exec *exec);

/* ---- exec.c ---- */

/* Opens what exec->path names, before its arguments are looked at. */
int exec_open(struct exec *exec);

/* Replaces the caller's program. in_place: its space is empty. Does not undo what exec holds. */
int exec_run(struct exec *exec, bool in_place);
void exec_free(struct exec *exec);

#endif
