# SPDX-License-Identifier: GPL-2.0-or-later
"""nginx serving one file: what the portal is compared with. Debian's package,
unpacked into the build folder where it is not installed: to install it would
start it."""

import pathlib
import shutil

from place import BenchError, sh

# One process, as the portal is one. The file's bytes are no matter, their
# number is.
CONFIG = """\
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/nginx.error.log;
worker_rlimit_nofile 65536;
events {{ worker_connections 8192; }}
http {{
    access_log off;
    types {{ }}
    default_type "text/html; charset=utf-8";
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen {address}:80 backlog=4096;
        root {folder}/www;
    }}
}}
"""


def program(build):
    found = shutil.which("nginx", path="/usr/sbin:/usr/bin")
    if found:
        return found
    folder = build / "nginx"
    unpacked = folder / "usr/sbin/nginx"
    if not unpacked.exists():
        folder.mkdir(exist_ok=True)
        sh(["apt-get", "-qq", "download", "nginx"], cwd=folder)
        for package in folder.glob("nginx_*.deb"):
            sh(["dpkg", "-x", str(package), str(folder)])
    if not unpacked.exists():
        raise BenchError("nginx: neither installed nor to be had from apt-get")
    return str(unpacked)


def prepare(place, address, size):
    """A folder with a file of so many bytes; the command that serves it."""
    folder = pathlib.Path(place.work) / "nginx"
    (folder / "www").mkdir(parents=True, exist_ok=True)
    (folder / "www/file").write_bytes(b"x" * size)
    config = folder / "nginx.conf"
    config.write_text(CONFIG.format(folder=folder, address=address))
    return program(place.build), "-p", folder, "-c", config
