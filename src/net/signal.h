/*
 * A signal: the numbers of `units` x `batch` in panels (see kernels.h) times 2^exponent, and the
 * operations on whole signals that the layers are made of. A signal is made block by block, on any
 * thread; while a block is still in the cache its size is taken, and whoever rides on the signal
 * sees it. Sums are merged block by block in one order, so that the number of threads changes no
 * bit.
 */
#ifndef GS_NET_SIGNAL_H
#define GS_NET_SIGNAL_H

#include "base/memory.h"
#include "base/pool.h"
#include "kernels/kernels.h"
#include "net/magnitude.h"

/* What every operation needs: the kernels of the element type, and the threads; and where what is
   made while a network is built takes its memory, as long as there is room. */
typedef struct {
    const gs_kernels *kernels;
    gs_pool *pool;
    gs_arena *arena;               /* or NULL */
    struct gs_weight_cache *cache; /* or NULL */
} gs_engine;

/* Zeroed memory for a signal or a matrix; *is_borrowed says that it is the arena's to give
   back. */
void *gs_engine_alloc(const gs_engine *engine, size_t bytes, bool *is_borrowed, gs_error *error);

/* The exponent of a signal that is all zero: below any other, so that aligning with it loses
 * nothing. */
#define GS_EXPONENT_OF_ZERO (-((int64_t)1 << 40))

/* Rows in a block: 8 KiB of one panel, so that what is read again is in the first-level cache. */
enum { GS_BLOCK_ROWS = 64, GS_BLOCK_TILES = GS_BLOCK_ROWS / GS_TILE };

typedef struct gs_rider gs_rider;

typedef struct {
    double squares, max_abs; /* sum of squares, and the largest; of mantissas */
} gs_size;

typedef struct {
    void *data;
    size_t units, batch;
    size_t rows; /* rows in a panel: units rounded up to whole tiles */
    size_t panels;
    int64_t exponent;
    gs_size *sizes;   /* one a block, taken when it was made */
    gs_rider *riders; /* told of each block when it has been made */
    bool is_borrowed; /* the memory is an arena's or another signal's */
} gs_signal;

/* Zeroed memory for a signal. Errors: GS_ERR_MEMORY. */
gs_status gs_signal_new(const gs_engine *engine, size_t units, size_t batch, gs_signal *signal,
                        gs_error *error);
void gs_signal_free(gs_signal *signal);

/* Another signal in the same memory: what is written to one is lost to the other. */
gs_signal gs_signal_borrow(const gs_signal *owner);

/* Bytes that gs_signal_new would take, for estimates; false on overflow. */
bool gs_signal_bytes(const gs_kernels *kernels, size_t units, size_t batch, size_t *bytes);

/* One element, for the `set` and `get` of the kernels. */
void *gs_signal_element(const gs_kernels *kernels, const gs_signal *signal, size_t unit,
                        size_t example);

/* Row-major [batch, units] in and out. Values read are true: 0 or inf where they do not fit. */
void gs_signal_write(const gs_engine *engine, const double *values, gs_signal *signal);
void gs_signal_read(const gs_engine *engine, const gs_signal *signal, double *values);

void gs_signal_zero(const gs_engine *engine, gs_signal *signal);
void gs_signal_copy(const gs_engine *engine, const gs_signal *from, gs_signal *to);

/* Take the sizes of all blocks, after elements were set one by one. */
void gs_signal_measure(const gs_engine *engine, gs_signal *signal);

/* Take the exponent out of a factor that is far from 1; returns it, 0 for other factors. */
int64_t gs_split_factor(double *factor);

/* out = x 2^shift, `count` elements; out may be x. */
void gs_shift(const gs_kernels *kernels, int64_t shift, size_t count, const void *x, void *out);

/* The same values with another exponent: exact, but for what under- or overflows. out may be x. No
   rider is told. */
void gs_signal_set_exponent(const gs_engine *engine, const gs_signal *x, int64_t exponent,
                            gs_signal *out);

/* out = factor x; out may be x. */
void gs_signal_scale(const gs_engine *engine, double factor, const gs_signal *x, gs_signal *out);

