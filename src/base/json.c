/* JSON (RFC 8259): strings out, and a strict reader. */
#include "base/json.h"

#include <ctype.h>
#include <string.h>

#include "base/text.h"

/* ---- Characters ---- */

/* Bytes of the UTF-8 character at `s`, 0 if there is none: overlong forms, surrogates and what lies
   past U+10FFFF are not UTF-8 (RFC 3629). */
static size_t utf8_length(const unsigned char *s) {
    size_t length = s[0] < 0x80   ? 1
                    : s[0] < 0xc2 ? 0
                    : s[0] < 0xe0 ? 2
                    : s[0] < 0xf0 ? 3
                    : s[0] < 0xf5 ? 4
                                  : 0;
    for (size_t i = 1; i < length; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    bool wrong = (s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
                 (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f);
    return wrong ? 0 : length;
}

/* ---- Writing ---- */

static size_t put(FILE *out, const void *bytes, size_t count) {
    if (out)
        fwrite(bytes, 1, count, out);
    return count;
}

size_t gs_json_string(FILE *out, const char *text) {
    size_t written = put(out, "\"", 1);
    for (const unsigned char *s = (const unsigned char *)text; *s;) {
        size_t length = utf8_length(s);
        char escape[8];
        if (length == 0)
            written += put(out, "\\ufffd", 6);
        else if (*s == '"' || *s == '\\')
            written += put(out, (const char[]){'\\', (char)*s}, 2);
        else if (*s < 0x20)
            written += put(out, escape, (size_t)gs_format(escape, sizeof escape, "\\u%04x", *s));
        else
            written += put(out, s, length);
        s += length > 0 ? length : 1;
    }
    return written + put(out, "\"", 1);
}

/* ---- Reading ---- */

static bool refuse(gs_json_reader *json, size_t at, const char *expected) {
    json->at = at;
    json->expected = expected;
    return false;
}

/* The next byte that is no blank, where a piece starts; 0 at the end, or after a failure. */
static char start_piece(gs_json_reader *json) {
    if (json->expected)
        return 0;
    const char *next = json->text + json->at;
    while (*next == ' ' || *next == '\t' || *next == '\r' || *next == '\n')
        next++;
    json->start = json->at = (size_t)(next - json->text);
    return *next;
}

static bool take(gs_json_reader *json, char wanted, const char *expected) {
    char c = start_piece(json);
    if (json->expected)
        return false;
    if (c != wanted)
        return refuse(json, json->at, expected);
    json->at++;
    return true;
}

bool gs_json_open(gs_json_reader *json, char bracket) {
    return take(json, bracket, bracket == '{' ? "'{'" : "'['");
}

bool gs_json_next(gs_json_reader *json, char close, bool first) {
    char c = start_piece(json);
    if (json->expected)
        return false;
    if (c == close) {
        json->at++;
        return false;
    }
    return first || take(json, ',', close == '}' ? "',' or '}'" : "',' or ']'");
}

bool gs_json_end(gs_json_reader *json) {
    start_piece(json);
    if (json->expected)
        return false;
    return json->at == json->length || refuse(json, json->at, "nothing more");
}

/* ---- Strings ---- */

/* The code unit of the \uXXXX at `at`. */
static bool read_unit(gs_json_reader *json, size_t at, uint32_t *unit) {
    if (json->text[at] != '\\' || json->text[at + 1] != 'u')
        return refuse(json, at, "the second half of a surrogate pair");
    *unit = 0;
    for (size_t i = at + 2; i < at + 6; i++) {
        unsigned char c = (unsigned char)json->text[i];
        if (!isxdigit(c))
            return refuse(json, i, "a hexadecimal digit");
        *unit = *unit << 4 | (uint32_t)(isdigit(c) ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return true;
}

static char *put_utf8(char *out, uint32_t code) {
    size_t length = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const unsigned char marks[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = length; i-- > 1; code >>= 6)
        out[i] = (char)(0x80 | (code & 0x3f));
    out[0] = (char)(marks[length] | code);
    return out + length;
}

/* A character beyond U+FFFF is written as two code units (RFC 8259, section 7). */
static bool read_code(gs_json_reader *json, uint32_t *code) {
    size_t at = json->at;
    uint32_t low;
    if (!read_unit(json, at, code))
        return false;
    if (*code == 0 || (*code >= 0xdc00 && *code < 0xe000))
        return refuse(json, at, "a character");
    json->at += 6;
    if (*code < 0xd800 || *code >= 0xe000)
        return true;
    if (!read_unit(json, json->at, &low))
        return false;
    if (low < 0xdc00 || low >= 0xe000)
        return refuse(json, json->at, "the second half of a surrogate pair");
    json->at += 6;
    *code = 0x10000 + ((*code - 0xd800) << 10) + (low - 0xdc00);
    return true;
}

static bool read_escape(gs_json_reader *json, char **out) {
    static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    char letter = json->text[json->at + 1];
    const char *known = letter ? strchr(letters, letter) : NULL;
    uint32_t code;
    if (known) {
        *(*out)++ = meanings[known - letters];
        json->at += 2;
        return true;
    }
    if (letter != 'u')
        return refuse(json, json->at + 1, "an escape");
    if (!read_code(json, &code))
        return false;
    *out = put_utf8(*out, code);
    return true;
}

/* What is decoded is never longer than its source, so it goes where that was. */
const char *gs_json_text(gs_json_reader *json) {
    if (!take(json, '"', "a string"))
        return NULL;
    char *text = json->text + json->at, *out = text;
    for (;;) {
        const char *source = json->text + json->at;
        if (*source == '"')
            break;
        if (*source >= 0x20 && *source < 0x7f && *source != '\\') {
            *out++ = *source;
            json->at++;
            continue;
        }
        size_t length = utf8_length((const unsigned char *)source);
        if (*source == '\\') {
            if (!read_escape(json, &out))
                return NULL;
            continue;
        }
        if (length == 0 || (unsigned char)*source < 0x20) {
            bool end = json->at == json->length;
            refuse(json, json->at, end ? "'\"'" : length ? "an escape" : "UTF-8");
            return NULL;
        }
        memmove(out, source, length);
        out += length;
        json->at += length;
    }
    json->at++;
    *out = '\0';
    return text;
}

const char *gs_json_key(gs_json_reader *json) {
    const char *name = gs_json_text(json);
    size_t start = json->start;
    if (!name || !take(json, ':', "':'"))
        return NULL;
    json->start = start;
    return name;
}

/* ---- Numbers, and what stood there instead ---- */

/* Of the word or number at `at`. */
static size_t word_length(const gs_json_reader *json) {
    static const char characters[] = "+-.0123456789"
                                     "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    return strspn(json->text + json->at, characters);
}

bool gs_json_whole(gs_json_reader *json, uint64_t *value) {
    char c = start_piece(json);
    if (json->expected)
        return false;
    const char *digits = json->text + json->at;
    size_t length = word_length(json);
    char copy[24];
    uint64_t number = 0;
    bool fits = length < sizeof copy && (c != '0' || length == 1);
    if (fits) {
        memcpy(copy, digits, length);
        copy[length] = '\0';
        fits = gs_parse_size(copy, &number) == GS_TEXT_OK && number <= INT64_MAX;
    }
    if (!fits)
        return refuse(json, json->at, "a whole number from 0 to 2^63 - 1");
    json->at += length;
    *value = number;
    return true;
}

static const char *skip_digits(const char *s) {
    while (isdigit((unsigned char)*s))
        s++;
    return s;
}

/* RFC 8259, section 6; NULL if there is none at `s`. */
static const char *number_end(const char *s) {
    const char *whole = s + (*s == '-'), *end = skip_digits(whole);
    if (end == whole || (*whole == '0' && end > whole + 1))
        return NULL;
    if (*end == '.') {
        const char *fraction = end + 1;
        end = skip_digits(fraction);
        if (end == fraction)
            return NULL;
    }
    if (*end == 'e' || *end == 'E') {
        const char *exponent = end + (end[1] == '+' || end[1] == '-' ? 2 : 1);
        end = skip_digits(exponent);
        if (end == exponent)
            return NULL;
    }
    return end;
}

bool gs_json_scalar(gs_json_reader *json, const char **text, size_t *length) {
    if (start_piece(json) == '"') {
        *text = gs_json_text(json);
        *length = *text ? strlen(*text) : 0;
        return *text;
    }
    if (json->expected)
        return false;
    *text = json->text + json->at;
    bool is_null = strncmp(*text, "null", 4) == 0;
    const char *end = is_null ? *text + 4 : number_end(*text);
    if (!end)
        return refuse(json, json->at, "a string, a number or null");
    *length = is_null ? 0 : (size_t)(end - *text);
    json->at += (size_t)(end - *text);
    return true;
}

void gs_json_got(const gs_json_reader *json, char text[GS_JSON_GOT]) {
    size_t length = word_length(json), most = GS_JSON_GOT - 6; /* quotes, dots, 0 */
    unsigned char c = (unsigned char)json->text[json->at];
    if (json->at == json->length)
        gs_format(text, GS_JSON_GOT, "the end");
    else if (length > 0)
        gs_format(text, GS_JSON_GOT, "'%.*s%s'", (int)(length < most ? length : most),
                  json->text + json->at, length > most ? "..." : "");
    else if (c > 0x20 && c < 0x7f)
        gs_format(text, GS_JSON_GOT, "'%c'", c);
    else
        gs_format(text, GS_JSON_GOT, "byte 0x%02x", c);
}
