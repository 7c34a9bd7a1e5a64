/* execve_image.c: how execve(2) loads an ELF image, and what the stack of the new program holds. */
#include "../lib/program.h"

#include <elf.h>
#include <sys/auxv.h>

static char *no_env[] = {NULL};

/* ---- images made by hand ---- */

#define IMAGE_BASE 0x10000000ul

struct image {
    Elf64_Ehdr head;
    Elf64_Phdr segment[3];
    char interpreter[40];
    unsigned char code[128];
};

#define CODE_AT (IMAGE_BASE + offsetof(struct image, code))

/* exit_group(42) */
static const unsigned char exit_42[] = {0xbf, 42,   0, 0, 0, /* mov $42, %edi */
                                        0xb8, 0xe7, 0, 0, 0, /* mov $231, %eax */
                                        0x0f, 0x05};         /* syscall */

static struct image new_image(void)
{
    struct image image = {
        .head = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
                             EV_CURRENT},
                 .e_type = ET_EXEC,
                 .e_machine = EM_X86_64,
                 .e_version = EV_CURRENT,
                 .e_entry = CODE_AT,
                 .e_phoff = offsetof(struct image, segment),
                 .e_ehsize = sizeof(Elf64_Ehdr),
                 .e_phentsize = sizeof(Elf64_Phdr),
                 .e_phnum = 1},
        .segment[0] = {.p_type = PT_LOAD,
                       .p_flags = PF_R | PF_X,
                       .p_vaddr = IMAGE_BASE,
                       .p_paddr = IMAGE_BASE,
                       .p_filesz = sizeof(struct image),
                       .p_memsz = sizeof(struct image),
                       .p_align = 4096},
    };

    memcpy(image.code, exit_42, sizeof exit_42);
    return image;
}

static void add_interpreter(struct image *image, const char *path)
{
    snprintf(image->interpreter, sizeof image->interpreter, "%s", path);
    image->segment[1] = image->segment[0];
    image->segment[0] = (Elf64_Phdr){.p_type = PT_INTERP,
                                     .p_flags = PF_R,
                                     .p_offset = offsetof(struct image, interpreter),
                                     .p_filesz = strlen(path) + 1,
                                     .p_memsz = strlen(path) + 1,
                                     .p_align = 1};
    image->head.e_phnum = 2;
}

static int image_status(const struct image *image)
{
    char *argv[] = {"image", NULL};
    struct run run;

    make_program("image", image, sizeof *image);
    run_program(&run, "./image", argv, no_env);
    return run.status;
}

static long image_error(const struct image *image, size_t size)
{
    char *argv[] = {"image", NULL};

    make_program("image", image, size);
    return EXEC(SYS_execve, "./image", argv, no_env);
}

/* covers: execve */
static void static_image_at_a_fixed_address_runs(void **state)
{
    struct image image = new_image();

    (void)state;
    need_eq(image_status(&image), 42 << 8);
}

/* covers: execve */
static void static_position_independent_image_runs(void **state)
{
    struct image image = new_image();

    (void)state;
    image.head.e_type = ET_DYN;
    image.head.e_entry -= IMAGE_BASE;
    image.segment[0].p_vaddr = image.segment[0].p_paddr = 0;
    need_eq(image_status(&image), 42 << 8);
}

/* covers: execve */
static void memory_beyond_the_file_part_of_a_segment_is_zero(void **state)
{
    /* mov 0x10002000, %edi ; or the last word of the page ; exit_group */
    static const unsigned char code[] = {0x8b, 0x3c, 0x25, 0x00, 0x20, 0x00, 0x11,
                                         0x0b, 0x3c, 0x25, 0xfc, 0x0f, 0x00, 0x11,
                                         0xb8, 0xe7, 0,    0,    0,    0x0f, 0x05};
    struct image image = new_image();

    (void)state;
    memcpy(image.code, code, sizeof code);
    image.segment[1] = (Elf64_Phdr){.p_type = PT_LOAD,
                                    .p_flags = PF_R | PF_W,
                                    .p_vaddr = IMAGE_BASE + 0x1000000,
                                    .p_paddr = IMAGE_BASE + 0x1000000,
                                    .p_filesz = 64,
                                    .p_memsz = 0x5000,
                                    .p_align = 4096};
    image.head.e_phnum = 2;
    need_eq(image_status(&image), 0);
}

