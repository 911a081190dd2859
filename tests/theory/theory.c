/*
 * Runs the cases and prints for each a line "ok - row 12: ..." or "not ok - row 12: ... # why".
 * THEORY=all: every case, and a table beside the lines. Otherwise the short selection. An argument
 * narrows either down to the cases whose name contains it.
 *
 * Every case proves besides that it can fail: the same measurement must reject a published value
 * that is wrong by the factor `detects`, up and down. Seeds are 1, 2, 3 ... and the same each time,
 * so that a case passes always or never.
 */
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "theory.h"

/* ---- Seeds side by side ---- */

typedef struct {
    size_t next, count;
    void (*run)(void *context, size_t index);
    void *context;
    pthread_mutex_t lock;
} work_list;

static void *work(void *argument) {
    work_list *list = argument;
    for (;;) {
        pthread_mutex_lock(&list->lock);
        size_t index = list->next++;
        pthread_mutex_unlock(&list->lock);
        if (index >= list->count)
            return NULL;
        list->run(list->context, index);
    }
}

void theory_parallel(size_t count, void (*run)(void *context, size_t index), void *context) {
    enum { MOST = 64 };
    work_list list = {0, count, run, context, PTHREAD_MUTEX_INITIALIZER};
    pthread_t threads[MOST];
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    size_t started = 0;
    while (started < MOST && started + 1 < count && (long)started + 1 < processors &&
           pthread_create(&threads[started], NULL, work, &list) == 0)
        started++;
    work(&list);
    while (started > 0)
        pthread_join(threads[--started], NULL);
}

/* ---- What the seeds say together ---- */

typedef struct {
    double value, standard_error; /* no error where there is one value: 0 */
} estimate;

typedef struct {
    const theory_case *c;
    size_t values; /* of each seed */
    double *samples;
} sampling;

static void sample_seed(void *context, size_t index) {
    const sampling *s = context;
    s->c->probe->sample(s->c, index + 1, s->samples + index * s->values);
}

/* Mean of (x - center)^power. */
static double moment(const double *x, size_t count, double center, int power) {
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += pow(x[i] - center, power);
    return sum / (double)count;
}

/* The widest of N numbers, even over (-b, b), falls short of b by b / N on average, and that is its
   deviation too. */
static estimate end_of_interval(const double *x, size_t count) {
    double widest = 0, n = (double)count;
    for (size_t i = 0; i < count; i++)
        widest = fmax(widest, fabs(x[i]));
    return (estimate){widest * (1 + 1 / n), widest / n};
}

/* What becomes of a mean, for which a prediction counts too. */
static double reduced_mean(const theory_case *c, double mean) {
    double layers = (double)(c->to - c->from);
    return c->probe->reduction == PER_LAYER     ? pow(mean, 1 / layers)
           : c->probe->reduction == OVER_LAYERS ? pow(mean, layers)
                                                : mean;
}

static estimate reduce(const theory_case *c, const double *x, size_t count) {
    double n = (double)count, layers = (double)(c->to - c->from);
    double mean = moment(x, count, 0, 1), variance = moment(x, count, mean, 2);
    double of_mean = count > 1 ? sqrt(variance / (n - 1)) : 0;
    switch (c->probe->reduction) {
    case PER_LAYER: /* the error of mean^p is p mean^p / mean times that of the mean */
        return (estimate){reduced_mean(c, mean), reduced_mean(c, mean) / mean * of_mean / layers};
    case OVER_LAYERS:
        return (estimate){reduced_mean(c, mean), reduced_mean(c, mean) / mean * of_mean * layers};
    case VARIANCE: /* whose variance is (fourth moment - variance^2) / n */
        return (estimate){variance * n / (n - 1),
                          sqrt((moment(x, count, mean, 4) - variance * variance) / n)};
    case LARGEST:
        return end_of_interval(x, count);
    case AVERAGE:
        break;
    }
    return (estimate){mean, of_mean};
}

static estimate measure(const theory_case *c) {
    size_t seeds = c->seeds > 0 ? c->seeds : 1;
    sampling s = {c, c->values > 0 ? c->values : 1, NULL};
    s.samples = calloc(seeds * s.values, sizeof *s.samples);
    if (!s.samples) {
        printf("not ok - %s # no memory\n", c->what);
        exit(1);
    }
    theory_parallel(seeds, sample_seed, &s);
    estimate e = reduce(c, s.samples, seeds * s.values);
    free(s.samples);
    return e;
}

/* ---- Judgement ---- */

/* What the law MEAN_FIELD allows, as a logarithm. */
static double allowed(const theory_case *c) {
    return 0.01 * (double)(c->layers > 0 ? c->layers : 1);
}

/* |log(value / published)|; where 0 is expected, of a quantity of order 1, its absolute value. */
static double distance(double value, double published) {
    return published == 0 ? fabs(value) : fabs(log(value / published));
}

