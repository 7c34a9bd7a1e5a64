/*
 * The few places where the hosted target meets the processor and the host's kernel: host calls, the way in
 * from a host signal, the way back to the program, switches between kernel stacks. docs/entry.md explains.
 */

/* offsets into struct target_thread; checked in thread.c */
#define THREAD_PENDING 216
#define THREAD_MODE 220
#define THREAD_WAKE 224
#define THREAD_KICKED 292
#define THREAD_GONE 228
#define THREAD_SP 248
#define THREAD_FRAME 256
#define THREAD_SELF 296
#define THREAD_GATED 304

/* offsets into its struct target_regs */
#define R15 0
#define R14 8
#define R13 16
#define R12 24
#define RBP 32
#define RBX 40
#define R11 48
#define R10 56
#define R9 64
#define R8 72
#define RAX 80
#define RCX 88
#define RDX 96
#define RSI 104
#define RDI 112
#define ORIG_RAX 120
#define RIP 128
#define RFLAGS 144
#define RSP 152

#define IN_KERNEL 0
#define IN_USER 1
#define IN_HOST 2
#define NR_rt_sigreturn 15
#define NR_getpid 39
#define NR_exit 60
#define NR_futex 202
#define FUTEX_WAKE 1
#define EINTR 4
#define STACK_MASK -65536
#define GATE_STACK 40960       /* frame.h's GATE_STACK_TOP */
#define FLAGS_BY_TRAP 0x44500  /* TF, DF, NT, AC: what the kernel must not run with */
#define CALLS_BY_TRAP_LIMIT 512

    .macro function name
    .globl \name
    .hidden \name
    .type \name, @function
\name:
    .endm

/* --- host calls: the only syscall instructions that the filter lets through ------------------------ */

    .section .hostcalls, "ax", @progbits
    .globl host_calls_start
    .hidden host_calls_start
host_calls_start:

/* long host_call(long nr, a1, a2, a3, a4, a5, [stack] a6) */
function host_call
    push %rbp
    mov %rsp, %rbp
    mov %rdi, %rax
    mov %rsi, %rdi
    mov %rdx, %rsi
    mov %rcx, %rdx
    mov %r8, %r10
    mov %r9, %r8
    mov 16(%rbp), %r9
    syscall
    pop %rbp
    ret

/*
 * long host_call_blocking(struct target_thread *, long nr, a1, a2, a3, a4, [stack] a5, a6)
 * A kick that arrives between the check and the end of the syscall instruction gives -EINTR: the kick handler
 * moves RIP from the window to its end.
 */
function host_call_blocking
    push %rbp
    mov %rsp, %rbp
    push %rbx
    push %r12
    mov %rdi, %rbx
    mov %rsi, %r12
    mov %rdx, %rdi
    mov %rcx, %rsi
    mov %r8, %rdx
    mov %r9, %r10
    mov 16(%rbp), %r8
    mov 24(%rbp), %r9
    movl $0, THREAD_KICKED(%rbx)
    mov $IN_HOST, %eax
    xchg %eax, THREAD_MODE(%rbx)
    mov %r12, %rax
    .globl blocking_window_start
    .hidden blocking_window_start
blocking_window_start:
    cmpl $0, THREAD_PENDING(%rbx)
    jne blocking_interrupted
    cmpl $1, THREAD_WAKE(%rbx)
    je blocking_interrupted
    syscall
    .globl blocking_window_end
    .hidden blocking_window_end
blocking_window_end:
    movl $IN_KERNEL, THREAD_MODE(%rbx)
    pop %r12
    pop %rbx
    pop %rbp
    ret
    .globl blocking_interrupted
    .hidden blocking_interrupted
blocking_interrupted:
    mov $-EINTR, %rax
    jmp blocking_window_end

/*
 * long host_clone(unsigned long flags, void *stack, int *child_tid, void (*fn)(void *), void *arg)
 * The child calls fn(arg) on the given stack.
 */
function host_clone
    push %rbp
    mov %rsp, %rbp
    push %rbx
    push %r12
    mov %rcx, %rbx
    mov %r8, %r12
    mov %rdx, %r10      /* child_tid */
    xor %edx, %edx      /* parent_tid */
    xor %r8d, %r8d      /* tls */
    mov $56, %eax
    syscall
    test %rax, %rax
    jz 1f
    pop %r12
    pop %rbx
    pop %rbp
    ret
1:  xor %ebp, %ebp
    mov %r12, %rdi
    and $-16, %rsp
    call *%rbx
    ud2

/*
 * long host_clone_started(unsigned long flags, void *stack, void (*fn)(void *), void *thread, uint64_t *start)
 * The same for a kernel thread, whose start has a number: the child touches nothing, its stack included, before it has
 * put 0 in its place; else it ends.
 */
