/*
 * Random grids against the plainest way to make them: nested loops over the values, and an
 * expression that is asked of each point. The grid is part of the program, not of the library.
 */
#include "test.h"

#include "cli/grid.c"
#include "cli/list.c"
#include "cli/where.c"

/* ---- Values that may stand in a list or an expression, with what they mean ---- */

typedef struct {
    const char *text;
    int name; /* values of one name have an order among each other; -1: no order */
    double number;
} plain_value;

enum { KNOBS = 5, MOST_VALUES = 6 };

typedef struct {
    const char *name;
    size_t count;
    plain_value values[MOST_VALUES];
    const char *any; /* a name alone, which has any parameter, NULL if there is none */
    int any_name;
} plain_knob;

/* As the table of options orders them. */
static const plain_knob knobs[KNOBS] = {
    {"layers", 4, {{"2", 0, 2}, {"7", 0, 7}, {"16", 0, 16}, {"128", 0, 128}}, NULL, 0},
    {"act",
     5,
     {{"relu", -1, 0},
      {"tanh", -1, 1},
      {"leaky-relu:0.1", 1, 0.1},
      {"leaky-relu:0.3", 1, 0.3},
      {"elu:0.3", 2, 0.3}},
     "leaky-relu",
     1},
    {"lr", 4, {{"auto", -1, 0}, {"0.001", 0, 0.001}, {"0.1", 0, 0.1}, {"3", 0, 3}}, NULL, 0},
    {"clip",
     6,
     {{"none", -1, 0},
      {"norm:1", 2, 1},
      {"norm:5", 2, 5},
      {"value:1", 1, 1},
      {"value:5", 1, 5},
      {"agc:3", 3, 3}},
     "global",
     2},
    {"seed",
     3,
     {{"18446744073709551613", 0, 1},
      {"18446744073709551614", 0, 2},
      {"18446744073709551615", 0, 3}},
     NULL,
     0},
};

typedef struct {
    size_t count[KNOBS]; /* values in the list of each, 0: not given */
    size_t values[KNOBS][MOST_VALUES];
    int group[KNOBS]; /* of --zip, 0: none */
} plain_grid;

/* splitmix64 */
static size_t below(uint64_t *state, size_t count) {
    uint64_t z = *state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return (size_t)((z ^ z >> 31) % count);
}

/* ---- Expressions as trees ---- */

static const char *const comparisons[] = {"==", "!=", "<", "<=", ">", ">="};

typedef enum { LEAF, NOT, AND, OR } node_kind;

typedef struct {
    node_kind kind;
    size_t left, right; /* nodes */
    size_t knob, comparison;
    bool any; /* the name alone */
    plain_value value;
} node;

enum { MOST_NODES = 64 };

typedef struct {
    node nodes[MOST_NODES];
    size_t count;
    char text[4096];
} expression;

static node random_leaf(uint64_t *state) {
    node leaf = {.kind = LEAF, .knob = below(state, KNOBS)};
    const plain_knob *knob = &knobs[leaf.knob];
    leaf.any = knob->any && below(state, 4) == 0;
    leaf.value = knob->values[below(state, knob->count)];
    leaf.comparison = below(state, leaf.any || leaf.value.name < 0 ? 2 : 6);
    return leaf;
}

static size_t grow_tree(expression *e, uint64_t *state, size_t depth) {
    size_t at = e->count++;
    node made = random_leaf(state);
    if (depth > 0 && e->count + 2 < MOST_NODES && below(state, 4) > 0) {
        made.kind = (node_kind)(1 + below(state, 3));
        made.left = grow_tree(e, state, depth - 1);
        made.right = made.kind == NOT ? 0 : grow_tree(e, state, depth - 1);
    }
    e->nodes[at] = made;
    return at;
}

/* In parentheses where what stands around it binds closer, and now and then where not. */
static void print_tree(expression *e, uint64_t *state, size_t at, node_kind around) {
    const node *n = &e->nodes[at];
    char *end = e->text + strlen(e->text);
    size_t room = sizeof e->text - strlen(e->text);
    if (n->kind == LEAF) {
        static const char *const quotes[] = {"", "", "'", "\""}, *const spaces[] = {"", " "};
        const char *quote = quotes[below(state, 4)], *space = spaces[below(state, 2)];
        snprintf(end, room, "%s%s%s%s%s%s%s", knobs[n->knob].name, space,
                 comparisons[n->comparison], space, quote,
                 n->any ? knobs[n->knob].any : n->value.text, quote);
        return;
    }
    bool closed = n->kind > around || below(state, 5) == 0;
    snprintf(end, room, "%s%s", closed ? "(" : "", n->kind == NOT ? "!" : "");
    print_tree(e, state, n->left, n->kind);
    if (n->kind != NOT) {
        strcat(e->text, n->kind == AND ? "&&" : " || ");
        print_tree(e, state, n->right, n->kind);
    }
    strcat(e->text, closed ? ")" : "");
}

static bool leaf_holds(const node *n, const plain_value *value) {
    bool same =
        n->any ? value->name == knobs[n->knob].any_name : strcmp(value->text, n->value.text) == 0;
    bool ordered = value->name >= 0 && value->name == n->value.name;
    switch (n->comparison) {
    case 0:
        return same;
    case 1:
        return !same;
    case 2:
        return ordered && value->number < n->value.number;
    case 3:
        return ordered && value->number <= n->value.number;
    case 4:
        return ordered && value->number > n->value.number;
    default:
        return ordered && value->number >= n->value.number;
    }
}

