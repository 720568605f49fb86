"""A client of HTTP/2, as small as it can be. It plays a part that its third argument names, and prints what it gets."""
import socket
import ssl
import struct
import sys

port, authority, part = int(sys.argv[1]), sys.argv[2], sys.argv[3]
# Kinds of frames, and flags.
DATA, HEADERS, RESET, SETTINGS, PING, AWAY = 0, 1, 3, 4, 6, 7
ACK, END, END_OF_HEADERS = 1, 1, 4

context = ssl.create_default_context(cafile=authority)
context.set_alpn_protocols(["h2", "http/1.1"])
stream = context.wrap_socket(socket.create_connection(("127.0.0.1", port), timeout=30), server_hostname="localhost")
print("protocol", stream.selected_alpn_protocol())


def send(kind, flags, number, payload=b""):
    stream.sendall(struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", number) + payload)


def text(value):
    return bytes([len(value)]) + value


def request(number, path, method="GET", end=True):
    # Indexes of the static table: 2 is the name `:method`, 7 is `:scheme https`, 4 is `:path`, 1 is `:authority`.
    block = b"\x02" + text(method.encode()) + b"\x87\x04" + text(path) + b"\x01" + text(b"localhost")
    send(HEADERS, END_OF_HEADERS | (END if end else 0), number, block)


def exactly(count):
    data = b""
    while len(data) < count:
        piece = stream.recv(count - len(data))
        if not piece:
            sys.exit("the connection ended")
        data += piece
    return data


statuses, bodies, ended = {}, {}, set()


def read():
    head = exactly(9)
    payload = exactly(int.from_bytes(head[:3], "big"))
    kind, flags, number = head[3], head[4], int.from_bytes(head[5:], "big") & 0x7FFFFFFF
    if kind in (SETTINGS, PING) and not flags & ACK:
        send(kind, ACK, 0, payload if kind == PING else b"")
    elif kind == HEADERS:
        # A change of the table's size may come before the status, whose usual values have an index.
        while payload[0] & 0xE0 == 0x20:
            payload = payload[1:]
        statuses[number] = {0x88: 200, 0x89: 204, 0x8D: 404}.get(payload[0], payload[0])
    elif kind == DATA:
        bodies[number] = bodies.get(number, b"") + payload
    elif kind == AWAY and part == "idle":
        print("told to go")
        sys.exit()
    elif kind == RESET or (kind == AWAY and part != "stop"):
        sys.exit("refused: %s" % payload.hex())
    if kind in (DATA, HEADERS) and flags & END:
        ended.add(number)


def answer(number):
    while number not in ended:
        read()
    body = bodies.get(number, b"").decode() if statuses[number] == 200 or part == "silent" else ""
    print(number, statuses[number], body, flush=True)


stream.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
if part == "ask":
    # Several at once, and a body in two pieces.
    send(SETTINGS, 0, 0)
    request(1, b"/hello")
    request(3, b"/count", "POST", end=False)
    request(5, b"/nowhere")
    send(DATA, 0, 3, b"x" * 16000)
    send(DATA, END, 3, b"x" * 16000)
    for number in (1, 3, 5):
        answer(number)
elif part == "silent":
    # Answers that have no body, whatever was written.
    send(SETTINGS, 0, 0)
    request(1, b"/hello", "HEAD")
    request(3, b"/nowhere", "HEAD")
    request(5, b"/nothing")
    for number in (1, 3, 5):
        answer(number)
elif part == "reset":
    # Answers of a thousand bytes, and no more until the client says so: it never does.
    send(SETTINGS, 0, 0, struct.pack(">HI", 4, 1000))
    request(1, b"/floods")
    while len(bodies.get(1, b"")) < 1000:
        read()
    request(3, b"/hello")
    answer(3)
    send(RESET, 0, 1, struct.pack(">I", 8))
    request(5, b"/hello")
    answer(5)
    # The connection stays until the test has seen enough.
    sys.stdin.read()
elif part == "idle":
    send(SETTINGS, 0, 0)
    request(1, b"/hello")
    answer(1)
    while True:
        read()
elif part == "stop":
    send(SETTINGS, 0, 0)
    request(1, b"/slow")
    answer(1)
