/*
 * CSV and TSV: a row is its cells with a separator between them. They differ in it, and in how a
 * text that holds it is written.
 */
#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "report/row.h"

void gs_cell_write_number(FILE *out, const gs_cell *cell) {
    char digits[32];
    if (cell->kind == GS_CELL_WHOLE)
        fprintf(out, "%" PRIu64, cell->whole);
    if (cell->kind == GS_CELL_NUMERAL)
        fputs(cell->text, out);
    if (cell->kind == GS_CELL_REAL) {
        gs_format_real(digits, cell->real);
        fputs(digits, out);
    }
}

/* RFC 4180, section 2: quoted where it must be, a quote inside doubled. */
static void write_csv_text(FILE *out, const char *text) {
    if (!strpbrk(text, ",\"\r\n")) {
        fputs(text, out);
        return;
    }
    putc('"', out);
    for (; *text; text++) {
        if (*text == '"')
            putc('"', out);
        putc(*text, out);
    }
    putc('"', out);
}

static void write_tsv_text(FILE *out, const char *text) {
    static const char special[] = "\t\n\r\\", letters[] = "tnr\\";
    for (; *text; text++) {
        const char *found = strchr(special, *text);
        if (found)
            putc('\\', out);
        putc(found ? letters[found - special] : *text, out);
    }
}

static void write_row(FILE *out, const gs_row *row, char separator,
                      void (*write_text)(FILE *out, const char *text)) {
    for (size_t i = 0; i < row->count; i++) {
        if (i > 0)
            putc(separator, out);
        if (row->cell[i].kind == GS_CELL_TEXT)
            write_text(out, row->cell[i].text);
        else
            gs_cell_write_number(out, &row->cell[i]);
    }
    putc('\n', out);
}

void gs_csv_write(FILE *out, const gs_row *row) {
    write_row(out, row, ',', write_csv_text);
}

void gs_tsv_write(FILE *out, const gs_row *row) {
    write_row(out, row, '\t', write_tsv_text);
}
