/* kernel/time/vdso_image.S: the vDSO's file, as the kernel carries it. */
    .section .rodata, "a", @progbits
    .balign 16
    .globl vdso_image_start, vdso_image_end
    .hidden vdso_image_start, vdso_image_end
vdso_image_start:
    .incbin "vdso.so"
vdso_image_end:
    .section .note.GNU-stack, "", @progbits
