/*
 * The plain MLP that someone else's safetensors file holds: pairs `NAME.weight` [outputs, inputs]
 * and `NAME.bias` [outputs], as PyTorch saves a chain of nn.Linear.
 */
#ifndef GS_TRAIN_FOREIGN_H
#define GS_TRAIN_FOREIGN_H

#include "train/safetensors_read.h"

typedef struct {
    const gs_stored_tensor *weight; /* [outputs, inputs] */
    const gs_stored_tensor *bias;   /* [outputs], NULL if there is none */
} gs_foreign_layer;

/* The layers from the input to the output; (*layers)[*count] is the caller's to gs_free.

   They follow each other by name, where the numbers in names count as numbers ("2" before "10"),
   and begin where the shapes do: layers.0, layers.1, head, though 'h' stands before 'l'.
   Errors: GS_ERR_FORMAT for a tensor that is nothing of an MLP (a norm, a convolution, an
   embedding) and for layers that do not follow each other, by name; GS_ERR_MEMORY. */
gs_status gs_foreign_layers(const gs_safetensors *file, gs_foreign_layer **layers, size_t *count,
                            gs_error *error);

#endif
