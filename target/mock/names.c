/* target/mock/names.c: descriptors of the host, and the names that its calls take. */
#include "node.h"

#include <string.h>

struct open *file_at(int file)
{
    return file >= 0 && file < FILES_MAX && files.open[file].node ? &files.open[file] : NULL;
}

int file_dir(int dir, struct node **out)
{
    const struct open *open = file_at(dir);

    if (!open)
        return -EBADF;
    if (!S_ISDIR(open->node->stat.mode))
        return -ENOTDIR;
    *out = open->node;
    return 0;
}

int file_name_check(const char *name)
{
    sent_show(name, strlen(name));
    if (strlen(name) > NAME_LIMIT)
        return -ENAMETOOLONG;
    return strchr(name, '/') ? -EACCES : 0; /* the hosted target's RESOLVE_BENEATH and kin */
}

/* The file that a name stands for; "" is the descriptor's own. */
int file_find(int dir, const char *name, struct node **out)
{
    struct node *parent;
    struct entry *entry;
    int err;

    if (!*name) {
        *out = file_at(dir) ? file_at(dir)->node : NULL;
        return *out ? 0 : -EBADF;
    }
    err = file_dir(dir, &parent);
    if (!err)
        err = file_name_check(name);
    if (err)
        return err;
    entry = *dir_find(parent, name);
    if (!entry)
        return -ENOENT;
    *out = entry->node;
    return 0;
}

/* A name that does not exist yet. */
int file_find_free(int dir, const char *name, struct node **parent)
{
    int err = file_dir(dir, parent);

    if (!err)
        err = file_name_check(name);
    if (err)
        return err;
    if (!*name || (*parent)->removed)
        return -ENOENT;
    return *dir_find(*parent, name) ? -EEXIST : 0;
}

int file_create(int dir, const char *name, uint32_t mode, struct node **out)
{
    struct node *parent;
    int err = file_find_free(dir, name, &parent);

    if (err)
        return err;
    *out = node_new(mode);
    dir_add(parent, name, *out);
    (*out)->refs--;
    return 0;
}