/* covers: execve */
static void file_part_of_a_segment_is_loaded(void **state)
{
    /* movzbl 0x11000000, %edi ; exit_group: the first byte of the ELF magic, 0x7f */
    static const unsigned char code[] = {0x0f, 0xb6, 0x3c, 0x25, 0, 0,    0,   0x11,
                                         0xb8, 0xe7, 0,    0,    0, 0x0f, 0x05};
    struct image image = new_image();

    (void)state;
    memcpy(image.code, code, sizeof code);
    image.segment[1] = (Elf64_Phdr){.p_type = PT_LOAD,
                                    .p_flags = PF_R | PF_W,
                                    .p_vaddr = IMAGE_BASE + 0x1000000,
                                    .p_paddr = IMAGE_BASE + 0x1000000,
                                    .p_filesz = 64,
                                    .p_memsz = 64,
                                    .p_align = 4096};
    image.head.e_phnum = 2;
    need_eq(image_status(&image), 0x7f << 8);
}

/* covers: execve */
static void read_only_segment_faults_on_a_write(void **state)
{
    /* movl $0, 0x10000000 */
    static const unsigned char code[] = {0xc7, 0x04, 0x25, 0, 0, 0, 0x10, 0, 0, 0, 0};
    struct image image = new_image();

    (void)state;
    memcpy(image.code, code, sizeof code);
    need_eq(image_status(&image) & 0x7f, SIGSEGV);
}

/* covers: execve */
static void stack_of_the_new_program_is_aligned_and_starts_with_argc(void **state)
{
    /* mov (%rsp),%edi ; mov %esp,%eax ; and $15,%eax ; shl $4,%eax ; add %eax,%edi ; exit_group */
    static const unsigned char code[] = {0x8b, 0x3c, 0x24, 0x89, 0xe0, 0x83, 0xe0,
                                         0x0f, 0xc1, 0xe0, 0x04, 0x01, 0xc7, 0xb8,
                                         0xe7, 0,    0,    0,    0x0f, 0x05};
    struct image image = new_image();

    (void)state;
    memcpy(image.code, code, sizeof code);
    need_eq(image_status(&image), 1 << 8);
}

/* covers: execve */
static void general_registers_start_as_zero(void **state)
{
    /* or of rax..r15 (without rsp) ; setne %dil ; exit_group */
    static const unsigned char code[] = {
        0x48, 0x09, 0xd8, 0x48, 0x09, 0xc8, 0x48, 0x09, 0xd0, 0x48, 0x09, 0xf0, 0x48, 0x09, 0xf8,
        0x48, 0x09, 0xe8, 0x4c, 0x09, 0xc0, 0x4c, 0x09, 0xc8, 0x4c, 0x09, 0xd0, 0x4c, 0x09, 0xd8,
        0x4c, 0x09, 0xe0, 0x4c, 0x09, 0xe8, 0x4c, 0x09, 0xf0, 0x4c, 0x09, 0xf8, 0x40, 0x0f, 0x95,
        0xc7, 0x40, 0x0f, 0xb6, 0xff, 0xb8, 0xe7, 0,    0,    0,    0x0f, 0x05};
    struct image image = new_image();

    (void)state;
    memcpy(image.code, code, sizeof code);
    need_eq(image_status(&image), 0);
}

/* covers: execve ENOENT */
static void missing_elf_interpreter_is_enoent(void **state)
{
    struct image image = new_image();

    (void)state;
    add_interpreter(&image, "/nonexistent/ld.so");
    need_eq(image_error(&image, sizeof image), -ENOENT);
}

/* covers: execve EACCES */
static void elf_interpreter_without_execute_permission_is_eacces(void **state)
{
    struct image image = new_image();

    (void)state;
    make_program("loader", "x", 1);
    need_eq(chmod("loader", 0644), 0);
    add_interpreter(&image, "loader");
    need_eq(image_error(&image, sizeof image), -EACCES);
}

/* covers: execve ELIBBAD */
static void elf_interpreter_that_is_no_elf_file_is_elibbad(void **state)
{
    static const char text[4096] = "not an ELF file";
    struct image image = new_image();

    (void)state;
    make_program("loader", text, sizeof text);
    add_interpreter(&image, "loader");
    need_eq(image_error(&image, sizeof image), -ELIBBAD);
}

