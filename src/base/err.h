/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Errors of the tool itself. Damage of the evidence is not an error: it is recorded and the work
 * goes on.
 *
 * A function that can fail returns struct err *: NULL is success, anything else belongs to the
 * caller, who hands it on or destroys it. The text says what was wanted, what was got and where, in
 * lower case and without a full stop; it may be shown to the user as it is.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

struct err;

/* A new error; never NULL (out of memory gives a static one, which err_destroy knows). */
struct err *err_new(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same with ": " and the text of errno_value appended. */
struct err *err_new_errno(int errno_value, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The error's text, valid until err_destroy. */
const char *err_text(const struct err *err);

/* err_destroy(NULL) is fine. */
void err_destroy(struct err *err);

#endif
