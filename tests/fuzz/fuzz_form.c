/* SPDX-License-Identifier: GPL-2.0-or-later */
// Everything in the portal that reads a browser's bytes: forms, cookies, the
// page first asked for, languages. What comes out is clean text; escaping it
// and reading it again gives it back.
#include <stdint.h>
#include <stdlib.h>

#include "base/text.h"
#include "base/util.h"
#include "form.h"
#include "i18n.h"
#include "url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_form(struct arena *arena, const char *text, size_t len)
{
	struct form form, again;
	int i;

	form_parse(arena, text, len, &form);
	for (i = 0; i < form.count; i++) {
		const char *value = form.fields[i].value;
		const char *query =
			arena_printf(arena, "a=%s", form_escape(arena, value));

		if (!text_is_clean(value, strlen(value)))
			abort();
		form_parse(arena, query, strlen(query), &again);
		if (again.count != 1 || strcmp(again.fields[0].value, value))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool ready;
	struct arena arena = {0};
	struct url url;
	const char *text;

	if (!ready && i18n_init())
		abort();
	ready = true;
	check_form(&arena, (const char *)data, size);
	text = arena_copy(&arena, (const char *)data, size);
	cookie_get(&arena, text, "gh_session");
	text_is_hex(text, 64);
	if (url_parse(text, &url) == 0 &&
		strcspn(url.url, "<>\"' \n\\") != strlen(url.url))
		abort();
	if (!i18n_pick(text))
		abort();
	arena_fini(&arena);
	return 0;
}
