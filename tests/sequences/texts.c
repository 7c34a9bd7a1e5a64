/* tests/sequences/texts.c: call sites in the text of a file of the host, which the kernel rewrites after some traps. */
#include "sequence.h"

#include <elf.h>

#define PAGE      4096UL
#define SITE_SIZE 16 /* mov $nr,%eax; syscall; ret; and nops, where a jump fits */
#define SITES     4
#define TRAPS     100 /* more than it takes until an image is shown */

static void make_text(void)
{
    static const uint8_t site[SITE_SIZE] = {
        0xb8, __NR_getpid, 0, 0, 0, 0x0f, 0x05, 0xc3, [8 ... 15] = 0x90,
    };
    uint8_t bytes[2 * PAGE] = {0};
    Elf64_Phdr segment = {.p_type = PT_LOAD,
                          .p_flags = PF_R | PF_X,
                          .p_offset = PAGE,
                          .p_vaddr = PAGE,
                          .p_filesz = SITES * SITE_SIZE,
                          .p_memsz = SITES * SITE_SIZE};
    Elf64_Ehdr header = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64},
                         .e_phoff = sizeof(header),
                         .e_phentsize = sizeof(segment),
                         .e_phnum = 1};

    memcpy(bytes, &header, sizeof(header));
    memcpy(bytes + sizeof(header), &segment, sizeof(segment));
    for (size_t i = 0; i < SITES; i++)
        memcpy(bytes + PAGE + i * SITE_SIZE, site, sizeof(site));
    mock_host_file("/text", 0755, bytes, sizeof(bytes));
}

static mock_user map_text(long fd)
{
    return (mock_user)must(
        mock_call(__NR_mmap, 0, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, PAGE));
}

static int trap_often(void *arg)
{
    long fd = must(mock_call(__NR_open, mock_string("/text"), O_RDONLY, 0)), pid;
    mock_user text = map_text(fd), again;

    pid = must(mock_call(__NR_getpid));
    for (size_t i = 0; i < TRAPS; i++)
        expect_equal(mock_trap(text + i % SITES * SITE_SIZE + 5, __NR_getpid), pid);
    again = map_text(fd);
    /* a jump from the start, unless there was no memory to know the file by */
    expect(mock_get(uint8_t, again + 5) == 0xeb || getenv("SEQUENCE_MEMORY"));
    expect_equal(mock_call(__NR_mprotect, again, PAGE, PROT_READ | PROT_WRITE), 0);
    expect_equal(mock_get(uint8_t, again + 5), 0x0f); /* who may write sees what the file has */
    expect_equal(mock_call(__NR_munmap, again, PAGE), 0);
    expect_equal(mock_call(__NR_munmap, text, PAGE), 0);
    must(mock_call(__NR_close, fd));
    return 0;
}

static void sites_that_trap_are_rewritten(void **state)
{
    sequence_with(trap_often, (struct mock_options){.setup = make_text});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sites_that_trap_are_rewritten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
