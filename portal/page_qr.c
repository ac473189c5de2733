/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A QR code in a page: the template has the <svg>, this fills in its path, one
 * stroke of a module's width per row. It is drawn where it is shown, so what it
 * says is in no address and no log.
 */
#include "base/qr.h"
#include "buf.h"
#include "pages.h"

static void put_number(struct buf *buf, const char *format, int number)
{
	char text[32];

	snprintf(text, sizeof(text), format, number);
	buf_puts(buf, text);
}

static void put_row(
	struct buf *buf, const unsigned char *row, int width, int y)
{
	int x, end, at = -1; /* where the pen is; -1: not in this row */

	for (x = 0; x < width; x = end + 1) {
		for (end = x; end < width && row[end]; end++)
			;
		if (end == x)
			continue;
		if (at < 0) {
			put_number(buf, "M%d ", x + QR_QUIET);
			put_number(buf, "%d.5", y + QR_QUIET);
		} else {
			put_number(buf, "m%d 0", x - at);
		}
		put_number(buf, "h%d", end - x);
		at = end;
	}
}

void page_qr(struct view *view, const char *text)
{
	/* For a screen, which is clean: few modules are easier to read. */
	static const struct qr_look look = {.level = 'L'};
	struct buf path = {0};
	struct qr_code code;
	int y;

	if (qr_code_init(&code, text, &look))
		return;
	for (y = 0; y < code.width; y++)
		put_row(&path, code.dark + y * code.width, code.width, y);
	view_set_int(view, "qr_size", code.width + 2 * QR_QUIET);
	view_format(view, "qr", "%s", path.data);
	buf_fini(&path);
	qr_code_fini(&code);
}
