/*
 * What the networks of a sweep share: data, predictions, and weights.
 */
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "cli/sweep.h"

/* ---- Data that networks share ---- */

/* Options that say what data there are. The seed is that of the split. */
static const char *const of_data[] = {"data",       "data-scale", "shuffle", "test-data",
                                      "test-share", "outputs",    "seed"};

static char *key_of(const gs_config *config, gs_error *error) {
    enum { COUNT = sizeof of_data / sizeof *of_data };
    size_t room = 0, at = 0;
    for (size_t i = 0; i < COUNT; i++)
        room +=
            gs_option_format(gs_option_find(&gs_config_options, of_data[i]), config, NULL, 0) + 1;
    char *key = gs_alloc(room, 1, error);
    for (size_t i = 0; key && i < COUNT; i++) {
        at += gs_option_format(gs_option_find(&gs_config_options, of_data[i]), config, key + at,
                               room - at);
        key[at++] = i + 1 < COUNT ? '\n' : '\0';
    }
    return key;
}

static void forget(sweep_data *shared) {
    gs_data_free(&shared->data);
    gs_data_free(&shared->held_out);
    gs_free(shared->key);
    *shared = (sweep_data){0};
}

/* One that nobody uses: there are more than networks side by side. */
static sweep_data *find_unused(sweep *s) {
    while (s->data[s->next_data % (s->jobs + 1)].users > 0)
        s->next_data++;
    sweep_data *unused = &s->data[s->next_data++ % (s->jobs + 1)];
    forget(unused);
    return unused;
}

static gs_status borrow_locked(sweep *s, const gs_config *config, sweep_data **borrowed,
                               gs_error *error) {
    char *key = key_of(config, error);
    gs_status status = key ? GS_OK : GS_ERR_MEMORY;
    for (size_t i = 0; key && i < s->jobs + 1 && !*borrowed; i++)
        if (s->data[i].key && strcmp(s->data[i].key, key) == 0)
            *borrowed = &s->data[i];
    if (key && !*borrowed) {
        sweep_data *shared = find_unused(s);
        status = cli_job_load_data(config, &shared->data, &shared->held_out, error);
        shared->key = key;
        key = NULL;
        *borrowed = shared;
        if (status != GS_OK) {
            forget(shared);
            *borrowed = NULL;
        }
    }
    if (*borrowed)
        (*borrowed)->users++;
    gs_free(key);
    return status;
}

/* The data of a configuration that is not resolved; *borrowed stays NULL if there are to be none. */
static gs_status borrow_data(sweep *s, const gs_config *config, sweep_data **borrowed,
                             gs_error *error) {
    *borrowed = NULL;
    if (!config->data)
        return GS_OK;
    pthread_mutex_lock(&s->data_mutex);
    gs_status status = borrow_locked(s, config, borrowed, error);
    pthread_mutex_unlock(&s->data_mutex);
    return status;
}

/* ---- A configuration ---- */

gs_status sweep_begin_job(sweep *s, uint64_t point, cli_job *job, sweep_data **borrowed,
                          gs_error *error) {
    *job = (cli_job){
        .output = s->job.output, .path = s->job.path, .weights = s->weights, .trains = true};
    *borrowed = NULL;
    job->config = cli_grid_config(s->grid, point, error);
    gs_status status = job->config ? borrow_data(s, job->config, borrowed, error) : GS_ERR_MEMORY;
    if (status == GS_OK && *borrowed) {
        job->data = (*borrowed)->data;
        job->held_out = (*borrowed)->held_out;
    }
    return status == GS_OK ? cli_job_load(job, NULL, error) : status;
}

void sweep_end_job(sweep *s, cli_job *job, sweep_data *borrowed) {
    gs_config_free(job->config);
    if (borrowed) {
        pthread_mutex_lock(&s->data_mutex);
        borrowed->users--;
        pthread_mutex_unlock(&s->data_mutex);
    }
}

/* ---- Beginning and end ---- */

/* Beside the memory of networks, or what fits would depend on how many are side by side. */
static gs_status share_weights(sweep *s, gs_error *error) {
    static const size_t most = (size_t)256 << 20;
    size_t bytes = s->memory / 8 < most ? s->memory / 8 : most;
    s->weights = gs_weight_cache_new(bytes, error);
    return s->weights ? GS_OK : GS_ERR_MEMORY;
}

gs_status sweep_share(sweep *s, gs_error *error) {
    s->data = gs_alloc(s->jobs + 1, sizeof *s->data, error);
    s->theory = s->data ? gs_alloc(s->jobs + 1, sizeof *s->theory, error) : NULL;
    if (!s->theory)
        return GS_ERR_MEMORY;
    pthread_mutex_init(&s->data_mutex, NULL);
    for (size_t i = 0; i < s->jobs + 1; i++)
        pthread_mutex_init(&s->theory[i].mutex, NULL);
    return share_weights(s, error);
}

void sweep_free_shares(sweep *s) {
    for (size_t i = 0; s->theory && i < s->jobs + 1; i++) {
        forget(&s->data[i]);
        gs_free(s->theory[i].rows);
        pthread_mutex_destroy(&s->theory[i].mutex);
    }
    if (s->theory)
        pthread_mutex_destroy(&s->data_mutex);
    gs_free(s->data);
    gs_free(s->theory);
    gs_weight_cache_free(s->weights);
}
