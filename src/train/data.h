/*
 * Labelled examples from files: a folder of MNIST-style IDX files, or a CSV whose last column is
 * the label.
 */
#ifndef GS_TRAIN_DATA_H
#define GS_TRAIN_DATA_H

#include "gradsim.h"
#include "net/config.h"

typedef struct {
    size_t examples, features, classes; /* classes: largest label + 1 */
    double *values;                     /* [examples, features] */
    size_t *labels;                     /* [examples] */
} gs_data;

/* Load `path`: a folder by gs_data_load_idx, all else by gs_data_load_csv. On failure *data is
   empty. Errors: GS_ERR_IO; GS_ERR_FORMAT, naming the file and the line or the byte; GS_ERR_MEMORY.
 */
gs_status gs_data_load(const char *path, gs_data *data, gs_error *error);

/* The images and labels of a folder, under the names that MNIST made usual: train-images-idx3-ubyte
   and train-labels-idx1-ubyte, or t10k-... where there is no train-..., and the other way round if
   it is `to_test`; ".idx" may stand for "-idx". */
gs_status gs_data_load_idx(const char *folder, bool to_test, gs_data *data, gs_error *error);

/* One example a line, cells separated by commas: finite numbers, the last a class from 0 to 65535.
   A first line without a single number is a header. Read once from front to back, so a pipe will
   do. */
gs_status gs_data_load_csv(const char *path, gs_data *data, gs_error *error);

/* Examples to test on, for what was trained on those of `trained_on`, which come from the file
   `trained_path`: of a folder with both sets of MNIST, t10k-... Errors: as gs_data_load(), and
   GS_ERR_USAGE for the same examples, for another number of features, or a class that is not below `outputs` (0: the
   classes of `trained_on`). */
gs_status gs_data_load_test(const char *path, const gs_data *trained_on, const char *trained_path,
                            size_t outputs, gs_data *data, gs_error *error);

/* Move round(share * examples) of the examples, halves up, from `data` to `held_out`: with
   `shuffle` drawn by the seed, each as likely, else the last. On either side they are in the order
   that they had; the classes are those of both together. With a share of 0 nothing is held out.
   Errors: GS_ERR_USAGE where one side would be left without an example; GS_ERR_MEMORY; nothing is
   moved then. */
gs_status gs_data_split(gs_data *data, double share, bool shuffle, uint64_t seed, gs_data *held_out,
                        gs_error *error);

/* Free the arrays of `data` and make it empty. */
void gs_data_free(gs_data *data);

/* Room for a batch of `count` examples, zeros for gs_free: values [count, features] and labels
   [count]; both are NULL after an error. Errors: GS_ERR_MEMORY. */
gs_status gs_data_make_room(size_t count, size_t features, double **values, size_t **labels,
                            gs_error *error);

/* Copy an example to `place` of such a room, which may be that of `from` itself. */
void gs_data_copy_example(const gs_data *from, size_t index, size_t place, double *values,
                          size_t *labels);

/* Scale in place; `scale` is a row of --data-scale: none; unit: by the largest absolute value in
   `data`, to [0, 1] or [-1, 1]; standard: each feature to mean 0 and variance 1 over the examples
   of `data` (biased), a constant feature to 0. What is held out (NULL: nothing is) has no part in
   these numbers, and is scaled by them. */
void gs_data_scale(gs_data *data, gs_data *held_out, size_t scale);

/* Errors: GS_ERR_USAGE if there are fewer examples than `batch`. */
gs_status gs_data_check_batch(const gs_data *data, size_t batch, gs_error *error);

/* The batch of step `step` of training (see train/batches.h): input [batch, features], labels
   [batch]. That of step 0 is the first `batch` examples, with `shuffle` after one that is seeded by
   `seed`; there a smaller batch of the same seed is the beginning of a larger one.
   Errors: GS_ERR_USAGE if there are fewer examples than `batch`; GS_ERR_MEMORY. */
gs_status gs_data_batch(const gs_data *data, uint64_t seed, bool shuffle, size_t batch,
                        uint64_t step, double *input, size_t *labels, gs_error *error);

#endif
