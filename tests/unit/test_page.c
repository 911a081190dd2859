/*
 * Pages: whole elements whatever the texts hold, the numbers of the log, and what could not be
 * measured. How they look and what they do is tested in a browser (tests/browser).
 */
#include "report/page.h"

#include "test_gather.h"
#include "test_xml.h"

/* ---- Pages of logs that are made up ---- */

static const char head[] = "run,step,layer,kind,error,loss,accuracy,grad_z_log10,"
                           "theory_grad_log10,layers,act,init\n";

/* The page of rows after that head; the caller frees it. */
static char *page_of(const char *rows, const char *title) {
    char *log = NULL, *page = NULL;
    size_t size;
    FILE *file = open_memstream(&log, &size);
    fprintf(file, "%s%s", head, rows);
    fclose(file);
    gs_gather *gather = gs_gather_new(NULL, NULL, NULL, NULL);
    gs_page_ask(gather);
    CHECK_THAT(gather_add(gather, "x", log), "%s", gather_error.message);
    gs_variation *variation = gs_variation_new(gather, NULL);
    file = open_memstream(&page, &size);
    CHECK(gs_page_write(file, variation, title, &gather_error) == GS_OK);
    fclose(file);
    gs_variation_free(variation);
    gs_gather_free(gather);
    free(log);
    return page;
}

static const char two_networks[] = "1,0,1,dense,,2.5,0.25,-4.5,-4.25,2,relu,he\n"
                                   "1,0,2,dense,,2.5,0.25,-1,-1.125,2,relu,he\n"
                                   "2,0,1,dense,,2.75,0.5,-0.5,,2,tanh,he\n"
                                   "2,0,2,dense,,2.75,0.5,-0.25,,2,tanh,he\n";

static bool has(const char *page, const char *part) {
    return strstr(page, part);
}

/* ---- Elements ---- */

/* Of the tag at '<': its length without attributes. */
static size_t name_length(const char *tag) {
    return strspn(tag + 1, "abcdefghijklmnopqrstuvwxyz0123456789");
}

static bool is_void(const char *tag) {
    static const char *const names[] = {"meta", "link"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strncmp(tag + 1, names[i], strlen(names[i])) == 0)
            return true;
    const char *end = strchr(tag, '>');
    return end && end[-1] == '/';
}

/* Whether every element that begins ends, in order. Scripts and styles end at "</". */
static bool is_whole(const char *page) {
    const char *open[64];
    size_t depth = 0;
    for (const char *at = strchr(page, '\n'); (at = strchr(at, '<')); at++) {
        if (at[1] == '/') {
            size_t length = depth > 0 ? name_length(open[depth - 1]) : 0;
            if (length == 0 || strncmp(at + 2, open[depth - 1] + 1, length) != 0 ||
                at[2 + length] != '>')
                return false;
            depth--;
        } else if (!is_void(at) && depth < 64) {
            open[depth++] = at;
            if (strncmp(at, "<script", 7) == 0 || strncmp(at, "<style", 6) == 0)
                while (at[1] && strncmp(at + 1, "</", 2) != 0)
                    at++;
        }
    }
    return depth == 0 && is_utf8(page);
}

static void test_pages_are_of_whole_elements(void) {
    char *page = page_of(two_networks, NULL);
    CHECK(strncmp(page, "<!DOCTYPE html>\n", 16) == 0);
    CHECK(is_whole(page));
    CHECK(has(page, "<title>Gradients by act</title>"));
    CHECK(has(page, "<h1>Gradients by act</h1>"));
    CHECK(has(page, "<figcaption><h2>") && !has(page, "class=\"gs-title\""));
    CHECK(has(page, "<button") && !has(page, "class=\"gs-legend"));
    CHECK(strcmp(page + strlen(page) - 8, "</html>\n") == 0);
    free(page);
    CHECK(!is_whole("\n<b><i></b></i>") && !is_whole("\n<b>") && is_whole("\n<b><meta></b>"));
}

static void test_pages_ask_for_nothing(void) {
    char *page = page_of(two_networks, NULL);
    CHECK(has(page, "default-src 'none'"));
    CHECK(count_of(page, "://") == count_of(page, "xmlns=\"http://www.w3.org/2000/svg\"") + 1);
    CHECK(has(page, "createElementNS('http://www.w3.org/2000/svg'"));
    free(page);
}

/* ---- Texts from anywhere ---- */

static void test_texts_stay_texts(void) {
    char *page = page_of("1,0,1,dense,,1,1,-1,,1,</script><script>alert(1),he\n"
                         "2,0,1,dense,,1,1,-1,,1,\"\"\"><img src=x>&amp;\",he\n"
                         "3,0,1,dense,,1,1,-1,,1,</style>\x01\x7f\xff\xe2\x80\xae,he\n",
                         "</title><img src=\"y\">\x1b");
    CHECK(is_whole(page));
    CHECK(!has(page, "<img") && !has(page, "</script><script>") && !has(page, "alert(1),"));
    CHECK(!has(page, "\x01") && !has(page, "\x1b") && !has(page, "\xff"));
    CHECK(has(page, "<title>&lt;/title&gt;&lt;img src=&quot;y&quot;&gt;\xef\xbf\xbd</title>"));
    CHECK(has(page, "<td>&quot;&gt;&lt;img src=x&gt;&amp;amp;</td>"));
    CHECK(count_of(page, "<script") == count_of(page, "<figure class=\"card\"") + 1);
    free(page);
}

/* ---- Numbers ---- */

static void test_the_numbers_of_lines_are_those_of_the_log(void) {
    char *page = page_of(two_networks, NULL);
    CHECK(has(page, "[[{\"series\":0,\"x\":[1,2],\"y\":[-4.5,-1],\"theory\":[-4.25,-1.125]},\n"
                    "{\"series\":1,\"y\":[-0.5,-0.25]}]]"));
    CHECK(has(page, "data-decades"));
    free(page);
}

