#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The lab's internet: one web server for every name, IPv4 and IPv6, port 80.

It answers the probes of phones and browsers as their makers' servers do, so
that a guest that is online looks online:
  /bytes/N   N bytes          POST anything   how many bytes came
"""

import http.server
import socket
import socketserver

PAGE = ("<!doctype html><title>{host}</title><h1>{host}</h1>"
        "<p>You are online.</p>\n")

NM = (200, "text/plain", "NetworkManager is online\n")
SUCCESS = (200, "text/html", "<HTML><HEAD><TITLE>Success</TITLE></HEAD>"
                             "<BODY>Success</BODY></HTML>\n")
WINDOWS = (200, "text/plain", "Microsoft Connect Test")
# Path: the answer under any name that is asked for it.
PATHS = {
    "/generate_204": (204, None, ""),
    "/gen_204": (204, None, ""),
    "/captiveportal/generate_204": (204, None, ""),
    "/204": (204, None, ""),
    "/hotspot-detect.html": SUCCESS,
    "/library/test/success.html": SUCCESS,
    "/connecttest.txt": WINDOWS,
    "/ncsi.txt": (200, "text/plain", "Microsoft NCSI"),
    "/success.txt": (200, "text/plain", "success\n"),
    "/canonical.html": (
        200, "text/html", '<meta http-equiv="refresh" content="0;url='
                          'https://support.mozilla.org/kb/captive-portal"/>'),
    "/check_network_status.txt": NM,
    "/nm-check.txt": NM,
    "/nm": NM,
    "/static/hotspot.txt": (200, "text/plain", "OK"),
    "/kindle-wifi/wifistub.html": (
        200, "text/html", "<html><head><title>Kindle Reachability Probe Page</title></head>"
                          "<body>81ce4465-7167-4dcb-835b-dcc9e44c112a</body></html>"),
}
# Host: its front page.
FRONTS = {
    "connectivity-check.ubuntu.com": (204, None, ""),
    "conncheck.opensuse.org": NM,
    "networkcheck.kde.org": (200, "text/plain", "OK\n"),
    "ctest.cdn.nintendo.net": (200, "text/plain", "ok"),
    "conntest.nintendowifi.net": (
        200, "text/html", "<html><head><title>HTML Page</title></head>"
                          "<body>This is test.html page</body></html>"),
}
BYTES_MAX = 1 << 30


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, kind, body):
        data = body.encode()
        self.send_response(status)
        if kind:
            self.send_header("Content-Type", kind)
        if status != 204:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def do_GET(self):
        host = self.headers.get("Host", "?").split(":")[0]
        if self.path.startswith("/bytes/"):
            self.send_bytes(min(int(self.path[7:]), BYTES_MAX))
        elif self.path.partition("?")[0] in PATHS:
            self.answer(*PATHS[self.path.partition("?")[0]])
        elif self.path == "/" and host in FRONTS:
            self.answer(*FRONTS[host])
        else:
            self.answer(200, "text/html", PAGE.format(host=host))

    do_HEAD = do_GET

    def send_bytes(self, count):
        self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(count))
        self.end_headers()
        block = bytes(65536)
        while count > 0:
            self.wfile.write(block[:count])
            count -= len(block)

    def do_POST(self):
        left = int(self.headers.get("Content-Length", 0))
        count = 0
        while left > 0:
            got = len(self.rfile.read(min(left, 65536)))
            if not got:
                break
            left -= got
            count += got
        self.answer(200, "text/plain", f"{count}\n")

    def log_message(self, format, *args):
        pass


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    address_family = socket.AF_INET6  # takes IPv4 as well
    daemon_threads = True
    request_queue_size = 256


Server(("::", 80), Handler).serve_forever()
