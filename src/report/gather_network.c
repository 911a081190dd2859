/* Gathering: networks, whose rows follow each other. */
#include <inttypes.h>
#include <math.h>

#include "base/error.h"
#include "base/text.h"
#include "report/gather_parts.h"

/* The rows of a step are over; the layer that comes next is 0 at the end of the file. */
static void end_step(gs_file_reader *r, uint64_t line, uint64_t next) {
    const gs_row_place *row = &r->network.row;
    const gs_gathered *config = &r->gather->configs[row->config];
    uint64_t depth = config->depth + (config->depth > 0 && config->has_head);
    if (row->layer >= depth || r->cut.line > 0)
        return;
    r->cut.line = line;
    r->cut.layer = row->layer + 1;
    r->cut.depth = depth;
    r->cut.next = next;
}

void gs_gather_end_network(gs_file_reader *r, uint64_t line, uint64_t next) {
    if (!r->network.is_open)
        return;
    gs_gathered *config = &r->gather->configs[r->network.row.config];
    end_step(r, line, next);
    if (r->network.has_ends) {
        double change = gs_gather_change(r->network.first, r->network.last);
        gs_values_add(&config->ends, change);
        config->verdicts[gs_gather_judge(change)]++;
    }
    r->network.is_open = false;
}

static bool is_of_network(const gs_one_network *network, const gs_row_place *row) {
    const gs_row_place *before = &network->row;
    bool goes_on =
        row->step > before->step || (row->step == before->step && row->layer > before->layer);
    return network->is_open && goes_on && row->config == before->config &&
           row->run == before->run && row->seed == before->seed && row->point == before->point;
}

gs_status gs_gather_follow(gs_file_reader *r, const gs_row_place *row) {
    gs_one_network *network = &r->network;
    if (!is_of_network(network, row))
        gs_gather_end_network(r, row->line, row->layer);
    else if (row->step > network->row.step)
        end_step(r, row->line, row->layer);
    bool is_next = network->is_open && row->step == network->row.step;
    if (row->layer != (is_next ? network->row.layer + 1 : 1))
        r->gather->is_mixed = true;
    network->is_open = true;
    network->row = *row;
    double value = NAN;
    bool is_there = false;
    gs_status status =
        gs_sheet_real(r->sheet, (size_t)r->column[GS_GATHER_WANTED], &value, &is_there, r->error);
    if (row->layer == 1)
        network->first = value;
    if (row->is_head)
        return status;
    network->last = value;
    network->has_ends = is_there && (network->has_ends || row->layer == 1);
    return status;
}

gs_status gs_gather_check_whole(gs_file_reader *r, const char *name, bool was_mixed) {
    char next[40] = "the end of the file";
    if (r->cut.line == 0 || r->gather->is_mixed != was_mixed)
        return GS_OK;
    if (r->cut.next > 0)
        gs_format(next, sizeof next, "layer %" PRIu64, r->cut.next);
    return gs_fail(r->error, GS_ERR_FORMAT,
                   "%s: line %" PRIu64 ": expected layer %" PRIu64 " of %" PRIu64 ", got %s", name,
                   r->cut.line, r->cut.layer, r->cut.depth, next);
}
