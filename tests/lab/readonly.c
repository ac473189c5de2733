/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Preloaded into gatehoused: while there is a file READ_ONLY_WHILE, the file
 * system of the directory READ_ONLY is as if it had gone read-only, which the
 * kernel does to one with open files only when the disk under it fails.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool is_read_only(void)
{
	const char *path = getenv("READ_ONLY_WHILE");

	return path && syscall(SYS_access, path, F_OK) == 0;
}

/* A file on it that cannot be written. */
static bool refuses(int fd)
{
	const char *path = getenv("READ_ONLY");
	struct stat dir, file;

	if (!path || !is_read_only() || stat(path, &dir) || fstat(fd, &file) ||
		dir.st_dev != file.st_dev || !S_ISREG(file.st_mode))
		return false;
	errno = EROFS;
	return true;
}

static bool refuses_path(const char *path)
{
	const char *dir = getenv("READ_ONLY");

	if (!dir || strncmp(path, dir, strlen(dir)) != 0 || !is_read_only())
		return false;
	errno = EROFS;
	return true;
}

ssize_t write(int fd, const void *data, size_t len)
{
	return refuses(fd) ? -1 : syscall(SYS_write, fd, data, len);
}

ssize_t pwrite(int fd, const void *data, size_t len, off_t at)
{
	return refuses(fd) ? -1 : syscall(SYS_pwrite64, fd, data, len, at);
}

ssize_t pwrite64(int fd, const void *data, size_t len, off64_t at)
{
	return pwrite(fd, data, len, at);
}

int ftruncate(int fd, off_t len)
{
	return refuses(fd) ? -1 : (int)syscall(SYS_ftruncate, fd, len);
}

int ftruncate64(int fd, off64_t len)
{
	return ftruncate(fd, len);
}

int posix_fallocate(int fd, off_t at, off_t len)
{
	return refuses(fd) ? EROFS
			   : syscall(SYS_fallocate, fd, 0, at, len) ? errno : 0;
}

int unlink(const char *path)
{
	return refuses_path(path)
		       ? -1
		       : (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}

int rename(const char *from, const char *to)
{
	return refuses_path(to) ? -1 : (int)syscall(SYS_rename, from, to);
}

static int open_file(const char *path, int flags, va_list args)
{
	mode_t mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;

	if (flags & (O_WRONLY | O_RDWR | O_CREAT) && refuses_path(path))
		return -1;
	return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

int open(const char *path, int flags, ...)
{
	va_list args;
	int fd;

	va_start(args, flags);
	fd = open_file(path, flags, args);
	va_end(args);
	return fd;
}

int open64(const char *path, int flags, ...)
{
	va_list args;
	int fd;

	va_start(args, flags);
	fd = open_file(path, flags, args);
	va_end(args);
	return fd;
}
