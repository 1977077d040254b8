"""GStreamer's webrtcbin at a WHIP address, for as long as standard input is open: a moving ball and a tone.

    gstreamer.py vp8|h264 URL

Says `status N` for the answer's status, and the states of its connection. Its packages: python3-gst-1.0, gstreamer1.0-nice,
gstreamer1.0-plugins-base, -good and -bad, gir1.2-gst-plugins-bad-1.0.
"""

import ssl
import sys
import threading
import urllib.error
import urllib.request

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402

ENCODERS = {
    "vp8": "vp8enc deadline=1 keyframe-max-dist=40 target-bitrate=400000 ! rtpvp8pay pt=96 picture-id-mode=2"
    " ! application/x-rtp,media=video,encoding-name=VP8,payload=96",
    "h264": "openh264enc gop-size=40 bitrate=400000 ! video/x-h264,profile=constrained-baseline ! rtph264pay pt=96 config-interval=-1 aggregate-mode=zero-latency"
    " ! application/x-rtp,media=video,encoding-name=H264,payload=96,"
    "packetization-mode=(string)1,profile-level-id=(string)42e01f",
}

def say(*words):
    print(*words, flush=True)


class End:
    def __init__(self, url):
        self.url = url
        self.loop = GLib.MainLoop()
        # What bindings free too early is held.
        self.held = []

    def start(self, codec):
        self.pipeline = Gst.parse_launch(
            "webrtcbin name=end bundle-policy=max-bundle"
            " videotestsrc is-live=true pattern=ball ! video/x-raw,width=320,height=240,framerate=20/1 ! "
            + ENCODERS[codec]
            + " ! end. audiotestsrc is-live=true freq=440 ! audioconvert ! audioresample ! opusenc"
            " ! rtpopuspay pt=97 ! application/x-rtp,media=audio,encoding-name=OPUS,payload=97 ! end."
        )
        self.end = self.pipeline.get_by_name("end")
        self.end.connect("on-negotiation-needed", lambda _: self.offer())
        self.end.connect("notify::ice-gathering-state", lambda *_: self.gathered())
        self.end.connect("notify::connection-state", lambda *_: self.changed())
        self.pipeline.set_state(Gst.State.PLAYING)

    def offer(self):
        def made(promise, _):
            promise.wait()
            reply = promise.get_reply()
            description = reply.get_value("offer")
            self.held += [promise, reply, description]
            self.end.emit("set-local-description", description, Gst.Promise.new())

        self.end.emit("create-offer", None, Gst.Promise.new_with_change_func(made, None))

    def gathered(self):
        if self.end.get_property("ice-gathering-state") != GstWebRTC.WebRTCICEGatheringState.COMPLETE:
            return
        sdp = self.end.get_property("local-description").sdp.as_text()
        request = urllib.request.Request(
            self.url, data=sdp.encode(), headers={"content-type": "application/sdp"}, method="POST"
        )
        try:
            # The lab's authority is known to browsers only.
            with urllib.request.urlopen(request, context=ssl._create_unverified_context()) as response:
                status, answer = response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            say("status", error.code, error.read().decode())
            return
        say("status", status)
        _, message = GstSdp.SDPMessage.new_from_text(answer)
        description = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, message)
        self.held += [message, description]
        self.end.emit("set-remote-description", description, Gst.Promise.new())

    def changed(self):
        say(self.end.get_property("connection-state").value_nick)

    def run(self):
        threading.Thread(target=self.wait_for_the_end, daemon=True).start()
        self.loop.run()
        self.pipeline.set_state(Gst.State.NULL)

    def wait_for_the_end(self):
        sys.stdin.read()
        self.loop.quit()


def main():
    Gst.init(None)
    codec, url = sys.argv[1:]
    end = End(url)
    end.start(codec)
    end.run()


main()
