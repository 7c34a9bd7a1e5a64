/* void call_on_stack(void *stack_top, void (*fn)(void)): and back. */
    .text
    .globl call_on_stack
    .type call_on_stack, @function
call_on_stack:
    push %rbp
    mov %rsp, %rbp
    push %rbx
    mov %rsp, %rbx
    mov %rdi, %rsp
    and $-16, %rsp
    push $0
    push %rbx
    xor %ebp, %ebp
    call *%rsi
    pop %rsp
    pop %rbx
    pop %rbp
    ret
    .section .note.GNU-stack, "", @progbits
