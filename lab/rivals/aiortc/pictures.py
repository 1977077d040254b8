"""Pictures that count and a tone, made and read back: see ../tests/rivals/film.rs for what is in them."""

import math
import struct

import av
from aiortc import AudioStreamTrack, VideoStreamTrack
from aiortc.mediastreams import MediaStreamError

COLUMNS, ROWS, CELL = 8, 4, 32
WIDTH, HEIGHT = COLUMNS * CELL, ROWS * CELL
# A picture's number begins here again.
FRAMES = 200


def check(number):
    return (number ^ number >> 6 ^ number >> 12 ^ number >> 18) & 63 ^ 0b101101


def draw(number):
    """Rows of luma: each cell is a bit of the number and its check, the highest first."""
    bits = number << 6 | check(number)
    rows = bytearray()
    for row in range(ROWS):
        line = b"".join(
            (b"\xeb" if bits >> (31 - row * COLUMNS - column) & 1 else b"\x10") * CELL for column in range(COLUMNS)
        )
        rows += line * CELL
    return bytes(rows)


def read(frame):
    """The number in a picture, or None where it is not one of those."""
    if (frame.width, frame.height) != (WIDTH, HEIGHT):
        return None
    plane = frame.planes[0]
    luma, line, bits = bytes(plane), plane.line_size, 0
    for cell in range(COLUMNS * ROWS):
        row, column = divmod(cell, COLUMNS)
        bits = bits << 1 | (luma[(row * CELL + CELL // 2) * line + column * CELL + CELL // 2] > 128)
    number = bits >> 6
    return number if bits & 63 == check(number) else None


class Pictures(VideoStreamTrack):
    def __init__(self):
        super().__init__()
        self.number = 0

    async def recv(self):
        pts, time_base = await self.next_timestamp()
        frame = av.VideoFrame(WIDTH, HEIGHT, "yuv420p")
        luma = draw(self.number)
        rows, line = frame.planes[0], frame.planes[0].line_size
        rows.update(b"".join(luma[at * WIDTH : (at + 1) * WIDTH].ljust(line, b"\0") for at in range(HEIGHT)))
        for plane in frame.planes[1:]:
            plane.update(b"\x80" * plane.buffer_size)
        frame.pts, frame.time_base = pts, time_base
        self.number = (self.number + 1) % FRAMES
        return frame


class Tone(AudioStreamTrack):
    async def recv(self):
        frame = await super().recv()
        wave = (int(8000 * math.sin(2 * math.pi * 440 * (frame.pts + at) / frame.sample_rate)) for at in range(frame.samples))
        frame.planes[0].update(struct.pack(f"<{frame.samples}h", *wave).ljust(frame.planes[0].buffer_size, b"\0"))
        return frame


async def watch(track, say):
    """Tells each picture's number, and twice a second how loud it is."""
    loudest, count = 0, 0
    while True:
        try:
            frame = await track.recv()
        except MediaStreamError:
            return
        if track.kind == "video":
            say({"video": read(frame), "size": [frame.width, frame.height]})
            continue
        samples = struct.unpack(f"<{len(bytes(frame.planes[0])) // 2}h", bytes(frame.planes[0]))
        loudest, count = max(loudest, max(map(abs, samples))), count + 1
        if count % 25 == 0:
            say({"audio": count, "loudest": loudest})
            loudest = 0


def lose(peer, every):
    """Has one of so many packets of media vanish on its way out, and one on its way in."""
    counts = {"out": 0, "in": 0}

    def is_lost(way, data):
        is_media = len(data) > 1 and 128 <= data[0] < 192 and not 192 <= data[1] < 224
        counts[way] += is_media
        return is_media and counts[way] % every == 0

    for transport in {one.sender.transport.transport for one in peer.getTransceivers()}:
        send, recv = transport._send, transport._recv

        async def sending(data, send=send):
            if not is_lost("out", data):
                await send(data)

        async def receiving(recv=recv):
            while is_lost("in", data := await recv()):
                pass
            return data

        transport._send, transport._recv = sending, receiving
