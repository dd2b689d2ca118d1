"""A store client made by hand, for what real clients do not do: to stop reading, or to read an answer
of a gigabyte without keeping it. HTTP/2 without TLS, and of its header compression only literals."""

import collections
import socket
import struct
import time

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
END_STREAM, END_HEADERS, ACK = 1, 4, 1
FRAME_MAX = 16384


def varint(number):
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def field(number, value):
    """A protobuf field: an integer or bytes."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def put(key, value, lease=0):
    return field(1, key) + field(2, value) + (field(3, lease) if lease else b"")


def transaction(puts):
    return b"".join(field(2, field(2, request)) for request in puts)


def fields(message):
    """A protobuf message's fields: lists by number, varints as numbers and the rest as bytes."""
    found, offset = {}, 0

    def varint():
        nonlocal offset
        value = shift = 0
        while True:
            byte = message[offset]
            offset += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while offset < len(message):
        tag = varint()
        value = varint()
        if tag & 7 == 2:
            value, offset = message[offset:offset + value], offset + value
        found.setdefault(tag >> 3, []).append(value)
    return found


def literal(index, value):
    """A header whose name stands in the static table."""
    first = bytes([index]) if index < 15 else bytes([15, index - 15])
    return first + bytes([len(value)]) + value


class Broken(Exception):
    pass


class Connection:
    """Calls on one connection; `window` bytes may be under way for one call and for all together."""

    def __init__(self, port, window=1 << 30):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.next = 1
        self.window = window
        self.input = bytearray()
        # Bytes of answers so far, by stream, and streams that have ended with whether they are whole.
        self.received = collections.Counter()
        self.ended = {}
        self.headers = b""
        settings = struct.pack(">HI", 4, window)
        self.socket.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + self.frame(SETTINGS, 0, 0, settings))
        if window > 65535:
            self.socket.sendall(self.frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", window - 65535)))
        # The server's settings come first, and let requests be larger than 64 KiB.
        self.read()

    @staticmethod
    def frame(kind, flags, stream, payload):
        return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload

    def begin(self, path, message, ends=True):
        """Sends a call with one message; answers the stream."""
        stream = self.next
        self.next += 2
        headers = (b"\x83\x86" + literal(4, path.encode()) + literal(1, b"localhost")
                   + literal(31, b"application/grpc") + b"\x00\x02te\x08trailers")
        out = self.frame(HEADERS, END_HEADERS, stream, headers)
        body = b"\x00" + struct.pack(">I", len(message)) + message
        for start in range(0, len(body), FRAME_MAX):
            last = start + FRAME_MAX >= len(body)
            flags = END_STREAM if last and ends else 0
            out += self.frame(DATA, flags, stream, body[start:start + FRAME_MAX])
        self.socket.sendall(out)
        return stream

    def read(self, keep=None):
        """Reads what has come, at least one frame; `keep(stream, bytes)` gets the bytes of answers."""
        while True:
            more = self.socket.recv(1 << 20)
            if not more:
                raise Broken("connection closed")
            self.input += more
            if len(self.input) >= 9 and len(self.input) >= 9 + int.from_bytes(self.input[:3], "big"):
                break
        offset, consumed = 0, 0
        view = memoryview(self.input)
        while len(view) - offset >= 9:
            length = int.from_bytes(view[offset:offset + 3], "big")
            if len(view) - offset - 9 < length:
                break
            kind, flags = view[offset + 3], view[offset + 4]
            stream = int.from_bytes(view[offset + 5:offset + 9], "big")
            payload = view[offset + 9:offset + 9 + length]
            offset += 9 + length
            if kind == DATA:
                consumed += length
                self.received[stream] += length
                if keep:
                    keep(stream, payload)
            elif kind == SETTINGS and not flags & ACK:
                self.socket.sendall(self.frame(SETTINGS, ACK, 0, b""))
            elif kind == PING and not flags & ACK:
                self.socket.sendall(self.frame(PING, ACK, 0, bytes(payload)))
            elif kind == RST_STREAM:
                self.ended[stream], self.headers = False, bytes(payload)
            elif kind == HEADERS:
                # Not decoded, but good enough for a message about what failed.
                self.headers = bytes(payload)
            elif kind == GOAWAY:
                raise Broken("server goes away")
            if kind in (DATA, HEADERS) and flags & END_STREAM:
                # An answer that failed has no message, or breaks off before its end.
                self.ended[stream] = self.received[stream] > 0
        payload = view = None
        del self.input[:offset]
        if consumed and self.window >= 1 << 20:
            self.socket.sendall(self.frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", consumed)))

    def give(self, stream, count):
        """Lets the server send so many bytes more."""
        for place in (0, stream):
            self.socket.sendall(self.frame(WINDOW_UPDATE, 0, place, struct.pack(">I", count)))

    def call(self, path, message, keep=None):
        """Makes one call and waits for its end; answers the bytes of its answer."""
        stream = self.begin(path, message)
        while stream not in self.ended:
            self.read(keep)
        if not self.ended[stream]:
            raise Broken(f"{path} failed: {self.headers}")
        return self.received[stream]

    def load(self, path, messages, at_once):
        """Makes the calls, so many under way; answers how long each took."""
        started, times = {}, []
        waiting = iter(messages)
        while True:
            while len(started) < at_once:
                message = next(waiting, None)
                if message is None:
                    break
                started[self.begin(path, message)] = time.monotonic()
            if not started:
                return times
            self.read()
            now = time.monotonic()
            for stream in [stream for stream in started if stream in self.ended]:
                if not self.ended.pop(stream):
                    raise Broken(f"{path} failed: {self.headers}")
                del self.received[stream]
                times.append(now - started.pop(stream))

    def close(self):
        self.socket.close()
