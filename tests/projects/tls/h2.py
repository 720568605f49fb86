"""A client of HTTP/2, as small as it can be: it asks for several things at once on one connection, and prints the answers."""
import socket
import ssl
import struct
import sys

port, authority = int(sys.argv[1]), sys.argv[2]
context = ssl.create_default_context(cafile=authority)
context.set_alpn_protocols(["h2", "http/1.1"])
stream = context.wrap_socket(socket.create_connection(("127.0.0.1", port), timeout=30), server_hostname="localhost")
print("protocol", stream.selected_alpn_protocol())


def frame(kind, flags, number, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", number) + payload


def text(value):
    return bytes([len(value)]) + value


def request(number, method, path, more=b"", end=True):
    # Indexes of the static table: 2 is `:method GET`, 3 `:method POST`, 7 `:scheme https`, 4 `:path`, 1 `:authority`.
    block = bytes([0x80 | (2 if method == "GET" else 3), 0x87, 0x04]) + text(path) + b"\x01" + text(b"localhost") + more
    return frame(1, 0x4 | (0x1 if end else 0), number, block)


stream.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0))
body = b"x" * 16000
stream.sendall(
    request(1, "GET", b"/hello")
    + request(3, "POST", b"/count", end=False)
    + request(5, "GET", b"/nowhere")
    + frame(0, 0, 3, body)
    + frame(0, 0x1, 3, body)
)


def exactly(count):
    data = b""
    while len(data) < count:
        piece = stream.recv(count - len(data))
        if not piece:
            sys.exit("the connection ended")
        data += piece
    return data


# The first bytes of a header say its status: indexes 8 and 13 are `:status 200` and `:status 404`.
statuses, bodies, open_streams = {}, {1: b"", 3: b"", 5: b""}, {1, 3, 5}
while open_streams:
    head = exactly(9)
    payload = exactly(int.from_bytes(head[:3], "big"))
    kind, flags, number = head[3], head[4], int.from_bytes(head[5:], "big") & 0x7FFFFFFF
    if kind == 4 and not flags & 1:
        stream.sendall(frame(4, 1, 0))
    elif kind == 6 and not flags & 1:
        stream.sendall(frame(6, 1, 0, payload))
    elif kind == 1:
        # A change of the table's size may come before the status.
        while payload[0] & 0xE0 == 0x20:
            payload = payload[1:]
        statuses[number] = {0x88: 200, 0x8D: 404}.get(payload[0], payload[0])
    elif kind == 0:
        bodies[number] += payload
    elif kind in (3, 7):
        sys.exit("refused: %s" % payload.hex())
    if kind in (0, 1) and flags & 1:
        open_streams.discard(number)
for number in (1, 3, 5):
    print(number, statuses[number], bodies[number].decode() if statuses[number] == 200 else "")
