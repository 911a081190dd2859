/*
 * A small checker of XML for tests: what it accepts is well-formed.
 */
#ifndef GS_TEST_XML_H
#define GS_TEST_XML_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* How often a part occurs in a text. */
static inline size_t count_of(const char *text, const char *part) {
    size_t count = 0;
    for (; (text = strstr(text, part)); text += strlen(part))
        count++;
    return count;
}

static inline const char *xml_entity(const char *at) {
    static const char *const entities[] = {"&lt;", "&gt;", "&amp;", "&quot;", "&#10;"};
    for (size_t i = 0; i < 5; i++)
        if (strncmp(at, entities[i], strlen(entities[i])) == 0)
            return at + strlen(entities[i]);
    return NULL;
}

/* Text up to `end`; NULL if something may not stand there. */
static inline const char *xml_text(const char *at, const char *end) {
    while (at && *at && !strchr(end, *at)) {
        if (*at == '<' || ((unsigned char)*at < 0x20 && *at != '\n') || *at == 0x7f)
            return NULL;
        at = *at == '&' ? xml_entity(at) : at + 1;
    }
    return at;
}

/* A tag after its '<': its name goes on or comes off the stack. */
static inline const char *xml_tag(const char *at, char stack[][16], size_t *depth) {
    bool closes = *at == '/';
    at += closes;
    size_t length = strspn(at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
    if (length == 0 || length > 15 || *depth > 30)
        return NULL;
    if (closes) {
        bool same = *depth > 0 && strncmp(stack[*depth - 1], at, length) == 0 &&
                    stack[*depth - 1][length] == '\0';
        *depth -= same;
        return same && at[length] == '>' ? at + length + 1 : NULL;
    }
    snprintf(stack[(*depth)++], 16, "%.*s", (int)length, at);
    for (at += length; *at == ' ';) {
        at += strcspn(at, "=<>\"");
        if (strncmp(at, "=\"", 2) != 0 || !(at = xml_text(at + 2, "\"")) || *at != '"')
            return NULL;
        at++;
    }
    *depth -= *at == '/';
    at += *at == '/';
    return *at == '>' ? at + 1 : NULL;
}

static inline bool is_utf8(const char *text) {
    for (const unsigned char *at = (const unsigned char *)text; *at;) {
        size_t length = *at < 0x80 ? 1 : *at >= 0xf0 ? 4 : *at >= 0xe0 ? 3 : *at >= 0xc2 ? 2 : 0;
        bool surrogate = at[0] == 0xed && at[1] >= 0xa0;
        if (length == 0 || surrogate)
            return false;
        for (size_t i = 1; i < length; i++)
            if ((at[i] & 0xc0) != 0x80)
                return false;
        at += length;
    }
    return true;
}

static inline bool is_xml(const char *text) {
    char stack[32][16];
    size_t depth = 0;
    const char *at = text;
    while (at && *at) {
        at = *at == '<' ? xml_tag(at + 1, stack, &depth) : xml_text(at, "<");
        if (depth == 0)
            break;
    }
    return at && *at == '\n' && !at[1] && depth == 0 && is_utf8(text);
}

#endif
