/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The configuration file: no input crashes it or is taken without a network. */
#include "base/config.h"
#include "base/util.h"
#include <sys/mman.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void report(void *data, const char *path, int line, const char *text)
{
	(*(int *)data)++;
	if (line < 0 || !*text)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct config config;
	int fd = memfd_create("config", 0), faults = 0, ret;
	char path[64];

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ret = config_load(path, CONFIG_FOR_GATE, &config, report, &faults);
	close(fd);
	if ((ret == 0) != (faults == 0))
		abort();
	if (ret == 0 && config.network_count < 1)
		abort();
	return 0;
}