static bool tree_holds(const expression *e, size_t at, const plain_value *const point[KNOBS]) {
    const node *n = &e->nodes[at];
    switch (n->kind) {
    case LEAF:
        return leaf_holds(n, point[n->knob]);
    case NOT:
        return !tree_holds(e, n->left, point);
    case AND:
        return tree_holds(e, n->left, point) && tree_holds(e, n->right, point);
    default:
        return tree_holds(e, n->left, point) || tree_holds(e, n->right, point);
    }
}

/* ---- Random lists ---- */

/* `count` different values in any order. */
static void choose_values(plain_grid *g, uint64_t *state, size_t knob, size_t count) {
    size_t all[MOST_VALUES];
    for (size_t i = 0; i < knobs[knob].count; i++)
        all[i] = i;
    g->count[knob] = count;
    for (size_t i = 0; i < count; i++) {
        size_t from = i + below(state, knobs[knob].count - i), kept = all[from];
        all[from] = all[i];
        g->values[knob][i] = all[i] = kept;
    }
}

/* The lists, and "act,lr;seed,clip" for those that walk together. */
static void choose_lists(plain_grid *g, uint64_t *state, cli_lists *lists, char zips[128]) {
    size_t groups = below(state, 3);
    *g = (plain_grid){0};
    zips[0] = '\0';
    for (size_t i = 0; i < KNOBS; i++)
        choose_values(g, state, i, 1 + below(state, knobs[i].count));
    for (size_t group = 1; group <= groups; group++) {
        size_t a = (group - 1) * 2 + below(state, 2), b = KNOBS - group, both = g->count[a];
        if (g->group[a] || g->group[b] || a == b)
            continue;
        both = both < knobs[b].count ? both : knobs[b].count;
        choose_values(g, state, a, both);
        choose_values(g, state, b, both);
        g->group[a] = g->group[b] = (int)group;
        snprintf(zips + strlen(zips), 128 - strlen(zips), "%s%s,%s", zips[0] ? ";" : "",
                 knobs[a].name, knobs[b].name);
    }
    for (size_t i = 0; i < KNOBS; i++) {
        char list[256] = "";
        for (size_t j = 0; j < g->count[i]; j++)
            snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", j > 0 ? "," : "",
                     knobs[i].values[g->values[i][j]].text);
        const gs_option *row = gs_option_find(&lists->table, knobs[i].name);
        CHECK(gs_option_parse(row, lists->texts, list, NULL) == GS_OK);
    }
}

/* ---- Grid against loops ---- */

static void check_point(const cli_grid *grid, uint64_t number,
                        const plain_value *const point[KNOBS], const char *where) {
    gs_config *config = cli_grid_config(grid, number, NULL);
    for (size_t i = 0; i < KNOBS; i++) {
        const gs_option *option = gs_option_find(&gs_config_options, knobs[i].name);
        char text[64];
        gs_option_format(option, config, text, sizeof text);
        CHECK_THAT(strcmp(text, point[i]->text) == 0, "%s is %s, expected %s at %llu, %s",
                   knobs[i].name, text, point[i]->text, (unsigned long long)number, where);
    }
    gs_config_free(config);
}

/* The places of all points, the last knob fastest; one that follows another of its group walks with
   it, and its own loop is passed through once. */
static uint64_t walk(const plain_grid *g, const cli_grid *grid, const expression *e, size_t knob,
                     size_t places[KNOBS], uint64_t kept) {
    const plain_value *point[KNOBS];
    if (knob == KNOBS) {
        for (size_t i = 0; i < KNOBS; i++)
            point[i] = &knobs[i].values[g->values[i][places[i]]];
        if (!tree_holds(e, 0, point))
            return kept;
        if (grid)
            check_point(grid, kept + 1, point, e->text);
        return kept + 1;
    }
    size_t leader = 0;
    while (g->group[leader] != g->group[knob])
        leader++;
    bool follows = g->group[knob] && leader < knob;
    for (size_t i = 0; i < (follows ? 1 : g->count[knob]); i++) {
        places[knob] = follows ? places[leader] : i;
        kept = walk(g, grid, e, knob + 1, places, kept);
    }
    return kept;
}

static void test_random_grids_are_those_of_nested_loops(void) {
    uint64_t state = 2026;
    size_t made = 0, empty = 0;
    for (size_t trial = 0; trial < 1000 && !test_state.failed; trial++) {
        static expression e;
        plain_grid g;
        cli_lists lists;
        gs_error error = {0};
        char zips[128];
        size_t places[KNOBS];
        CHECK(cli_lists_new(&lists, NULL) == GS_OK);
        choose_lists(&g, &state, &lists, zips);
        e.count = 0;
        e.text[0] = '\0';
        print_tree(&e, &state, grow_tree(&e, &state, 1 + trial % 5), OR);
        cli_grid *grid = cli_grid_new(&lists, zips[0] ? zips : NULL, e.text, &error);
        uint64_t kept = walk(&g, grid, &e, 0, places, 0);
        CHECK_THAT(grid ? cli_grid_points(grid) == kept : kept == 0, "%llu points: %s, %s, %s",
                   (unsigned long long)kept, e.text, zips, error.message);
        made += grid != NULL;
        empty += !grid;
        cli_grid_free(grid);
        cli_lists_free(&lists);
    }
    CHECK_THAT(made > 500 && empty > 10, "%zu grids and %zu empty ones", made, empty);
}

TEST_MAIN(TEST(test_random_grids_are_those_of_nested_loops))