/* covers: execve ENOEXEC */
static void interpreter_path_without_its_zero_is_enoexec(void **state)
{
    struct image image = new_image();

    (void)state;
    add_interpreter(&image, "/lib64/ld-linux-x86-64.so.2");
    image.segment[0].p_filesz -= 1;
    need_eq(image_error(&image, sizeof image), -ENOEXEC);
}

/* covers: execve ENOEXEC */
static void wrong_machine_type_or_header_is_enoexec(void **state)
{
    struct image image;

    (void)state;
    image = new_image();
    image.head.e_machine = EM_AARCH64;
    need_eq(image_error(&image, sizeof image), -ENOEXEC);
    image = new_image();
    image.head.e_type = ET_REL;
    need_eq(image_error(&image, sizeof image), -ENOEXEC);
    image = new_image();
    image.head.e_phentsize = 32;
    need_eq(image_error(&image, sizeof image), -ENOEXEC);
    image = new_image();
    image.head.e_phnum = 0;
    need_eq(image_error(&image, sizeof image), -ENOEXEC);
    image = new_image();
    image.head.e_ident[EI_MAG2] = 'X';
    need_eq(image_error(&image, sizeof image), -ENOEXEC);
}

/* covers: execve ENOEXEC */
static void program_headers_beyond_the_file_are_refused(void **state)
{
    struct image image = new_image();

    (void)state;
    image.head.e_phoff = 1 << 20;
    need(image_error(&image, sizeof image) < 0);
    image = new_image();
    need(image_error(&image, sizeof(Elf64_Ehdr)) < 0);
}

/* ---- the auxiliary vector ---- */

static int print_aux(int argc, char **argv)
{
    int fields = atoi(argv[2]);

    need(argc == 3 && fields == 1);
    printf("%s", (char *)getauxval(AT_EXECFN));
    fflush(stdout);
    return 0;
}

static int print_random(int argc, char **argv)
{
    unsigned char *bytes = (unsigned char *)getauxval(AT_RANDOM);

    (void)argc;
    (void)argv;
    need(bytes);
    for (int i = 0; i < 16; i++) {
        printf("%02x", bytes[i]);
    }
    fflush(stdout);
    return 0;
}

static const struct role roles[] = {
    {"@execfn", print_aux}, {"@random", print_random}, {NULL, NULL}};

/* covers: execve */
static void at_execfn_is_the_path_as_given(void **state)
{
    char *argv[] = {"x", "@execfn", "1", NULL};
    struct run run;

    (void)state;
    need_eq(symlink(self_path(), "link"), 0);
    run_program(&run, ".//link", argv, no_env);
    need_eq(run.status, 0);
    assert_string_equal(run.out, ".//link");
}

/* covers: execve */
static void at_random_differs_from_run_to_run(void **state)
{
    char *argv[] = {"x", "@random", NULL};
    struct run one, two;

    (void)state;
    run_program(&one, self_path(), argv, no_env);
    run_program(&two, self_path(), argv, no_env);
    need_eq(one.status, 0);
    need_eq(one.length, 32);
    assert_string_not_equal(one.out, two.out);
}

/* covers: execve */
static void at_phdr_describes_the_running_image(void **state)
{
    const Elf64_Phdr *phdr = (const Elf64_Phdr *)getauxval(AT_PHDR);
    unsigned long count = getauxval(AT_PHNUM), entry = getauxval(AT_ENTRY), bias = 0;
    bool inside = false;

    (void)state;
    need(phdr && count > 2);
    need_eq(getauxval(AT_PHENT), sizeof(Elf64_Phdr));
    for (unsigned long i = 0; i < count; i++) {
        if (phdr[i].p_type == PT_PHDR) {
            bias = (unsigned long)phdr - phdr[i].p_vaddr;
        }
    }
    for (unsigned long i = 0; i < count; i++) {
        unsigned long start = bias + phdr[i].p_vaddr;

        if (phdr[i].p_type == PT_LOAD && (phdr[i].p_flags & PF_X) && entry >= start &&
            entry < start + phdr[i].p_memsz) {
            inside = true;
        }
    }
    need(inside);
}

