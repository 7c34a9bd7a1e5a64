/*
 * kernel/debug/symbols.c: names of addresses, from the .symtab of the kernel's own ELF file; see elf(5).
 *
 * The file is read where the target has mapped it. A report is made when something is wrong already, so
 * every offset is checked against the file's size, and nothing is allocated or locked.
 */
#include "debug/symbols.h"

#include "base/fmt.h"
#include "base/string.h"
#include "host/log.h"

#include <linux/elf.h>
#include <myst/boot.h>

struct table {
    const Elf64_Sym *symbols;
    u64 count;
    const char *names;
    u64 names_size; /* the last byte of the names is zero */
};

/* A section's bytes, NULL when they do not lie in the file. */
static const void *section_data(const u8 *file, u64 size, const Elf64_Shdr *section)
{
    if (section->sh_offset > size || section->sh_size > size - section->sh_offset)
        return NULL;
    return file + section->sh_offset;
}

static bool table_of(const u8 *file, u64 size, const Elf64_Shdr *sections, u32 nsections,
                     const Elf64_Shdr *section, struct table *out)
{
    const Elf64_Shdr *strings;

    if (section->sh_link >= nsections || section->sh_entsize != sizeof(Elf64_Sym) ||
        section->sh_offset % _Alignof(Elf64_Sym))
        return false;
    strings = &sections[section->sh_link];
    out->symbols = section_data(file, size, section);
    out->count = section->sh_size / sizeof(Elf64_Sym);
    out->names = section_data(file, size, strings);
    out->names_size = strings->sh_size;
    return out->symbols && out->names && out->names_size && !out->names[out->names_size - 1];
}

static bool table_find(struct table *out)
{
    size_t size;
    const u8 *file = host_symbols(&size);
    const Elf64_Ehdr *header = (const void *)file;

    if (!file || size < sizeof *header || memcmp(header->e_ident, ELFMAG, SELFMAG) ||
        header->e_shentsize != sizeof(Elf64_Shdr) || header->e_shoff % _Alignof(Elf64_Shdr) ||
        header->e_shoff > size || header->e_shnum > (size - header->e_shoff) / sizeof(Elf64_Shdr))
        return false;

    const Elf64_Shdr *sections = (const void *)(file + header->e_shoff);

    for (u32 i = 0; i < header->e_shnum; i++) {
        if (sections[i].sh_type == SHT_SYMTAB)
            return table_of(file, size, sections, header->e_shnum, &sections[i], out);
    }
    return false;
}

/* The sized symbol around an address, or a label of the assembly right before it. */
static const Elf64_Sym *symbol_find(const struct table *table, u64 address)
{
    const Elf64_Sym *best = NULL;

    for (u64 i = 0; i < table->count; i++) {
        const Elf64_Sym *symbol = &table->symbols[i];
        u32 type = ELF64_ST_TYPE(symbol->st_info);

        if ((type != STT_FUNC && type != STT_OBJECT && type != STT_NOTYPE) ||
            symbol->st_shndx == SHN_UNDEF || symbol->st_shndx >= SHN_LORESERVE ||
            symbol->st_name >= table->names_size || symbol->st_value > address ||
            (symbol->st_size && address - symbol->st_value >= symbol->st_size))
            continue;
        if (!best || symbol->st_value > best->st_value ||
            (symbol->st_value == best->st_value && symbol->st_size > best->st_size))
            best = symbol;
    }
    return best && table->names[best->st_name] ? best : NULL;
}

const char *symbol_text(u64 address, char text[SYMBOL_TEXT])
{
    const Elf64_Sym *symbol = NULL;
    struct table table;

    if (address >= MYST_TEXT_BASE && address < MYST_HOST_BASE && table_find(&table))
        symbol = symbol_find(&table, address);
    if (!symbol)
        snprintf(text, SYMBOL_TEXT, "%#llx", (unsigned long long)address);
    else if (symbol->st_value == address)
        snprintf(text, SYMBOL_TEXT, "%.60s", table.names + symbol->st_name);
    else
        snprintf(text, SYMBOL_TEXT, "%.60s+%#llx", table.names + symbol->st_name,
                 (unsigned long long)(address - symbol->st_value));
    return text;
}
