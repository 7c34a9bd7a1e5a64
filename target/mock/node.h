/* target/mock/node.h: what the host's files are made of; node.c keeps them, file.c answers the calls. */
#ifndef MOCK_NODE_H
#define MOCK_NODE_H

#include "internal.h"

#include <pthread.h>
#include <sys/stat.h>

struct block { /* a page of a file that is no hole */
    uint64_t index;
    char *bytes;
};

struct entry {
    struct entry *next;
    struct node *node; /* counted */
    int64_t cookie;    /* d_off of its record: grows along the list */
    char name[256];
};

/* Everything is under files.lock. */
struct node {
    uint32_t refs; /* links, descriptors, mappings */
    struct target_stat stat;
    struct block *blocks; /* S_IFREG: in order */
    size_t count, room;
    struct entry *entries; /* S_IFDIR: in order of cookies */
    struct node *parent;   /* S_IFDIR: not counted; NULL: the root, or removed */
    char *text;            /* S_IFLNK */
    bool removed;          /* S_IFDIR */
};

struct open {
    struct node *node; /* NULL: closed */
    int flags;         /* TARGET_OPEN_ */
};

#define FILES_MAX  1024
#define NAME_LIMIT 255

struct files {
    pthread_mutex_t lock;
    struct node *root;
    struct open open[FILES_MAX];
    uint64_t next_ino;
    int64_t next_cookie;
};
extern struct files files;

static inline void files_lock(void)
{
    pthread_mutex_lock(&files.lock);
}

static inline void files_unlock(void)
{
    pthread_mutex_unlock(&files.lock);
}

struct node *node_new(uint32_t mode);
void node_put_locked(struct node *node);
/* The page's place, made when there is none and `make` says so. */
char *node_block(struct node *node, uint64_t index, bool make);
void node_set_size(struct node *node, uint64_t size);
/* Makes whole blocks in the range holes, and clears the rest of it. */
void node_punch(struct node *node, uint64_t offset, uint64_t len);
void node_touch(struct node *node); /* mtime and ctime */
uint64_t node_write(struct node *node, const char *from, uint64_t n, uint64_t offset);

/* A descriptor, or -EMFILE. */
int file_open_node(struct node *node, int flags);

struct entry **dir_find(struct node *dir, const char *name);
void dir_add(struct node *dir, const char *name, struct node *node);
void dir_remove(struct node *dir, struct entry **at);

/* ---- names.c: what descriptors and names stand for; 0 or a negative errno */

struct open *file_at(int file); /* NULL: closed */
int file_dir(int dir, struct node **out);
int file_name_check(const char *name);
/* The file of a name; "" is the descriptor's own. */
int file_find(int dir, const char *name, struct node **out);
/* The directory of a name that does not exist yet; a file of that name. */
int file_find_free(int dir, const char *name, struct node **parent);
int file_create(int dir, const char *name, uint32_t mode, struct node **out);

#endif
