/*
 * A network from a safetensors file: first its options, then its weights. The file is one of
 * gs_safetensors_save, known by its metadata, or someone else's plain MLP (see train/foreign.h),
 * whose last layer becomes the head.
 */
#ifndef GS_TRAIN_LOAD_H
#define GS_TRAIN_LOAD_H

#include "train/safetensors_read.h"

/* Whether gradsim saved it: `__metadata__` has options. */
bool gs_safetensors_is_own(const gs_safetensors *file);

/* Set what the file says of a network. Our own: every option that was saved. Someone else's:
   layers, width, inputs, outputs and head; the activation is not in such a file.
   Errors: GS_ERR_FORMAT, naming the file and the option or tensor; GS_ERR_MEMORY. The configuration
   is then unchanged. */
gs_status gs_config_load(gs_config *config, const gs_safetensors *file, gs_error *error);

/* Write every parameter of the network; biases that someone else's MLP does not have become 0.
   What else our own files hold (input, target, readout, gradients) is passed over.
   Errors, naming the file and the tensor, before anything is written: GS_ERR_USAGE for a parameter
   that the file does not have in this shape, for one that the network does not have, and for
   weights that are not stored; GS_ERR_FORMAT as gs_config_load(); GS_ERR_MEMORY. And while
   writing: GS_ERR_IO. */
gs_status gs_network_load(gs_network *network, const gs_safetensors *file, gs_error *error);

#endif
