/* Memory for large results. What an array leaves when it dies stays with us, and the next arrays get it: fresh pages
 * from the system cost more than the arithmetic on them, for it fills each with zeros when it is first touched.
 *
 * There is one range of addresses, as many as the machine has bytes; addresses are no memory until they are written
 * to. It is cut into blocks: arrays, and gaps, never two gaps side by side. A new array gets the lowest gap that
 * holds it. So what is in use crowds at the low end, the range is written little farther up than arrays ever needed
 * at once (LeNet: a third more, ResNet-20 and GPT: nothing), and from its second step on a training touches no new
 * page.
 *
 * A block belongs to one array from cache_take to cache_give, which NumPy calls when the last reference dies (NEP
 * 49): what somebody holds is never written over. A gap that stayed as it was for a period, and what lies above all
 * arrays of two, goes back to the system; cache_empty gives back all gaps at once. A period is longer than a step of
 * training, which takes a few times as many blocks as it holds at once: what its forward needs, it needs again. */
#ifndef NUMNET_CACHE_H
#define NUMNET_CACHE_H

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#define NUMNET_SMALL ((size_t)1 << 16) /* below it memory comes from malloc, which keeps it too */
#define NUMNET_HEADER ((size_t)64)     /* bytes before the data: a cache line */
#define NUMNET_PERIOD ((uint64_t)1024) /* blocks taken, at least; */
#define NUMNET_TURNOVER ((uint64_t)4)  /* else so many times as many as were in use at once */

typedef struct block {
    size_t room;           /* bytes, with this header: whole pages */
    struct block *below;   /* gap or array; NULL for the lowest */
    struct block *next;    /* of a gap: the next gap upwards */
    uint64_t since;        /* of a gap: how many blocks had been taken when it last grew */
    char is_gap, is_empty; /* empty: its pages are the system's, but for the header's */
} block;

static struct {
    pthread_mutex_t lock;
    block *gaps;                    /* upwards */
    char *start, *end, *written;    /* the range; nothing from `written` on is in memory */
    char *reached, *reached_before; /* how far up arrays were in this period, and in the one before */
    size_t page, live;              /* bytes: of a page, of all arrays */
    uint64_t taken, began;          /* blocks, so far; when this period began */
    uint64_t count, most, most_before; /* arrays: now, at once in this period, in the one before */
} cache = {.lock = PTHREAD_MUTEX_INITIALIZER};

static char *cache_above(const block *b) { return (char *)b + b->room; }

/* Whatever lies above `b` learns who is below it. */
static void cache_tell(block *b) {
    if (cache_above(b) < cache.end) ((block *)cache_above(b))->below = b;
}

/* How much of a gap may be in memory, its header's page left out. */
static size_t cache_spare(const block *gap) {
    const char *from = (const char *)gap + cache.page, *above = cache_above(gap);
    const char *to = above < cache.written ? above : cache.written;
    return gap->is_empty || to <= from ? 0 : (size_t)(to - from);
}

static void cache_drop(block *gap) {
    size_t spare = cache_spare(gap);
    if (spare) madvise((char *)gap + cache.page, spare, MADV_DONTNEED);
    if (cache_above(gap) < cache.end) gap->is_empty = 1;
    else if (spare) cache.written = (char *)gap + cache.page;
}

/* At the end of a period: gaps that were there all through it go, and what lies above all arrays of two periods. */
static void cache_tidy(void) {
    char *top = (cache.reached > cache.reached_before ? cache.reached : cache.reached_before) + cache.page;
    if (top < cache.written) {
        madvise(top, (size_t)(cache.written - top), MADV_DONTNEED);
        cache.written = top;
    }
    cache.reached_before = cache.reached, cache.reached = cache.end;
    for (block *b = cache.gaps; b; b = b->next) {
        if (cache_above(b) == cache.end) cache.reached = (char *)b;
        else if (b->since <= cache.began) cache_drop(b);
    }
    cache.began = cache.taken, cache.most_before = cache.most, cache.most = cache.count;
}

static uint64_t cache_period(void) {
    uint64_t period = NUMNET_TURNOVER * (cache.most > cache.most_before ? cache.most : cache.most_before);
    return period > NUMNET_PERIOD ? period : NUMNET_PERIOD;
}

/* Does the system count addresses as if they were memory (ulimit -v or -d, vm.overcommit_memory = 2)? The range would
 * leave none to others. */
static int cache_addresses_count(void) {
    struct rlimit limit;
    if (!getrlimit(RLIMIT_AS, &limit) && limit.rlim_cur != RLIM_INFINITY) return 1;
    if (!getrlimit(RLIMIT_DATA, &limit) && limit.rlim_cur != RLIM_INFINITY) return 1;
    FILE *file = fopen("/proc/sys/vm/overcommit_memory", "r");
    int mode = file ? fgetc(file) : '0';
    if (file) fclose(file);
    return mode == '2';
}