static bool is_uncertain(const theory_case *c, estimate e) {
    double size = c->published == 0 ? 1 : fabs(e.value);
    return c->law == MEAN_FIELD && 3 * e.standard_error > allowed(c) * size;
}

static bool agrees(const theory_case *c, estimate e, double published) {
    switch (c->law) {
    case EXACT:
        return fabs(e.value - published) <= 1e-10 * (published == 0 ? 1 : fabs(published));
    case MEAN_FIELD: /* with an error that is small beside what is allowed */
        return distance(e.value, published) <= allowed(c) && !is_uncertain(c, e);
    case EXPECTED:
        return fabs(e.value - published) <= 3 * e.standard_error;
    case DIFFERS:
        return distance(e.value, published) >
               allowed(c) + 3 * e.standard_error / fabs(e.value == 0 ? 1 : e.value);
    }
    return false;
}

/* Whether a wrong published value would have been found out. */
static bool can_fail(const theory_case *c, estimate e) {
    double exact = c->law == EXACT ? 1 + 1e-9 : exp(3 * allowed(c));
    double factor = c->detects > 0 ? c->detects : exact;
    if (c->law == DIFFERS)
        return !agrees(c, e, e.value);
    if (c->published == 0)
        return !agrees(c, (estimate){e.value + factor - 1, e.standard_error}, 0);
    return !agrees(c, e, c->published * factor) && !agrees(c, e, c->published / factor);
}

/* A prediction must have the digits that are published. */
static bool predicts(const theory_case *c, double predicted) {
    if (c->law == DIFFERS)
        return distance(predicted, c->published) > allowed(c);
    return distance(predicted, c->published) <= (c->digits > 0 ? c->digits : 5e-6);
}

/* ---- Lines ---- */

static const char *const law_names[] = {
    [EXACT] = "X", [MEAN_FIELD] = "W", [EXPECTED] = "E", [DIFFERS] = "not"};

static void print_heading(void) {
    printf("# %3s %-3s  %-52s %14s %14s %9s %6s %14s\n", "row", "law", "case", "published",
           "measured", "relative", "errors", "predicted");
}

/* Errors are relative, and in standard errors where there are any. */
static void print_row(const theory_case *c, const estimate *measured, const double *predicted) {
    printf("# %3d %-3s  %-52s %14.9g", c->row, law_names[c->law], c->what, c->published);
    if (measured) {
        double error = measured->value - c->published;
        printf(" %14.9g %9.1e", measured->value, c->published == 0 ? error : error / c->published);
        if (measured->standard_error > 0)
            printf(" %6.1f", error / measured->standard_error);
        else
            printf(" %6s", "");
    } else {
        printf(" %14s %9s %6s", "", "", "");
    }
    if (predicted)
        printf(" %14.9g", *predicted);
    printf("\n");
}

static bool run_case(const theory_case *c, bool all) {
    const theory_probe *probe = c->probe;
    bool is_measured = probe->sample && (all || c->quick),
         is_predicted = probe->predict && c->digits >= 0;
    estimate measured = {0, 0};
    double predicted = 0;
    const char *why = NULL;
    if (is_predicted) {
        predicted = reduced_mean(c, probe->predict(c));
        why = predicts(c, predicted) ? NULL : "the prediction is wrong";
    }
    if (is_measured) {
        measured = measure(c);
        if (!agrees(c, measured, c->published))
            why = is_uncertain(c, measured) ? "too uncertain" : "not close";
        else if (!can_fail(c, measured))
            why = "any value would pass";
    }
    if (all)
        print_row(c, is_measured ? &measured : NULL, is_predicted ? &predicted : NULL);
    if (!is_measured && !is_predicted)
        return true;
    if (why)
        printf("not ok - row %d: %s # %s: published %.9g, measured %.9g +- %.2g, predicted %.9g\n",
               c->row, c->what, why, c->published, measured.value, measured.standard_error,
               predicted);
    else
        printf("ok - row %d: %s\n", c->row, c->what);
    fflush(stdout);
    return !why;
}

int main(int argc, char **argv) {
    static const theory_case *const tables[] = {field_cases,    normalised_cases, finite_cases,
                                                residual_cases, exact_cases,      initial_cases};
    const char *which = getenv("THEORY"), *only = argc > 1 ? argv[1] : "";
    bool all = which && strcmp(which, "all") == 0, passed = true;
    if (all)
        print_heading();
    for (size_t t = 0; t < sizeof tables / sizeof *tables; t++)
        for (const theory_case *c = tables[t]; c->probe; c++) {
            char name[128];
            snprintf(name, sizeof name, "row %d: %s", c->row, c->what);
            if (strstr(name, only))
                passed = run_case(c, all) && passed;
        }
    if (strstr("agreement", only))
        passed = theory_agreement(all) && passed;
    return passed ? 0 : 1;
}
