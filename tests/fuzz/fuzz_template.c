/* SPDX-License-Identifier: GPL-2.0-or-later */
// The template reader, on templates and on values: it ends, and no value gets
// into a page unescaped.
#include <stdint.h>
#include <stdlib.h>

#include "base/util.h"
#include "template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char page[] = "{{v}}{{#v}}{{t.continue_to}}{{/v}}";
	static bool ready;
	struct arena arena = {0};
	struct view *view = view_new(&arena);
	struct buf buf = {0};

	if (!ready && i18n_init())
		abort();
	ready = true;
	view_set(view, "v", arena_copy(&arena, (const char *)data, size));
	view_set(view, "host", view_get(view, "v"));
	if (template_render_text(
		    page, sizeof(page) - 1, view, i18n_pick(NULL), &buf) == 0 &&
		buf.data && strpbrk(buf.data, "<>\"'`"))
		abort();
	buf_fini(&buf);
	template_render_text(
		(const char *)data, size, view, i18n_pick(NULL), &buf);
	buf_fini(&buf);
	arena_fini(&arena);
	return 0;
}