/* Reserve the range, when the first block is taken. */
static int cache_begin(void) {
    if (cache_addresses_count()) return 0;
    cache.page = (size_t)sysconf(_SC_PAGESIZE);
    size_t all = (size_t)sysconf(_SC_PHYS_PAGES) * cache.page;
    block *b = mmap(NULL, all, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (b == MAP_FAILED) return 0;
    *b = (block){.room = all, .is_gap = 1};
    cache.gaps = b, cache.start = (char *)b, cache.end = cache.start + all;
    cache.written = cache.reached = cache.reached_before = cache.start;
    return 1;
}

/* Memory for so many bytes, aligned to a cache line; NULL if no gap holds it. */
static void *cache_take(size_t bytes) {
    if (bytes > SIZE_MAX / 2) return NULL;
    pthread_mutex_lock(&cache.lock);
    block *b = NULL, **at = &cache.gaps;
    if (cache.start || cache_begin()) {
        size_t room = (bytes + NUMNET_HEADER + cache.page - 1) / cache.page * cache.page;
        while (*at && (*at)->room < room) at = &(*at)->next;
        if ((b = *at)) {
            if (b->room - room >= NUMNET_SMALL) {
                block *rest = (block *)((char *)b + room);
                *rest = *b, rest->room = b->room - room, rest->below = b;
                b->room = room, *at = rest;
                cache_tell(rest);
            } else {
                *at = b->next;
            }
            b->is_gap = 0, cache.live += b->room;
            char *above = cache_above(b), *page = above < cache.end ? above + cache.page : above;
            if (above > cache.reached) cache.reached = above;
            if (page > cache.written) cache.written = page;
            if (++cache.count > cache.most) cache.most = cache.count;
            if (++cache.taken - cache.began >= cache_period()) cache_tidy();
        }
    }
    pthread_mutex_unlock(&cache.lock);
    return b ? (char *)b + NUMNET_HEADER : NULL;
}

/* `b` and the gap above it become one block. */
static void cache_join(block *b, const block *gap) {
    b->room += gap->room, b->next = gap->next;
    cache_tell(b);
}

static void cache_give(void *data) {
    if (!data) return;
    block *b = (block *)((char *)data - NUMNET_HEADER), **at = &cache.gaps;
    pthread_mutex_lock(&cache.lock);
    cache.live -= b->room, cache.count--;
    while (*at && *at < b) at = &(*at)->next;
    b->next = *at, *at = b, b->is_gap = 1;
    if (b->next && (char *)b->next == cache_above(b)) cache_join(b, b->next);
    if (b->below && b->below->is_gap) cache_join(b->below, b), b = b->below;
    b->since = cache.taken, b->is_empty = 0;
    pthread_mutex_unlock(&cache.lock);
}

static void cache_drop_all(void) {
    for (block *b = cache.gaps; b; b = b->next) cache_drop(b);
}

static void cache_empty(void) {
    pthread_mutex_lock(&cache.lock);
    cache_drop_all();
    cache.began = cache.taken, cache.most = cache.most_before = cache.count;
    pthread_mutex_unlock(&cache.lock);
}

/* Bytes in gaps that may be in memory. */
static size_t cache_kept(void) {
    size_t kept = 0;
    pthread_mutex_lock(&cache.lock);
    for (const block *b = cache.gaps; b; b = b->next) kept += cache_spare(b);
    pthread_mutex_unlock(&cache.lock);
    return kept;
}

static void *cache_resize(void *data, size_t bytes) {
    if (!data) return cache_take(bytes);
    size_t room = ((block *)((char *)data - NUMNET_HEADER))->room - NUMNET_HEADER;
    if (bytes <= room && bytes >= room / 2) return data;
    void *moved = cache_take(bytes);
    if (!moved) return NULL;
    memcpy(moved, data, bytes < room ? bytes : room);
    cache_give(data);
    return moved;
}

/* A forked child has no thread that would open a closed lock, and would copy each kept page when it writes there. */
static void cache_before_fork(void) { pthread_mutex_lock(&cache.lock); }
static void cache_in_parent(void) { pthread_mutex_unlock(&cache.lock); }
static void cache_in_child(void) {
    cache_drop_all();
    pthread_mutex_unlock(&cache.lock);
}

/* The same in NumPy's words. The size that it gives back with a block is not read: it is the array's of today. */
static void *cache_malloc(void *context, size_t bytes) { return (void)context, cache_take(bytes); }
static void *cache_calloc(void *context, size_t count, size_t each) {
    void *data = each && count > SIZE_MAX / each ? NULL : cache_take(count * each);
    return (void)context, data ? memset(data, 0, count * each) : NULL;
}
static void *cache_realloc(void *context, void *data, size_t bytes) { return (void)context, cache_resize(data, bytes); }
static void cache_free(void *context, void *data, size_t bytes) { (void)context, (void)bytes, cache_give(data); }

static PyDataMem_Handler cache_handler = {
    "numnet", 1, {NULL, cache_malloc, cache_calloc, cache_realloc, cache_free}};

/* AddressSanitizer must see where each array begins and ends. */
#ifdef __SANITIZE_ADDRESS__
#define CACHE_BUILT 0
#else
#define CACHE_BUILT 1
#endif

#endif