static void test_lines_may_be_infinite_or_broken(void) {
    char *page = page_of("1,0,1,dense,,1,1,-inf,,4,relu,he\n1,0,2,dense,,1,1,inf,,4,relu,he\n"
                         "1,0,3,dense,,1,1,,,4,relu,he\n1,0,4,dense,,1,1,-2,,4,relu,he\n",
                         NULL);
    CHECK(has(page, "\"y\":[\"-inf\",\"inf\",null,-2]"));
    CHECK(has(page, "exactly 0</li>") && has(page, "infinite</li>"));
    free(page);
}

static void test_the_table_has_a_row_a_configuration(void) {
    char *page = page_of(two_networks, NULL);
    const char *row = strstr(page, "<tbody>");
    CHECK(row && count_of(row, "<tr>") == 2);
    CHECK(has(page, "<td>relu</td>") && !has(page, "<td>he</td>"));
    CHECK(has(page, "<td class=\"number\" data-value=\"-3.5\">\xe2\x88\x92"
                    "3.50</td>"));
    CHECK(has(page, "<td><span class=\"verdict vanishing\">vanishing</span></td>"));
    CHECK(has(page, "<td><span class=\"verdict healthy\">healthy</span></td>"));
    CHECK(has(page, "data-value=\"0.25\">25.0 %</td>"));
    CHECK(has(page, "data-value=\"2.75\">2.750</td>"));
    CHECK(has(page, "<b>1</b> vanishing</li>"));
    CHECK(count_of(page, "<svg class=\"curve ") == 2);
    CHECK(!has(page, "seeds</button>") && !has(page, "test loss"));
    free(page);
}

static void test_nothing_is_not_less_than_zero(void) {
    char *page =
        page_of("1,0,1,dense,,1,1,-1.001,,2,relu,he\n1,0,2,dense,,1,1,-1,,2,relu,he\n", NULL);
    CHECK(has(page, "\">0.00</td>") && !has(page, "\xe2\x88\x92"
                                                  "0.00<"));
    free(page);
}

static void test_what_could_not_be_measured_has_its_reason(void) {
    char *page = page_of("1,0,,,no <memory>,,,,,1,relu,he\n"
                         "2,0,1,dense,,1,1,-1,,1,tanh,he\n",
                         NULL);
    CHECK(has(page, "<td>no &lt;memory&gt;</td>"));
    CHECK(has(page, "<span class=\"verdict failed\">failed</span>"));
    CHECK(has(page, "1 network could not be measured"));
    free(page);
    page = page_of("1,0,,,no,,,,,2,relu,he\n2,0,,,no,,,,,2,tanh,he\n", NULL);
    CHECK(is_whole(page) && has(page, "No picture: nothing was measured: no"));
    free(page);
}

static void test_training_is_shown_by_step(void) {
    char *page =
        page_of("1,0,1,dense,,2,0.1,-1,,1,relu,he\n1,5,1,dense,,1,0.9,-2,,1,relu,he\n", NULL);
    CHECK(count_of(page, "class=\"card half\"") == 2);
    CHECK(has(page, "[[{\"series\":0,\"x\":[0,5],\"y\":[2,1]}]]"));
    CHECK(has(page, "[[{\"series\":0,\"x\":[0,5],\"y\":[0.1,0.9]}]]"));
    CHECK(has(page, "data-kind=\"map\""));
    free(page);
}

/* ---- Nothing to show, and no memory ---- */

static void test_a_page_of_nothing_is_refused(void) {
    gs_gather *gather = gs_gather_new(NULL, NULL, NULL, NULL);
    CHECK(gather_add(gather, "x", head));
    gs_variation *variation = gs_variation_new(gather, NULL);
    FILE *file = fopen("/dev/null", "w");
    CHECK(gs_page_write(file, variation, NULL, &gather_error) == GS_ERR_FORMAT);
    fclose(file);
    gs_variation_free(variation);
    gs_gather_free(gather);
}

static void test_every_allocation_may_fail(void) {
    gs_gather *gather = gs_gather_new(NULL, NULL, NULL, NULL);
    char log[1024];
    snprintf(log, sizeof log, "%s%s", head, two_networks);
    CHECK(gather_add(gather, "x", log));
    gs_variation *variation = gs_variation_new(gather, NULL);
    FILE *file = fopen("/dev/null", "w");
    size_t failures = 0;
    for (size_t nth = 1, done = 0; !done && nth < 1000; nth++) {
        test_fail_allocation(nth);
        gs_status status = gs_page_write(file, variation, NULL, &gather_error);
        done = !test_allocation_failed();
        test_fail_allocation(0);
        CHECK(status == GS_OK || status == GS_ERR_MEMORY);
        CHECK(!done || status == GS_OK);
        failures += status == GS_ERR_MEMORY;
    }
    CHECK(failures >= 4);
    fclose(file);
    gs_variation_free(variation);
    gs_gather_free(gather);
}

TEST_MAIN(TEST(test_pages_are_of_whole_elements), TEST(test_pages_ask_for_nothing),
          TEST(test_texts_stay_texts), TEST(test_the_numbers_of_lines_are_those_of_the_log),
          TEST(test_lines_may_be_infinite_or_broken),
          TEST(test_the_table_has_a_row_a_configuration), TEST(test_nothing_is_not_less_than_zero),
          TEST(test_what_could_not_be_measured_has_its_reason),
          TEST(test_training_is_shown_by_step), TEST(test_a_page_of_nothing_is_refused),
          TEST(test_every_allocation_may_fail))