function host_clone_started
    push %rbp
    mov %rsp, %rbp
    push %rbx
    push %r12
    push %r13
    push %r14
    mov %rdx, %rbx
    mov %rcx, %r12
    mov %r8, %r13
    mov (%r8), %r14
    xor %edx, %edx      /* parent_tid */
    xor %r10d, %r10d    /* child_tid */
    xor %r8d, %r8d      /* tls */
    mov $56, %eax
    syscall
    test %rax, %rax
    jz 1f
    pop %r14
    pop %r13
    pop %r12
    pop %rbx
    pop %rbp
    ret
1:  mov %r14, %rax
    xor %ecx, %ecx
    lock cmpxchg %rcx, (%r13)
    jne 2f
    xor %ebp, %ebp
    mov %r12, %rdi
    and $-16, %rsp
    call *%rbx
    ud2
2:  xor %edi, %edi
    mov $NR_exit, %eax
    syscall
    ud2

/*
 * void host_thread_leave(uint32_t *word): sets *word to 1 and ends the host thread. Nothing touches the stack
 * after the store; the caller has blocked all signals.
 */
function host_thread_leave
    movl $1, (%rdi)
    xor %edi, %edi
    mov $NR_exit, %eax
    syscall
    ud2

/* void host_thread_publish_and_leave(struct target_thread **job, struct target_thread *t, uint32_t *word):
 * hands t to a blank, wakes it, and ends the host thread, likewise without a stack. */
function host_thread_publish_and_leave
    mov %rdx, %r9
    mov %rsi, (%rdi)
    movl $1, (%r9)
    mov %r9, %rdi
    mov $FUTEX_WAKE, %esi
    mov $1, %edx
    mov $NR_futex, %eax
    syscall
    xor %edi, %edi
    mov $NR_exit, %eax
    syscall
    ud2

/*
 * exit_to_user: the way back. Restartable as a whole: a kick that finds RIP in here sets it back to the start,
 * which takes everything anew from the stack's block. The host's frame holds the program's state.
 */
function exit_to_user
    mov %rsp, %rdi
    and $STACK_MASK, %rdi
    mov THREAD_FRAME(%rdi), %rsp
    movl $0, THREAD_KICKED(%rdi)
    mov $IN_USER, %eax
    xchg %eax, THREAD_MODE(%rdi)
    cmpl $0, THREAD_PENDING(%rdi)
    jne exit_again
    mov $NR_rt_sigreturn, %eax
    syscall
    .globl exit_window_end
    .hidden exit_window_end
exit_window_end:
    ud2
exit_again:
    movl $IN_KERNEL, THREAD_MODE(%rdi)
    sub $16, %rsp
    and $-16, %rsp
    xor %ebp, %ebp
    call thread_return
    ud2

function signal_restorer
    mov $NR_rt_sigreturn, %eax
    syscall
    ud2

    .globl host_calls_end
    .hidden host_calls_end
host_calls_end:

    .text

/* --- the way in: the host's handler for every signal that we take ---------------------------------- */

/* rdi signo, rsi siginfo, rdx ucontext; the host has cleared DF and TF */
function signal_entry
    xor %ebp, %ebp
    push %rbp
    mov %rsp, %rbp
    push $0             /* rsp was 8 mod 16 on entry */
    and $-16, %rsp
    call signal_main
    mov %rbp, %rsp
    pop %rbp
    ret                 /* to signal_restorer: only for entries from kernel code */

/* --- the call gate: the way in from rewritten call sites, and the way back ------------------------- */

/*
 * rcx: the address to return to; r11 is free; the rest is as for the syscall instruction. The host's signal stack
 * stays armed: a signal's frame comes to the end of the block, above this stack.
 */
function call_gate
    mov %gs:THREAD_SELF, %r11
    mov %rsp, RSP(%r11)
    .globl call_gate_found
    .hidden call_gate_found
call_gate_found:        /* up to here a fault means that GS is not ours; nothing has been lost yet */
    lea GATE_STACK(%r11), %rsp
    pushfq
    popq RFLAGS(%r11)
    movl $IN_KERNEL, THREAD_MODE(%r11)
    movl $1, THREAD_GATED(%r11)
    mov %eax, %eax
    mov %rax, ORIG_RAX(%r11)
    mov %rax, RAX(%r11)
    mov %rcx, RIP(%r11)
    mov %rcx, RCX(%r11)
    mov %rdi, RDI(%r11)
    mov %rsi, RSI(%r11)
    mov %rdx, RDX(%r11)
    mov %r10, R10(%r11)
    mov %r8, R8(%r11)
    mov %r9, R9(%r11)
    mov %rbx, RBX(%r11)
    mov %rbp, RBP(%r11)
    mov %r12, R12(%r11)
    mov %r13, R13(%r11)
    mov %r14, R14(%r11)
    mov %r15, R15(%r11)
    mov RFLAGS(%r11), %rcx
    mov %rcx, R11(%r11)
    test $FLAGS_BY_TRAP, %ecx
    jnz call_by_trap
    cmp $CALLS_BY_TRAP_LIMIT, %eax
    jae 1f
    lea calls_by_trap(%rip), %rcx
    cmpb $0, (%rcx, %rax)
    jne call_by_trap
1:  xor %ebp, %ebp
    call upcall_syscall