/* out = a x + b y, exponents aligned; out may be x or y. */
void gs_signal_combine(const gs_engine *engine, double a, const gs_signal *x, double b,
                       const gs_signal *y, gs_signal *out);

/* The transpose [batch, units], batch rounded up to whole panels, as the right operand of D A^T.
   `out` comes from gs_signal_new(engine, batch in whole panels, units). */
void gs_signal_transpose(const gs_engine *engine, const gs_signal *signal, gs_signal *out);

/* Give `signal` another number of units, within the memory that it has. Contents become undefined,
   but padding is zero. */
void gs_signal_reshape(const gs_engine *engine, gs_signal *signal, size_t units);

/* sum of x y, times 2^(both exponents). */
double gs_signal_dot(const gs_engine *engine, const gs_signal *x, const gs_signal *y);

/* Frobenius norm over units and batch, and the largest absolute mantissa (may be NULL), from the
   sizes of blocks. */
gs_magnitude gs_signal_magnitude(const gs_signal *signal, double *max_abs);

/* Rescale by an exact power of two if the largest entry has drifted far from 1. Returns false if
   some entry is not finite (nothing is changed then). */
bool gs_signal_normalise(const gs_engine *engine, gs_signal *signal);

/* ---- Blocks: at most GS_BLOCK_ROWS rows of one panel ---- */

typedef struct {
    size_t index;     /* among the blocks of the signal, panel by panel */
    size_t row, rows; /* units [row, row + rows) */
    size_t example;   /* the first example of this panel */
    size_t lanes;     /* valid lanes of this panel */
    size_t cells;     /* rows * lanes of a whole panel */
    size_t offset;    /* of the first cell, in bytes */
} gs_block;

size_t gs_signal_blocks(const gs_signal *signal);

/* As many as it would have with so many units. */
size_t gs_signal_blocks_of(const gs_signal *signal, size_t units);

/* Run `task` on every block, in any order and on any thread. */
typedef void (*gs_block_task)(void *context, gs_block block);
void gs_signal_for_blocks(const gs_engine *engine, const gs_signal *signal, gs_block_task task,
                          void *context);

/* The same where the task makes the block of `signal`. */
void gs_signal_make(const gs_engine *engine, gs_signal *signal, gs_block_task task, void *context);

/* What happens when a block has been made: lanes past the batch become zero, its size is taken, and
   the riders of the signal run. */
void gs_signal_finish_block(const gs_kernels *kernels, const gs_signal *signal, gs_block block);

/* A block by its panel and its place in it. */
gs_block gs_signal_block(const gs_kernels *kernels, const gs_signal *signal, size_t panel,
                         size_t place);

/* Rides on signals: runs on a block that has just been made, on the thread that made it. */
struct gs_rider {
    void (*task)(void *context, const gs_signal *signal, gs_block block);
    void *context;
    gs_rider *next;           /* of the same signal, or NULL */
    const gs_signal *with[2]; /* of the same shape: what it reads or writes beside; or NULL */
};

/* Tell one rider of every block of a signal that has been made before. */
void gs_signal_tell(const gs_engine *engine, const gs_signal *signal, const gs_rider *rider);

/* The same for sums over the batch: the panels of one range of rows come in order on one thread. */
void gs_signal_for_rows(const gs_engine *engine, const gs_signal *signal, gs_block_task task,
                        void *context);

/* The same for sums over the units: the blocks of one panel come in order on one thread. */
void gs_signal_for_panels(const gs_engine *engine, const gs_signal *signal, gs_block_task task,
                          void *context);

/* Measure every block on any thread and merge the results in order, starting from zeros. */
enum { GS_PARTIAL_VALUES = 4 };
typedef struct {
    double value[GS_PARTIAL_VALUES];
} gs_partial;
typedef gs_partial (*gs_block_measure)(const void *context, gs_block block);
typedef gs_partial (*gs_partial_merge)(gs_partial total, gs_partial part);
gs_partial gs_partial_sum(gs_partial total, gs_partial part);
gs_partial gs_signal_reduce(const gs_engine *engine, const gs_signal *signal,
                            gs_block_measure measure, const void *context, gs_partial_merge merge);

#endif
