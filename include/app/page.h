/* Text for a terminal or a page: widths, wrapping, escaping. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#define PAGE_WIDTH 100 /* where the stream is no terminal */

/* Columns of the terminal behind the stream, PAGE_WIDTH when there is none. */
int page_width(FILE *stream);

/* Columns that a text takes: one for each character. */
int page_columns(const char *text);

/* Words of text in lines of width columns: the first behind `first`, the others behind as many
 * spaces. */
void page_wrap(const char *first, const char *text, int width, FILE *out);

/* At most width columns of text, cut with an ellipsis; padded to width when pad is true. */
void page_cell(const char *text, int width, bool pad, FILE *out);

/* Text in HTML, between tags and in quoted attributes. Control characters become spaces. */
void page_html(const char *text, FILE *out);

/* One field of a CSV file, quoted where it must be. */
void page_csv(const char *text, FILE *out);
