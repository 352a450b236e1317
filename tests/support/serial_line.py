# SPDX-License-Identifier: Apache-2.0
"""A serial line to somebody who listens on a TCP port of 127.0.0.1: prints the path of a pseudo terminal,
and hands on bytes both ways until it is ended.

    python3 serial_line.py PORT"""

import os
import pty
import select
import socket
import sys
import tty

near, far = pty.openpty()
tty.setraw(far)
peer = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
print(os.ttyname(far), flush=True)
while True:
    ready, _, _ = select.select([near, peer], [], [])
    if near in ready:
        peer.sendall(os.read(near, 512))
    if peer in ready:
        data = peer.recv(512)
        if not data:
            break
        os.write(near, data)
