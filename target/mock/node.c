/* target/mock/node.c: see node.h; and the tree as a test makes it. */
#include "node.h"

#include <stdlib.h>
#include <string.h>

struct files files = {.lock = PTHREAD_MUTEX_INITIALIZER};

static int64_t time_now(void)
{
    return sched_now() + MOCK_EPOCH;
}

void node_touch(struct node *node)
{
    node->stat.mtime = node->stat.ctime = time_now();
}

struct node *node_new(uint32_t mode)
{
    struct node *node = calloc(1, sizeof(*node));

    if (!node)
        abort();
    node->refs = 1;
    node->stat = (struct target_stat){
        .ino = ++files.next_ino,
        .dev = 8ULL << 32 | 1,
        .mode = mode,
        .blksize = PAGE,
        .nlink = S_ISDIR(mode) ? 2 : 0,
    };
    node_touch(node);
    node->stat.atime = node->stat.btime = node->stat.mtime;
    return node;
}

void node_put_locked(struct node *node)
{
    if (--node->refs)
        return;
    while (node->entries)
        dir_remove(node, &node->entries);
    for (size_t i = 0; i < node->count; i++)
        free(node->blocks[i].bytes);
    free(node->blocks);
    free(node->text);
    free(node);
}

struct node *node_get(struct node *node)
{
    pthread_mutex_lock(&files.lock);
    node->refs++;
    pthread_mutex_unlock(&files.lock);
    return node;
}

void node_put(struct node *node)
{
    pthread_mutex_lock(&files.lock);
    node_put_locked(node);
    pthread_mutex_unlock(&files.lock);
}

/* --- contents ------------------------------------------------------------------------------------------ */

