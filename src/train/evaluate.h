/*
 * Evaluation: what a network makes of examples that it need not have been trained on.
 */
#ifndef GS_TRAIN_EVALUATE_H
#define GS_TRAIN_EVALUATE_H

#include "net/network.h"
#include "train/data.h"

/* The mean loss over all examples of `data` (one or more), and the accuracy: the share of them
   whose largest output, the first of equal ones, is that of the label; one with an output that is
   nan counts as wrong. They pass through in batches of the network's size, in the order of `data`;
   the last batch is filled up with examples from the beginning, which do not count. The statistics
   of a batch norm are those of each such batch: there are no running averages. The network is left
   with the last of them as its batch. Errors: GS_ERR_USAGE for examples of other features than the
   network has inputs, or a label that is no output; GS_ERR_MEMORY. */
gs_status gs_network_evaluate(gs_network *network, const gs_data *data, double *loss,
                              double *accuracy, gs_error *error);

/* The accuracy on the batch of the last forward pass, whose labels are `labels` [batch], or if that
   is NULL those that the loss has; nan where it has none. */
double gs_batch_accuracy(const gs_network *network, const size_t *labels);

#endif
