# SPDX-License-Identifier: GPL-2.0-or-later
"""crowd.py PORT: 10,000 connections that say nothing and 1,000 that say a byte
now and then, each from an address of its own, opened again when they are cut.
Prints "up" once all were opened; ends with its stdin."""
import contextlib
import errno
import os
import select
import socket
import sys
import threading
import time

IDLE, SLOW = 10000, 1000
TURN = 0.05
AGAIN = 100  # of those that were cut, in one turn


class Crowd:
    def __init__(self, port):
        self.port = port
        self.poll = select.epoll()
        self.socks = {}
        self.cut = []

    def open(self, number):
        sock = socket.socket()
        sock.setblocking(False)
        sock.bind((f"127.6.{number // 250}.{number % 250 + 1}", 0))
        if sock.connect_ex(("127.0.0.1", self.port)) in (0, errno.EINPROGRESS):
            self.socks[sock.fileno()] = sock, number
            self.poll.register(sock, select.EPOLLRDHUP | select.EPOLLET)
            if number >= IDLE:
                with contextlib.suppress(OSError):
                    sock.send(b"GET / HTTP/1.1\r\nX: ")
        else:
            sock.close()
            self.cut.append(number)

    def turn(self):
        again, self.cut = self.cut[:AGAIN], self.cut[AGAIN:]
        for number in again:
            self.open(number)
        time.sleep(TURN)
        for fd, _ in self.poll.poll(0, 20000):
            sock, number = self.socks.pop(fd)
            sock.close()
            self.cut.append(number)

    def say(self):
        for sock, number in list(self.socks.values()):
            if number >= IDLE:
                with contextlib.suppress(OSError):
                    sock.send(b"a")


def stop_with_stdin():
    sys.stdin.read()
    os._exit(0)


def main():
    threading.Thread(target=stop_with_stdin, daemon=True).start()
    crowd = Crowd(int(sys.argv[1]))
    for number in range(IDLE + SLOW):
        crowd.open(number)
    print("up", flush=True)
    while True:
        for _ in range(10):
            crowd.turn()
        crowd.say()


main()
