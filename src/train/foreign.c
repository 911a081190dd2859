/*
 * Someone else's MLP: which tensors are its weights, and in which order.
 */
#include "train/foreign.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

static const char weight_end[] = ".weight", bias_end[] = ".bias";

static bool ends_with(const char *name, const char *end) {
    size_t length = strlen(name), tail = strlen(end);
    return length >= tail && strcmp(name + length - tail, end) == 0;
}

static bool is_weight(const gs_stored_tensor *tensor) {
    return tensor->rank == 2 && ends_with(tensor->name, weight_end);
}

/* ---- Pairs ---- */

/* The tensor that is called as `tensor` but for the end of its name; `name` has room for it. */
static const gs_stored_tensor *find_beside(const gs_safetensors *file,
                                           const gs_stored_tensor *tensor, const char *end,
                                           const char *other_end, char *name) {
    size_t stem = strlen(tensor->name) - strlen(end);
    memcpy(name, tensor->name, stem);
    strcpy(name + stem, other_end);
    return gs_safetensors_find(file, name);
}

static gs_status refuse(const gs_safetensors *file, const gs_stored_tensor *tensor,
                        const char *expected, gs_error *error) {
    char shape[GS_SHAPE_TEXT];
    gs_stored_shape(tensor, shape);
    return gs_fail(error, GS_ERR_FORMAT, "%s: '%.*s': expected %s, got %s",
                   gs_safetensors_path(file), gs_stored_shown(tensor->name), tensor->name, expected,
                   shape);
}

/* A tensor that is no weight must be the bias of one. */
static gs_status check_bias(const gs_safetensors *file, const gs_stored_tensor *bias, char *name,
                            gs_error *error) {
    if (ends_with(bias->name, weight_end))
        return refuse(file, bias, "the weight [outputs, inputs] of a dense layer", error);
    if (!ends_with(bias->name, bias_end))
        return refuse(file, bias, "names that end in .weight and .bias, as of dense layers alone",
                      error);
    const gs_stored_tensor *weight = find_beside(file, bias, bias_end, weight_end, name);
    if (!weight || !is_weight(weight))
        return refuse(file, bias, "the weight [outputs, inputs] of a dense layer beside it", error);
    if (bias->rank != 1 || bias->shape[0] != weight->shape[0])
        return refuse(file, bias, "one number for each output of its weight", error);
    return GS_OK;
}

static gs_status collect(const gs_safetensors *file, gs_foreign_layer *layers, size_t *count,
                         char *name, gs_error *error) {
    size_t tensors;
    const gs_stored_tensor *tensor = gs_safetensors_tensors(file, &tensors);
    *count = 0;
    for (size_t i = 0; i < tensors; i++, tensor++) {
        gs_status status = GS_OK;
        if (!is_weight(tensor))
            status = check_bias(file, tensor, name, error);
        else if (tensor->count == 0)
            status = refuse(file, tensor, "one output and one input or more", error);
        else
            layers[(*count)++] =
                (gs_foreign_layer){tensor, find_beside(file, tensor, weight_end, bias_end, name)};
        if (status != GS_OK)
            return status;
    }
    return GS_OK;
}

/* ---- Order ---- */

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static size_t count_digits(const char *s) {
    size_t count = 0;
    while (is_digit(s[count]))
        count++;
    return count;
}

/* The order of two numbers, however long; each is passed over. */
static int compare_numbers(const char **a, const char **b) {
    while (**a == '0')
        ++*a;
    while (**b == '0')
        ++*b;
    size_t m = count_digits(*a), n = count_digits(*b);
    int order = m != n ? (m < n ? -1 : 1) : memcmp(*a, *b, m);
    *a += m;
    *b += n;
    return order;
}

