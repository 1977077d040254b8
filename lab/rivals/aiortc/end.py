"""An end of a call that aiortc makes: see ../src/lib.rs for the lines it takes and gives."""

import asyncio
import json
import sys

from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.sdp import candidate_from_sdp

import pictures

peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
channel = None
media = None
tasks = set()


def say(line):
    print(json.dumps(line), flush=True)


def pattern(length):
    return bytes(((byte * 31) >> 3) & 255 for byte in range(length))


def adopt(new):
    global channel
    channel = new

    @new.on("message")
    def on_message(message):
        if isinstance(message, str):
            say({"text": message})
        else:
            say({"bytes": len(message), "good": message == pattern(len(message))})

    @new.on("open")
    def on_open():
        say({"open": new.label})

    @new.on("close")
    def on_close():
        say({"closed": "channel"})

    if new.readyState == "open":
        on_open()


@peer.on("datachannel")
def on_datachannel(new):
    adopt(new)


@peer.on("track")
def on_track(track):
    if media and media["receive"]:
        task = asyncio.create_task(pictures.watch(track, say))
        tasks.add(task)
        task.add_done_callback(tasks.discard)


@peer.on("connectionstatechange")
def on_state():
    if peer.connectionState in ("closed", "failed"):
        say({"closed": "connection"})
    else:
        say({"note": peer.connectionState})


async def describe(description):
    # It gathers before it tells: no candidate comes later.
    await peer.setLocalDescription(description)
    local = peer.localDescription
    say({"description": {"type": local.type, "sdp": local.sdp}})


def add_media(offers):
    if media["send"]:
        peer.addTrack(pictures.Tone())
        peer.addTrack(pictures.Pictures())
        for transceiver in peer.getTransceivers():
            transceiver.direction = "sendrecv" if media["receive"] else "sendonly"
    elif offers:
        for kind in ("audio", "video"):
            peer.addTransceiver(kind, direction="recvonly")
    if media.get("lose"):
        pictures.lose(peer, media["lose"])


async def obey(line):
    global media
    if "media" in line:
        media = line["media"]
    elif "offer" in line:
        if media:
            add_media(True)
        if line["offer"]:
            adopt(peer.createDataChannel(line["offer"]))
        await describe(await peer.createOffer())
    elif "description" in line:
        description = RTCSessionDescription(**line["description"])
        await peer.setRemoteDescription(description)
        if description.type == "offer":
            if media:
                add_media(False)
            await describe(await peer.createAnswer())
    elif line.get("candidate"):
        given = line["candidate"]
        candidate = candidate_from_sdp(given["candidate"].split(":", 1)[1])
        candidate.sdpMid = given.get("sdpMid")
        candidate.sdpMLineIndex = given.get("sdpMLineIndex")
        await peer.addIceCandidate(candidate)
    elif "candidate" in line:
        await peer.addIceCandidate(None)
    elif "text" in line:
        channel.send(line["text"])
    elif "bytes" in line:
        channel.send(pattern(line["bytes"]))
    elif line.get("close") == "channel":
        channel.close()
    elif line.get("close") == "connection":
        await peer.close()


async def main():
    lines = asyncio.StreamReader(limit=1 << 20)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        try:
            await obey(json.loads(line))
        except Exception as why:
            say({"error": repr(why)})
    await peer.close()


asyncio.run(main())