/* Restartable as a whole, as exit_to_user is. rbx and r12 to r15 are the program's already. */
    .globl gate_exit
    .hidden gate_exit
gate_exit:
    mov %gs:THREAD_SELF, %r11
    lea GATE_STACK(%r11), %rsp
    movl $0, THREAD_KICKED(%r11)
    mov $IN_USER, %eax
    xchg %eax, THREAD_MODE(%r11)
    cmpl $0, THREAD_PENDING(%r11)
    jne work_by_trap
    /* the six flags of arithmetic; the others are as they were (popf takes longer than all the rest) */
    mov RFLAGS(%r11), %ecx
    mov %ch, %al
    and $8, %al         /* OF, bit 11 */
    add $0x78, %al      /* overflows when it was set */
    mov %cl, %ah
    sahf
    mov RAX(%r11), %rax
    mov RDI(%r11), %rdi
    mov RSI(%r11), %rsi
    mov RDX(%r11), %rdx
    mov R10(%r11), %r10
    mov R8(%r11), %r8
    mov R9(%r11), %r9
    mov RBP(%r11), %rbp
    mov RIP(%r11), %rcx
    mov RSP(%r11), %rsp
    mov R11(%r11), %r11
    jmp *%rcx
    .globl gate_exit_end
    .hidden gate_exit_end
gate_exit_end:

/*
 * The rest of this entry needs the host's frame of the program's state (signals, fork, exec ...). The registers
 * are saved; a trap from here adds what is not, and leaves the signal stack disarmed.
 */
call_by_trap:
    mov $NR_getpid, %eax
    syscall
    .globl call_by_trap_end
    .hidden call_by_trap_end
call_by_trap_end:
    ud2
work_by_trap:
    movl $IN_KERNEL, THREAD_MODE(%r11)
    mov $NR_getpid, %eax
    syscall
    .globl work_by_trap_end
    .hidden work_by_trap_end
work_by_trap_end:
    ud2

/* --- switches ---------------------------------------------------------------------------------------- */

/*
 * void stack_call(void *stack, void (*fn)(void *), void *arg): calls on another stack; does not come back.
 */
function stack_call
    mov %rdi, %rsp
    and $-16, %rsp
    xor %ebp, %ebp
    mov %rdx, %rdi
    call *%rsi
    ud2

/*
 * void thread_switch_call(struct target_thread *from, void *stack, void (*fn)(void *), void *arg):
 * leaves a continuation in from->sp and calls fn(arg) on another stack. Returns when somebody does
 * thread_resume(from).
 */
function thread_switch_call
    push %rbp
    mov %rsp, %rbp
    push %rbx
    push %r12
    push %r13
    push %r14
    push %r15
    push $0
    mov %rsp, THREAD_SP(%rdi)
    mov %rsi, %rsp
    and $-16, %rsp
    xor %ebp, %ebp
    mov %rcx, %rdi
    call *%rdx
    ud2

/* void thread_resume(struct target_thread *t, uint32_t *mark): goes on where t was switched out; *mark, when
 * given, becomes 1 after the old stack has been left. */
function thread_resume
    mov THREAD_SP(%rdi), %rsp
    test %rsi, %rsi
    jz 1f
    movl $1, (%rsi)
1:  pop %rax
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbx
    pop %rbp
    ret

/* --- fault-safe access to user memory: a fault in [start, end) goes on at the fix-up ----------------- */

    .macro fault_entry start, end, fixup
    .pushsection .fault_table, "a"
    .quad \start, \end, \fixup
    .popsection
    .endm

/* size_t target_user_read(void *to, const void *from, size_t len): bytes not copied */
function target_user_read
    mov %rdx, %rcx
1:  rep movsb
2:  mov %rcx, %rax
    ret
    fault_entry 1b, 2b, 2b

function target_user_write
    mov %rdx, %rcx
1:  rep movsb
2:  mov %rcx, %rax
    ret
    fault_entry 1b, 2b, 2b

/* size_t target_user_zero(void *to, size_t len) */
function target_user_zero
    mov %rsi, %rcx
    xor %eax, %eax
1:  rep stosb
2:  mov %rcx, %rax
    ret
    fault_entry 1b, 2b, 2b

/* int64_t target_user_strlen(const void *from, size_t max) */
function target_user_strlen
    xor %eax, %eax
1:  cmp %rsi, %rax
    jae 3f
2:  cmpb $0, (%rdi,%rax)
    je 3f
    inc %rax
    jmp 1b
3:  ret
4:  mov $-14, %rax
    ret
    fault_entry 2b, 3b, 4b

/* int target_user_cmpxchg(uint32_t *word, uint32_t expected, uint32_t desired, uint32_t *seen) */
function target_user_cmpxchg
    mov %esi, %eax
1:  lock cmpxchg %edx, (%rdi)
2:  mov %eax, (%rcx)
    xor %eax, %eax
    ret
3:  mov $-14, %eax
    ret
    fault_entry 1b, 2b, 3b

    .section .note.GNU-stack, "", @progbits