/* The first block at or behind the index. */
static size_t block_from(const struct node *node, uint64_t index)
{
    size_t low = 0, high = node->count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (node->blocks[middle].index >= index)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

char *node_block(struct node *node, uint64_t index, bool make)
{
    size_t i = block_from(node, index);

    if (i < node->count && node->blocks[i].index == index)
        return node->blocks[i].bytes;
    if (!make)
        return NULL;
    if (node->count == node->room) {
        node->room = node->room ? 2 * node->room : 4;
        node->blocks = realloc(node->blocks, node->room * sizeof(*node->blocks));
    }
    char *bytes = calloc(1, PAGE);
    if (!node->blocks || !bytes)
        abort();
    memmove(&node->blocks[i + 1], &node->blocks[i], (node->count - i) * sizeof(*node->blocks));
    node->blocks[i] = (struct block){index, bytes};
    node->count++;
    node->stat.blocks = node->count * (PAGE / 512);
    return bytes;
}

/* Blocks that lie wholly in [from, to), by index. */
static void blocks_drop(struct node *node, uint64_t from, uint64_t to)
{
    size_t first = block_from(node, from), last = block_from(node, to);

    for (size_t i = first; i < last; i++)
        free(node->blocks[i].bytes);
    if (first < last)
        memmove(&node->blocks[first], &node->blocks[last],
                (node->count - last) * sizeof(*node->blocks));
    node->count -= last - first;
    node->stat.blocks = node->count * (PAGE / 512);
}

static void block_clear(struct node *node, uint64_t offset, uint64_t len)
{
    char *bytes = len ? node_block(node, offset / PAGE, false) : NULL;

    if (bytes)
        memset(bytes + offset % PAGE, 0, len);
}

void node_punch(struct node *node, uint64_t offset, uint64_t len)
{
    uint64_t end = offset + len < offset ? UINT64_MAX - PAGE : offset + len;
    uint64_t first = (offset + PAGE - 1) / PAGE, last = end / PAGE;

    if (first > last) { /* inside one block */
        block_clear(node, offset, end - offset);
        return;
    }
    block_clear(node, offset, first * PAGE - offset);
    block_clear(node, last * PAGE, end - last * PAGE);
    if (first < last)
        blocks_drop(node, first, last);
}

void node_set_size(struct node *node, uint64_t size)
{
    if (size < node->stat.size)
        node_punch(node, size, UINT64_MAX - PAGE - size);
    node->stat.size = size;
    node_touch(node);
}

uint64_t node_write(struct node *node, const char *from, uint64_t n, uint64_t offset)
{
    for (uint64_t done = 0; done < n;) {
        uint64_t at = offset + done, piece = PAGE - at % PAGE;

        piece = piece < n - done ? piece : n - done;
        memcpy(node_block(node, at / PAGE, true) + at % PAGE, from + done, piece);
        done += piece;
    }
    if (n && offset + n > node->stat.size)
        node->stat.size = offset + n;
    node_touch(node);
    return n;
}

bool node_page(struct node *node, uint64_t offset, void *to)
{
    const char *bytes;
    bool inside;

    pthread_mutex_lock(&files.lock);
    inside = offset < node->stat.size;
    bytes = inside ? node_block(node, offset / PAGE, false) : NULL;
    if (bytes)
        memcpy(to, bytes, PAGE);
    pthread_mutex_unlock(&files.lock);
    return inside;
}

/* --- directories ------------------------------------------------------------------------------------------ */

struct entry **dir_find(struct node *dir, const char *name)
{
    struct entry **at = &dir->entries;

    while (*at && strcmp((*at)->name, name))
        at = &(*at)->next;
    return at;
}

void dir_add(struct node *dir, const char *name, struct node *node)
{
    struct entry **at = &dir->entries, *entry = calloc(1, sizeof(*entry));

    if (!entry)
        abort();
    while (*at)
        at = &(*at)->next;
    strncpy(entry->name, name, sizeof(entry->name) - 1);
    entry->cookie = ++files.next_cookie;
    entry->node = node;
    node->refs++;
    if (S_ISDIR(node->stat.mode)) {
        node->parent = dir;
        dir->stat.nlink++;
    } else {
        node->stat.nlink++;
    }
    *at = entry;
    dir->stat.size += PAGE;
    node_touch(dir);
}

void dir_remove(struct node *dir, struct entry **at)
{
    struct entry *entry = *at;
    struct node *node = entry->node;

    *at = entry->next;
    if (S_ISDIR(node->stat.mode)) {
        node->parent = NULL;
        node->removed = true;
        dir->stat.nlink--;
    } else {
        node->stat.nlink--;
    }
    node->stat.ctime = time_now();
    dir->stat.size -= PAGE;
    node_touch(dir);
    node_put_locked(node);
    free(entry);
}

/* --- the tree as a test makes it ----------------------------------------------------------------------------- */

static struct node *dir_step(struct node *dir, const char *name)
{
    struct entry *entry = *dir_find(dir, name);
    struct node *node;

    if (entry)
        return entry->node;
    node = node_new(S_IFDIR | 0755);
    dir_add(dir, name, node);
    node->refs--; /* the name has it */
    return node;
}

/* The directory of the last component, made when missing. */
static struct node *make_path(const char *path, const char **last)
{
    struct node *dir = files.root;
    char name[256];

    for (;;) {
        size_t len;

        path += strspn(path, "/");
        len = strcspn(path, "/");
        if (!path[len]) {
            *last = path;
            return dir;
        }
        if (len >= sizeof(name))
            abort();
        memcpy(name, path, len);
        name[len] = 0;
        dir = dir_step(dir, name);
        path += len;
    }
}

static struct node *put_node(const char *path, uint32_t mode)
{
    struct node *node, *dir;
    struct entry **at;
    const char *name;

    dir = make_path(path, &name);
    at = dir_find(dir, name);
    if (*at)
        dir_remove(dir, at);
    node = node_new(mode);
    dir_add(dir, name, node);
    node->refs--;
    return node;
}

void mock_host_dir(const char *path, unsigned int mode)
{
    struct node *dir;
    const char *name;

    pthread_mutex_lock(&files.lock);
    dir = make_path(path, &name);
    dir = *name ? dir_step(dir, name) : dir;
    dir->stat.mode = S_IFDIR | (mode & 07777);
    pthread_mutex_unlock(&files.lock);
}

void mock_host_file(const char *path, unsigned int mode, const void *data, size_t size)
{
    pthread_mutex_lock(&files.lock);
    node_write(put_node(path, S_IFREG | (mode & 07777)), data, size, 0);
    pthread_mutex_unlock(&files.lock);
}

void mock_host_link(const char *path, const char *text)
{
    struct node *node;

    pthread_mutex_lock(&files.lock);
    node = put_node(path, S_IFLNK | 0777);
    node->text = strdup(text);
    node->stat.size = strlen(text);
    pthread_mutex_unlock(&files.lock);
}

/* --- lifetimes ------------------------------------------------------------------------------------------------ */

int file_open_node(struct node *node, int flags)
{
    for (int file = 3; file < FILES_MAX; file++) {
        if (!files.open[file].node) {
            files.open[file] = (struct open){node, flags};
            node->refs++;
            return file;
        }
    }
    return -EMFILE;
}

int files_open_path(const char *path)
{
    struct node *dir;
    const char *name;
    int file;

    pthread_mutex_lock(&files.lock);
    dir = make_path(path, &name);
    dir = *name ? dir_step(dir, name) : dir;
    file = file_open_node(dir, S_ISREG(dir->stat.mode) ? TARGET_OPEN_READ /* an archive */
                                                       : TARGET_OPEN_PATH | TARGET_OPEN_DIRECTORY);
    pthread_mutex_unlock(&files.lock);
    return file;
}

bool file_is_open(int file)
{
    bool open;

    pthread_mutex_lock(&files.lock);
    open = file >= 0 && file < FILES_MAX && files.open[file].node;
    pthread_mutex_unlock(&files.lock);
    return open;
}

uint64_t files_open_count(void)
{
    uint64_t n = 0;

    pthread_mutex_lock(&files.lock);
    for (int file = 0; file < FILES_MAX; file++)
        n += files.open[file].node != NULL;
    pthread_mutex_unlock(&files.lock);
    return n;
}

void files_reset(void)
{
    pthread_mutex_lock(&files.lock);
    for (int file = 0; file < FILES_MAX; file++) {
        if (files.open[file].node)
            node_put_locked(files.open[file].node);
        files.open[file].node = NULL;
    }
    if (files.root)
        node_put_locked(files.root);
    files.next_ino = 1000;
    files.next_cookie = 2; /* "." and ".." */
    files.root = node_new(S_IFDIR | 0755);
    pthread_mutex_unlock(&files.lock);
}
