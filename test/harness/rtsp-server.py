# An RTSP server on loopback. Usage: rtsp-server.py JSON, with
#   port         0 takes a free one
#   file         an H.264 mp4 file, played at its natural rate at /live, once for each client; or
#   cameras      how many cameras at /cam0, /cam1 ...: a scrolling picture, lossless, so that one that stands still is bit-identical
#   size, rate   of the cameras' pictures: [width, height], frames a second
#   gop          frames from one key picture of a camera to the next
#   codec        of the cameras: h264, or jpeg, which is not lossless
#   credentials  [user, password] or null
# Prints its port. Then obeys lines of standard input, a JSON list each, and answers "ok" when it has:
#   ["credentials", [user, password] or null]   of whoever asks from now on
#   ["remove", path]     the path does not exist any more, and who watches it is cut off
#   ["restore", path]
#   ["frozen", path, bool]   whether the picture stands still while frames go on
#   ["muted", path, bool]    whether nothing is sent, while the connections stay
#   ["resized", path, [width, height]]   of its pictures from now on, in the middle of what is sent
# Ends with its standard input: the parent holds that.
import json
import os
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

SPEED = 2  # pixels a frame


def factory_of(launch, shared):
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(launch)
    factory.set_shared(shared)
    permissions = GstRtspServer.RTSPPermissions()
    for access in ("access", "construct"):
        permissions.add_permission_for_role("user", f"media.factory.{access}", True)
    factory.set_permissions(permissions)
    return factory


FORMATS = {"h264": "Y444", "jpeg": "I420"}


def encoder_of(codec, gop):
    if codec == "jpeg":
        return "jpegenc", "rtpjpegpay name=pay0 pt=26"
    return (
        f"x264enc tune=zerolatency speed-preset=ultrafast pass=quant quantizer=0 key-int-max={gop} "
        "! video/x-h264,profile=high-4:4:4 ! h264parse config-interval=-1",
        "rtph264pay name=pay0 pt=96",
    )


class Camera:
    """A live picture: one for whoever watches it, or one for each, whose connections then do not disturb each other."""

    def __init__(self, width, height, rate, gop, codec, shared):
        encoder, payloader = encoder_of(codec, gop)
        self.format = FORMATS[codec]
        self.frozen = False
        self.muted = False
        self.size = (width, height)
        self.rate = rate
        self.medias = []
        self.factory = factory_of(
            "( videotestsrc name=picture is-live=true pattern=smpte100 "
            "! capsfilter name=size "
            f"! {encoder} ! valve name=valve drop-mode=forward-sticky-events ! {payloader} )",
            shared=shared,
        )
        self.factory.connect("media-configure", self.on_media)

    def on_media(self, _factory, media):
        self.medias.append(media)
        media.connect("unprepared", self.medias.remove)
        self.apply()

    def apply(self):
        for media in self.medias:
            self.apply_to(media.get_element())

    def apply_to(self, element):
        element.get_by_name("picture").set_property("horizontal-speed", 0 if self.frozen else SPEED)
        element.get_by_name("valve").set_property("drop", self.muted)
        width, height = self.size
        caps = f"video/x-raw,format={self.format},width={width},height={height},framerate={self.rate}/1"
        element.get_by_name("size").set_property("caps", Gst.Caps.from_string(caps))


class Server:
    def __init__(self, config):
        self.watched = {}
        self.cameras = {}
        self.server = GstRtspServer.RTSPServer()
        self.server.set_address("127.0.0.1")
        self.server.set_service(str(config.get("port", 0)))
        self.server.connect("client-connected", self.on_client)
        self.mounts = self.server.get_mount_points()
        if "file" in config:
            source = f'( filesrc location="{config["file"]}" ! qtdemux ! h264parse config-interval=1 ! rtph264pay name=pay0 pt=96 )'
            self.mounts.add_factory("/live", factory_of(source, shared=False))
        for number in range(config.get("cameras", 0)):
            width, height = config["size"]
            camera = Camera(width, height, config["rate"], config["gop"], config["codec"], config["shared"])
            self.cameras[f"/cam{number}"] = camera
            self.mounts.add_factory(f"/cam{number}", camera.factory)
        self.credentials(config.get("credentials"))
        if self.server.attach(None) == 0:
            sys.exit("the port is taken")

    def on_client(self, _server, client):
        client.connect("describe-request", lambda _client, context: self.watched.update({client: context.uri.abspath}))
        client.connect("closed", lambda _client: self.watched.pop(client, None))

    def credentials(self, pair):
        if pair is None:
            self.server.set_auth(None)
            return
        auth = GstRtspServer.RTSPAuth()
        token = GstRtspServer.RTSPToken()
        token.set_string("media.factory.role", "user")
        auth.add_basic(GstRtspServer.RTSPAuth.make_basic(*pair), token)
        self.server.set_auth(auth)

    def remove(self, path):
        self.mounts.remove_factory(path)
        for client in [client for client, watched in self.watched.items() if watched == path]:
            client.close()

    def restore(self, path):
        self.mounts.add_factory(path, self.cameras[path].factory)

    def frozen(self, path, frozen):
        self.cameras[path].frozen = frozen
        self.cameras[path].apply()

    def muted(self, path, muted):
        self.cameras[path].muted = muted
        self.cameras[path].apply()

    def resized(self, path, size):
        self.cameras[path].size = size
        self.cameras[path].apply()


def obey(server, loop):
    pending = b""

    def on_input(descriptor, _condition):
        nonlocal pending
        chunk = os.read(descriptor, 65536)
        if chunk == b"":
            loop.quit()
            return False
        *lines, pending = (pending + chunk).split(b"\n")
        for line in lines:
            command, *arguments = json.loads(line)
            getattr(server, command)(*arguments)
            print("ok", flush=True)
        return True

    GLib.io_add_watch(sys.stdin.fileno(), GLib.IO_HUP | GLib.IO_IN, on_input)


Gst.init(None)
main = GLib.MainLoop()
rtsp = Server(json.loads(sys.argv[1]))
print(rtsp.server.get_bound_port(), flush=True)
obey(rtsp, main)
main.run()