/* covers: execve */
static void at_base_is_where_the_interpreter_was_loaded(void **state)
{
    const unsigned char *base = (const unsigned char *)getauxval(AT_BASE);

    (void)state;
    if (!base) {
        skip_because("statically linked");
    }
    need_eq(memcmp(base, ELFMAG, SELFMAG), 0);
    need_eq((uintptr_t)base % 4096, 0);
}

/* covers: execve */
static void identities_page_size_and_clock_are_told(void **state)
{
    (void)state;
    need_eq(getauxval(AT_PAGESZ), 4096);
    need_eq(getauxval(AT_CLKTCK), 100);
    need_eq(getauxval(AT_SECURE), 0);
    need_eq(getauxval(AT_UID), getuid());
    need_eq(getauxval(AT_EUID), geteuid());
    need_eq(getauxval(AT_GID), getgid());
    need_eq(getauxval(AT_EGID), getegid());
    need(getauxval(AT_PLATFORM));
    assert_string_equal((char *)getauxval(AT_PLATFORM), "x86_64");
    need(getauxval(AT_HWCAP) != 0);
}

/* covers: execve */
static void at_minsigstksz_holds_a_frame(void **state)
{
    (void)state;
    errno = 0;
    if (getauxval(AT_MINSIGSTKSZ) == 0 && errno == ENOENT) {
        skip_because("AT_MINSIGSTKSZ is not in the running kernel");
    }
    need(getauxval(AT_MINSIGSTKSZ) >= 1024 && getauxval(AT_MINSIGSTKSZ) <= 65536);
}

/* covers: execve */
static void vdso_is_an_elf_image(void **state)
{
    const Elf64_Ehdr *head = (const Elf64_Ehdr *)getauxval(AT_SYSINFO_EHDR);

    (void)state;
    need(head);
    need_eq(memcmp(head->e_ident, ELFMAG, SELFMAG), 0);
    need_eq(head->e_type, ET_DYN);
    need_eq(head->e_machine, EM_X86_64);
    need(head->e_phnum > 0);
}

/* covers: execve */
static void vector_follows_the_environment_and_ends_with_null(void **state)
{
    char **at = environ;
    const Elf64_auxv_t *aux;
    int entries = 0;

    (void)state;
    while (*at) {
        at++;
    }
    for (aux = (const Elf64_auxv_t *)(at + 1); aux->a_type != AT_NULL && entries < 100; aux++) {
        if (aux->a_type == AT_PAGESZ) {
            need_eq(aux->a_un.a_val, 4096);
        }
        entries++;
    }
    need(entries >= 15 && entries < 100);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        tempdir_test(static_image_at_a_fixed_address_runs),
        tempdir_test(static_position_independent_image_runs),
        tempdir_test(memory_beyond_the_file_part_of_a_segment_is_zero),
        tempdir_test(file_part_of_a_segment_is_loaded),
        tempdir_test(read_only_segment_faults_on_a_write),
        tempdir_test(stack_of_the_new_program_is_aligned_and_starts_with_argc),
        tempdir_test(general_registers_start_as_zero),
        tempdir_test(missing_elf_interpreter_is_enoent),
        tempdir_test(elf_interpreter_without_execute_permission_is_eacces),
        tempdir_test(elf_interpreter_that_is_no_elf_file_is_elibbad),
        tempdir_test(interpreter_path_without_its_zero_is_enoexec),
        tempdir_test(wrong_machine_type_or_header_is_enoexec),
        tempdir_test(program_headers_beyond_the_file_are_refused),
        tempdir_test(at_execfn_is_the_path_as_given),
        tempdir_test(at_random_differs_from_run_to_run),
        cmocka_unit_test(at_phdr_describes_the_running_image),
        cmocka_unit_test(at_base_is_where_the_interpreter_was_loaded),
        cmocka_unit_test(identities_page_size_and_clock_are_told),
        cmocka_unit_test(at_minsigstksz_holds_a_frame),
        cmocka_unit_test(vdso_is_an_elf_image),
        cmocka_unit_test(vector_follows_the_environment_and_ends_with_null),
    };
    int result = program_role(roles, argc, argv);

    /* The vector is looked for behind the environment as the kernel left it. */
    return result >= 0 ? result
                       : cmocka_run_group_tests_name("process/execve_image", tests, NULL, NULL);
}
