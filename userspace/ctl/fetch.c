/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HTTP and TLS are libcurl's, names the resolver's of the C library. Nothing of
 * the caller's surroundings counts: no proxy, no .netrc, no cookies.
 */
#include "ctl/fetch.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <curl/curl.h>
#include <errno.h>
#include <netdb.h>
#include <resolv.h>
#include <string.h>

/* Of sys/param.h, which the above bring along. */
#undef MIN
#undef MAX
#include "base/util.h"

#define TIMEOUT_MS 4000L

static size_t on_body(char *data, size_t size, size_t count, void *cls)
{
	struct fetched *f = cls;
	size_t room = FETCH_BODY_MAX - f->len, len = MIN(count, room);

	memcpy(f->body + f->len, data, len);
	f->len += len;
	return count;
}

/* "name:80:address": whoever is asked for, there. */
static struct curl_slist *make_place(const char *url, const char *address)
{
	struct curl_slist *list;
	char *host = NULL, *port = NULL, row[512];
	CURLU *parts = curl_url();

	curl_url_set(parts, CURLUPART_URL, url, 0);
	curl_url_get(parts, CURLUPART_HOST, &host, 0);
	curl_url_get(parts, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT);
	snprintf(row, sizeof(row), "%s:%s:%s", host ?: "", port ?: "", address);
	list = curl_slist_append(NULL, row);
	curl_free(host);
	curl_free(port);
	curl_url_cleanup(parts);
	return list;
}

static void note(CURL *curl, CURLcode code, struct fetched *f)
{
	char *text = NULL;
	curl_off_t us = 0;
	long status = 0, err = 0;

	curl_easy_getinfo(curl, CURLINFO_TOTAL_TIME_T, &us);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &err);
	f->ms = (int)(us / 1000);
	/* A 302 may be all there is: the stream's end comes with it. */
	if (code == CURLE_OK || status)
		f->status = (int)status;
	f->is_refused = code == CURLE_COULDNT_CONNECT && err == ECONNREFUSED;
	f->is_untrusted = code == CURLE_PEER_FAILED_VERIFICATION ||
			  code == CURLE_SSL_CACERT_BADFILE;
	if (!f->status)
		snprintf(f->error, sizeof(f->error), "%s",
			curl_easy_strerror(code));
	if (!curl_easy_getinfo(curl, CURLINFO_REDIRECT_URL, &text) && text)
		snprintf(f->location, sizeof(f->location), "%s", text);
	text = NULL;
	if (!curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &text) && text)
		snprintf(f->type, sizeof(f->type), "%s", text);
}

void fetch_get(const struct wanted *wanted, struct fetched *ret)
{
	struct curl_slist *at =
		wanted->address ? make_place(wanted->url, wanted->address) : NULL;
	CURL *curl = curl_easy_init();

	*ret = (struct fetched){.body = xcalloc(1, FETCH_BODY_MAX + 1)};
	if (!curl) {
		snprintf(ret->error, sizeof(ret->error), "libcurl fails");
		return;
	}
	curl_easy_setopt(curl, CURLOPT_URL, wanted->url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, TIMEOUT_MS);
	curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, 1L);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, wanted->agent);
	curl_easy_setopt(curl, CURLOPT_RESOLVE, at);
	if (wanted->ca)
		curl_easy_setopt(curl, CURLOPT_CAINFO, wanted->ca);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, ret);
	note(curl, curl_easy_perform(curl), ret);
	curl_easy_cleanup(curl);
	curl_slist_free_all(at);
}

void fetch_fini(struct fetched *fetched)
{
	free(fetched->body);
	fetched->body = NULL;
}

static int first_address(
	const uint8_t *answer, int len, struct in_addr *ret_address)
{
	ns_msg message;
	ns_rr row;
	int i;

	if (ns_initparse(answer, len, &message))
		return -ENOENT;
	for (i = 0; i < ns_msg_count(message, ns_s_an); i++)
		if (!ns_parserr(&message, ns_s_an, i, &row) &&
			ns_rr_type(row) == ns_t_a && ns_rr_rdlen(row) == 4) {
			memcpy(ret_address, ns_rr_rdata(row), 4);
			return 0;
		}
	return -ENOENT;
}

int fetch_resolve(const char *name, struct in_addr server,
	struct in_addr *ret_address)
{
	struct __res_state state = {0};
	uint8_t answer[2048];
	int len, ret;

	if (res_ninit(&state))
		return -EIO;
	state.retrans = 2;
	state.retry = 2;
	if (server.s_addr) {
		state.nscount = 1;
		state.nsaddr_list[0] = (struct sockaddr_in){
			.sin_family = AF_INET,
			.sin_port = htons(53),
			.sin_addr = server};
	}
	len = res_nquery(&state, name, ns_c_in, ns_t_a, answer, sizeof(answer));
	if (len < 0)
		ret = state.res_h_errno == TRY_AGAIN ? -ETIMEDOUT : -ENOENT;
	else
		ret = first_address(answer, MIN(len, (int)sizeof(answer)),
			ret_address);
	res_nclose(&state);
	return ret;
}
