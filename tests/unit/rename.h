/*
 * tests/unit/rename.h: moves the kernel's C library names out of libc's way, so that a test program
 * can hold both.
 *
 * The kernel's sources are compiled with `-include tests/unit/rename.h`. A test includes libc's
 * headers first, then this, then the kernel's headers: from there on memcpy is the kernel's. What
 * it needs of libc's functions of these names it keeps in pointers from before.
 */
#ifndef UNIT_RENAME_H
#define UNIT_RENAME_H

/* Under _FORTIFY_SOURCE and some optimisation levels libc's headers make macros of these. */
#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#undef memchr
#undef strlen
#undef strnlen
#undef strcmp
#undef strncmp
#undef strchr
#undef strrchr
#undef strstr
#undef snprintf
#undef vsnprintf

#define memcpy     k_memcpy
#define memmove    k_memmove
#define memset     k_memset
#define memcmp     k_memcmp
#define memchr     k_memchr
#define strlen     k_strlen
#define strnlen    k_strnlen
#define strcmp     k_strcmp
#define strncmp    k_strncmp
#define strchr     k_strchr
#define strrchr    k_strrchr
#define strstr     k_strstr
#define strlcpy    k_strlcpy
#define strlcat    k_strlcat
#define snprintf   k_snprintf
#define vsnprintf  k_vsnprintf
#define scnprintf  k_scnprintf
#define vscnprintf k_vscnprintf

#endif