static int compare_natural(const char *a, const char *b) {
    while (*a && *b) {
        int order = is_digit(*a) && is_digit(*b) ? compare_numbers(&a, &b)
                                                 : (unsigned char)*a++ - (unsigned char)*b++;
        if (order != 0)
            return order;
    }
    return (unsigned char)*a - (unsigned char)*b;
}

static int compare_layers(const void *a, const void *b) {
    const char *x = ((const gs_foreign_layer *)a)->weight->name;
    const char *y = ((const gs_foreign_layer *)b)->weight->name;
    int order = compare_natural(x, y);
    return order != 0 ? order : strcmp(x, y); /* "1" and "01" */
}

static bool follows(const gs_foreign_layer *layer, const gs_foreign_layer *next) {
    return layer->weight->shape[0] == next->weight->shape[1];
}

/* "net.0.weight" and "net.2.weight". */
static bool are_numbered_alike(const char *a, const char *b) {
    while (*a && *a == *b && !is_digit(*a))
        a++, b++;
    return is_digit(*a) && is_digit(*b);
}

/* Where the chain begins if the layers, in their order, stand in a circle: behind its one break.
   But numbers tell the order. */
static size_t find_first(const gs_foreign_layer *layers, size_t count) {
    size_t breaks = 0, first = 0;
    if (are_numbered_alike(layers[0].weight->name, layers[count - 1].weight->name))
        return 0;
    for (size_t i = 0; i < count; i++)
        if (!follows(&layers[i], &layers[(i + 1) % count])) {
            breaks++;
            first = (i + 1) % count;
        }
    return breaks == 1 ? first : 0;
}

static gs_status put_in_order(const gs_safetensors *file, gs_foreign_layer *layers, size_t count,
                              gs_foreign_layer *ordered, gs_error *error) {
    qsort(layers, count, sizeof *layers, compare_layers);
    size_t first = find_first(layers, count);
    for (size_t i = 0; i < count; i++)
        ordered[i] = layers[(first + i) % count];
    for (size_t i = 1; i < count; i++) {
        const gs_stored_tensor *weight = ordered[i].weight, *below = ordered[i - 1].weight;
        if (follows(&ordered[i - 1], &ordered[i]))
            continue;
        return gs_fail(
            error, GS_ERR_FORMAT, "%s: '%.*s': expected %zu inputs, the outputs of '%.*s', got %zu",
            gs_safetensors_path(file), gs_stored_shown(weight->name), weight->name, below->shape[0],
            gs_stored_shown(below->name), below->name, weight->shape[1]);
    }
    return GS_OK;
}

/* ---- Together ---- */

static size_t longest_name(const gs_safetensors *file) {
    size_t tensors, longest = 0;
    const gs_stored_tensor *tensor = gs_safetensors_tensors(file, &tensors);
    for (size_t i = 0; i < tensors; i++)
        if (longest < strlen(tensor[i].name))
            longest = strlen(tensor[i].name);
    return longest;
}

gs_status gs_foreign_layers(const gs_safetensors *file, gs_foreign_layer **layers, size_t *count,
                            gs_error *error) {
    size_t tensors;
    gs_safetensors_tensors(file, &tensors);
    gs_foreign_layer *found = gs_alloc(tensors, sizeof *found, error);
    char *name = gs_alloc(longest_name(file) + sizeof weight_end, 1, error);
    *layers = gs_alloc(tensors, sizeof **layers, error);
    gs_status status = found && name && *layers ? GS_OK : GS_ERR_MEMORY;
    if (status == GS_OK)
        status = collect(file, found, count, name, error);
    if (status == GS_OK && *count < 2)
        status = gs_fail(error, GS_ERR_FORMAT,
                         "%s: expected the weights of 2 dense layers or more, got %zu",
                         gs_safetensors_path(file), *count);
    if (status == GS_OK)
        status = put_in_order(file, found, *count, *layers, error);
    gs_free(found);
    gs_free(name);
    if (status != GS_OK) {
        gs_free(*layers);
        *layers = NULL;
    }
    return status;
}
