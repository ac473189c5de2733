/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QR codes into files. Each is made in memory and then written: a logo that
 * cannot be read, or a text too long, costs nobody the file that was there.
 */
#include "ctl/draw.h"

#include <stdio.h>
#include <string.h>

#include "base/poster.h"
#include "base/qr.h"
#include "base/text.h"
#include "base/util.h"
#include "base/wifi_uri.h"

struct drawing {
	const char *text;
	struct qr_look look;
	struct poster poster;
};

static const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key)) ?: "";
}

/* 0: the default; -1: none that a picture could have. */
static int pixels_of(const json_t *own)
{
	const char *text = text_of(own, "pixels");
	char *end;
	long value = strtol(text, &end, 10);

	return !*text					   ? 0
	       : *end || value < 1 || value > QR_PIXELS_MAX ? -1
							   : (int)value;
}

int draw_check(const json_t *own, char *err, size_t err_len)
{
	const char *level = text_of(own, "level");
	const char *langs = text_of(own, "langs");

	if (*level && (strlen(level) != 1 || !strchr("LMQH", *level)))
		snprintf(err, err_len, "--level is L, M, Q or H.");
	else if (pixels_of(own) < 0)
		snprintf(err, err_len, "--pixels is a number from 1 to %d.",
			QR_PIXELS_MAX);
	else if (*langs && !poster_has_languages(langs))
		snprintf(err, err_len,
			"--langs is a list of en, fil, id, sw, fr, es and ar, "
			"with commas between them.");
	return err[0] ? -EINVAL : 0;
}

/* The code that joins the Wi-Fi of `ssid`; "" without one. */
static int wifi_of(const json_t *own, const char *ssid,
	char ret_text[static WIFI_URI_SIZE], char *err, size_t err_len)
{
	const char *password = text_of(own, "password");
	const char *security = text_of(own, "security");
	struct wifi_net net = {ssid, strlen(ssid),
		*security   ? security
		: *password ? "WPA"
			    : "nopass",
		password, json_is_true(json_object_get(own, "hidden"))};

	ret_text[0] = '\0';
	if (!*ssid || wifi_uri_format(&net, ret_text) == 0)
		return 0;
	snprintf(err, err_len,
		"No Wi-Fi can be so: the SSID has 1 to 32 bytes, the password of "
		"WPA 8 to 63, of SAE 1 to 128, of WEP 5 or 13, of nopass none.");
	return -EINVAL;
}

int draw_reply(const json_t *own, json_t **ret_reply, char *err, size_t err_len)
{
	const char *url = text_of(own, "url"), *ssid = text_of(own, "ssid");
	char wifi[WIFI_URI_SIZE];

	if (!*url && !*ssid) {
		snprintf(err, err_len, "The SSID has 1 to 32 bytes.");
		return -EINVAL;
	}
	if (wifi_of(own, ssid, wifi, err, err_len))
		return -EINVAL;
	*ret_reply = json_pack("{s:b, s:s}", "success", 1, "text",
		*url ? url : wifi);
	return 0;
}

/* The whole file, up to what a logo may have; -E2BIG. */
static int read_logo(const char *path, uint8_t *ret_data, size_t *ret_len)
{
	FILE *file = fopen(path, "re");
	size_t len;
	int ret = 0;

	if (!file)
		return -errno;
	len = fread(ret_data, 1, QR_LOGO_MAX + 1, file);
	if (ferror(file))
		ret = -EIO;
	else if (len > QR_LOGO_MAX)
		ret = -E2BIG;
	fclose(file);
	*ret_len = len;
	return ret;
}

static int put_png(FILE *out, const struct drawing *drawing)
{
	return qr_put_png(out, drawing->text, &drawing->look);
}

static int put_svg(FILE *out, const struct drawing *drawing)
{
	return qr_put_svg_look(out, drawing->text, &drawing->look);
}

static int put_poster(FILE *out, const struct drawing *drawing)
{
	return poster_put(out, &drawing->poster);
}

static const struct {
	const char *field;
	int (*put)(FILE *out, const struct drawing *drawing);
} forms[] = {{"png", put_png}, {"svg", put_svg}, {"poster", put_poster}};

static int write_file(const char *path, const void *data, size_t len)
{
	FILE *file = fopen(path, "we");
	int ret = 0;

	if (!file)
		return -errno;
	if (fwrite(data, 1, len, file) != len)
		ret = -EIO;
	if (fclose(file))
		ret = -errno;
	return ret;
}

static void explain(int ret, const char *path, char *err, size_t err_len)
{
	if (ret == -EMSGSIZE)
		snprintf(err, err_len, "That is too long for a QR code.");
	else if (ret == -EBADMSG)
		snprintf(err, err_len, "The logo is no PNG file that can be read.");
	else if (ret == -E2BIG)
		snprintf(err, err_len,
			"A logo has at most %d KiB and %d pixels either way.",
			QR_LOGO_MAX / 1024, QR_LOGO_SIDE);
	else
		snprintf(err, err_len, "%.80s: %s.", path, strerror(-ret));
}

static int put_files(const struct drawing *drawing, const json_t *own, char *err,
	size_t err_len)
{
	size_t i, len;
	int ret = 0;

	for (i = 0; i < ARRAY_SIZE(forms) && !ret; i++) {
		const char *path = text_of(own, forms[i].field);
		_cleanup_free_ char *data = NULL;
		FILE *out;

		if (!*path)
			continue;
		out = open_memstream(&data, &len);
		if (!out)
			abort();
		ret = forms[i].put(out, drawing);
		if (fclose(out))
			abort();
		if (!ret)
			ret = write_file(path, data, len);
		if (ret)
			explain(ret, path, err, err_len);
	}
	return ret;
}

int draw_files(const json_t *reply, const json_t *own, char *err, size_t err_len)
{
	const char *login = text_of(reply, "loginUrl");
	const char *text = *login ? login : text_of(reply, "text");
	const char *ssid = json_string_value(json_object_get(own, "ssid"))
				   ?: text_of(reply, "ssid");
	const char *venue = json_string_value(json_object_get(own, "venue"))
				    ?: text_of(reply, "venue");
	bool is_wifi = !strncmp(text, "WIFI:", 5);
	_cleanup_free_ uint8_t *logo = NULL;
	char wifi[WIFI_URI_SIZE] = "", until[11];
	struct drawing drawing = {.text = text,
		.look = {.level = *text_of(own, "level"), .pixels = pixels_of(own)}};
	int ret = 0;

	/* The day is enough, and read alike in every language. */
	snprintf(until, sizeof(until), "%s", text_of(reply, "expiresAt"));
	/* A name that only the reply has says nothing of a password. */
	if (json_object_get(own, "ssid"))
		ret = wifi_of(own, ssid, wifi, err, err_len);
	if (!ret && *text_of(own, "logo")) {
		logo = xcalloc(1, QR_LOGO_MAX + 1);
		ret = read_logo(text_of(own, "logo"), logo, &drawing.look.logo_len);
		drawing.look.logo = logo;
		if (ret)
			explain(ret, text_of(own, "logo"), err, err_len);
	}
	if (ret)
		return ret;
	drawing.poster = (struct poster){.venue = *venue ? venue : ssid,
		.url = is_wifi ? "" : text,
		.ssid = ssid,
		.wifi = wifi,
		.until = until,
		.is_login = *login,
		.languages = text_of(own, "langs"),
		.look = &drawing.look};
	return put_files(&drawing, own, err, err_len);
}
