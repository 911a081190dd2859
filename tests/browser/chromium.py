"""A headless Chromium, driven through its DevTools protocol over two pipes. Standard library only."""

import base64
import json
import os
import select
import shutil
import struct
import subprocess
import tempfile
import time
import zlib


class Chromium:
    """Requests, and what the page has to say meanwhile: `events`."""

    def __init__(self, timeout=20):
        self.timeout = timeout
        self.number = 0
        self.buffer = b""
        self.events = []
        self.session = None
        self.profile = tempfile.mkdtemp(prefix="gradsim-chromium-")
        self._start()
        try:
            self._attach()
        except BaseException:
            self.close()
            raise

    def _attach(self):
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(domain + ".enable")

    def _start(self):
        """It reads requests from descriptor 3 and writes answers to 4."""
        request_end, self.requests = os.pipe()
        self.answers, answer_end = os.pipe()
        command = 'exec "$0" "$@" 3<&%d 4>&%d' % (request_end, answer_end)
        options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                   "--no-first-run", "--hide-scrollbars", "--force-color-profile=srgb",
                   "--disable-background-networking", "--disable-component-update",
                   "--remote-debugging-pipe", "--user-data-dir=" + self.profile]
        # Descriptors above 9 need a shell that knows them: bash.
        self.process = subprocess.Popen(["bash", "-c", command, "chromium", *options],
                                        pass_fds=(request_end, answer_end),
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, start_new_session=True)
        os.close(request_end)
        os.close(answer_end)

    def close(self):
        try:
            self.session = None
            self.ask("Browser.close")
            self.process.wait(5)
        except (OSError, TimeoutError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        finally:
            os.close(self.requests)
            os.close(self.answers)
            shutil.rmtree(self.profile, ignore_errors=True)

    def _read(self, until):
        """The next message."""
        while b"\0" not in self.buffer:
            ready, _, _ = select.select([self.answers], [], [], max(0, until - time.monotonic()))
            part = os.read(self.answers, 1 << 16) if ready else b""
            if not part:
                raise TimeoutError("Chromium does not answer")
            self.buffer += part
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def ask(self, method, **parameters):
        self.number += 1
        request = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            request["sessionId"] = self.session
        os.write(self.requests, json.dumps(request).encode() + b"\0")
        until = time.monotonic() + self.timeout
        while True:
            message = self._read(until)
            if message.get("id") == self.number:
                if "error" in message:
                    raise RuntimeError(method + ": " + message["error"]["message"])
                return message["result"]
            if "method" in message:
                self.events.append(message)

    def open(self, path):
        self.events.clear()
        self.ask("Page.navigate", url="file://" + os.path.abspath(path))
        until = time.monotonic() + self.timeout
        while not any(event["method"] == "Page.loadEventFired" for event in self.events):
            self.events.append(self._read(until))

    def run(self, script):
        """The value of an expression in the page."""
        answer = self.ask("Runtime.evaluate", expression=script, returnByValue=True,
                          awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"]["exception"].get("description", script))
        return answer["result"].get("value")

    def show(self, width=1280, height=900, dark=False, media="", mobile=False):
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height,
                 deviceScaleFactor=1, mobile=mobile)
        self.ask("Emulation.setTouchEmulationEnabled", enabled=mobile)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.ask("Emulation.setEmulatedMedia", media=media, features=[scheme])

    def move(self, x, y):
        self.ask("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def click(self, x, y):
        self.move(x, y)
        for kind in ("mousePressed", "mouseReleased"):
            self.ask("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def touch(self, x, y):
        self.ask("Input.dispatchTouchEvent", type="touchStart", touchPoints=[{"x": x, "y": y}])
        self.ask("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])

    def press(self, key, code, text=""):
        for kind in ("keyDown", "keyUp"):
            self.ask("Input.dispatchKeyEvent", type=kind, key=key, code=key,
                     windowsVirtualKeyCode=code, text=text if kind == "keyDown" else "")

    def screenshot(self, whole=False):
        answer = self.ask("Page.captureScreenshot", captureBeyondViewport=whole)
        return base64.b64decode(answer["data"])

    def pdf(self):
        return base64.b64decode(self.ask("Page.printToPDF", printBackground=False)["data"])


def pixels(png):
    """The rows of a PNG of 8 bits a channel, each a list of (red, green, blue)."""
    at, data = 8, b""
    while at < len(png):
        length, kind = struct.unpack(">I4s", png[at:at + 8])
        chunk = png[at + 8:at + 8 + length]
        if kind == b"IHDR":
            width, height, _, color = struct.unpack(">IIBB", chunk[:10])
        elif kind == b"IDAT":
            data += chunk
        at += 12 + length
    channels = {2: 3, 6: 4}[color]
    return _unfilter(zlib.decompress(data), width, height, channels)


def _unfilter(data, width, height, channels):
    """PNG (second edition), section 9: each row is predicted from its neighbours."""
    size, above, rows = width * channels, bytearray(width * channels), []
    for y in range(height):
        start = y * (size + 1)
        kind, line = data[start], bytearray(data[start + 1:start + 1 + size])
        for i in range(size if kind else 0):
            left = line[i - channels] if i >= channels else 0
            corner = above[i - channels] if i >= channels else 0
            line[i] = (line[i] + _predict(kind, left, above[i], corner)) & 255
        above = line
        rows.append([tuple(line[i:i + 3]) for i in range(0, size, channels)])
    return rows


def _predict(kind, left, up, corner):
    if kind < 4:
        return (0, left, up, (left + up) // 2)[kind]
    estimate = left + up - corner
    return min((left, up, corner), key=lambda value: abs(estimate - value))
