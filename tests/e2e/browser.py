"""Debian's headless Chromium, driven over the DevTools protocol by a pipe: nothing but the browser
itself is needed."""

import itertools
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

import pytest

LIMIT = 15  # seconds for one answer, and for one thing to come about


def chromium():
    found = shutil.which("chromium")
    if not found:
        pytest.fail("no chromium: run `deploy/install test`, or apt-get install chromium", pytrace=False)
    return found


class Browser:
    """One browser process; pages share it."""

    def __init__(self):
        self._directory = tempfile.TemporaryDirectory(prefix="weir-browser-")
        to_read, self._out = os.pipe()
        self._in, to_write = os.pipe()
        # The browser reads descriptor 3 and writes 4.
        low, high = os.dup(to_read), os.dup(to_write)
        os.close(to_read)
        os.close(to_write)

        def arrange():
            a, b = os.dup(low), os.dup(high)
            while min(a, b) < 5:
                a, b = os.dup(a), os.dup(b)
            os.dup2(a, 3)
            os.dup2(b, 4)

        self.process = subprocess.Popen(
            [chromium(), "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
             "--disable-dev-shm-usage", "--disable-extensions", "--disable-background-networking",
             "--no-proxy-server", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, MAP *.localhost 127.0.0.1",
             f"--user-data-dir={self._directory.name}", "--remote-debugging-pipe", "about:blank"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            close_fds=False, preexec_fn=arrange, start_new_session=True)
        os.close(low)
        os.close(high)
        self._ids = itertools.count(1)
        self._buffer = b""
        self.events = []

    def _read(self, deadline):
        while b"\0" not in self._buffer:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._in], [], [], left)[0]:
                raise TimeoutError("the browser does not answer")
            chunk = os.read(self._in, 1 << 16)
            if not chunk:
                raise EOFError("the browser has ended")
            self._buffer += chunk
        message, self._buffer = self._buffer.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, session=None, **parameters):
        number = next(self._ids)
        message = {"id": number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._out, data):]
        deadline = time.monotonic() + LIMIT
        while True:
            answer = self._read(deadline)
            if answer.get("id") == number:
                assert "error" not in answer, (method, answer["error"])
                return answer["result"]
            self.events.append(answer)

    def page(self, url=None, width=1440, height=900, dark=False):
        return Page(self, url, width, height, dark)

    def stop(self):
        try:
            self.call("Browser.close")
            self.process.wait(10)
        except (AssertionError, OSError, EOFError, TimeoutError, subprocess.TimeoutExpired):
            pass
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._in)
        os.close(self._out)
        self._directory.cleanup()


class Page:
    def __init__(self, browser, url, width, height, dark):
        self._browser = browser
        self._context = browser.call("Target.createBrowserContext")["browserContextId"]
        target = browser.call("Target.createTarget", url="about:blank", browserContextId=self._context)
        self._target = target["targetId"]
        self._session = browser.call("Target.attachToTarget", targetId=self._target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")
        self.size(width, height)
        if dark:
            self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}])
        if url:
            self.open(url)

    def call(self, method, **parameters):
        return self._browser.call(method, self._session, **parameters)

    def size(self, width, height):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                  mobile=width < 600)

    def open(self, url):
        self.call("Page.navigate", url=url)

    def reload(self):
        self.call("Page.reload")

    def run(self, script):
        """The value of an expression; it may be a promise."""
        result = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in result, (script, result["exceptionDetails"])
        return result["result"].get("value")

    def wait(self, script, what=None, limit=LIMIT):
        deadline = time.monotonic() + limit
        while True:
            try:
                value = self.run(script)
            except AssertionError:  # the page is being changed
                value = None
            if value:
                return value
            assert time.monotonic() < deadline, (what or script, self.text()[-3000:])
            time.sleep(0.05)

    def text(self, selector="body"):
        return self.run(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''")

    def wait_for_text(self, text, selector="body", limit=LIMIT):
        return self.wait(f"(document.querySelector({json.dumps(selector)})?.innerText ?? '').includes({json.dumps(text)})",
                         f"{text!r} in {selector}", limit)

    def click(self, selector, text=None):
        """A real press at the middle of what is there."""
        find = (f"[...document.querySelectorAll({json.dumps(selector)})].find(e => e.checkVisibility() && "
                f"({json.dumps(text)} === null || e.textContent.includes({json.dumps(text)})))")
        self.wait(f"!!{find}", f"{selector} {text}")
        x, y = self.run(f"(e => {{ e.scrollIntoView({{block: 'center'}}); const b = e.getBoundingClientRect(); "
                        f"return [b.x + b.width / 2, b.y + b.height / 2]; }})({find})")
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def type(self, text):
        self.call("Input.insertText", text=text)

    def press(self, key, code=None):
        codes = {"Tab": 9, "Enter": 13, "Escape": 27, " ": 32}
        for kind in ("keyDown", "keyUp"):
            more = {"text": "\r"} if key == "Enter" and kind == "keyDown" else {}
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=code or key,
                      windowsVirtualKeyCode=codes.get(key, 0), **more)

    def complaints(self):
        """What the browser has to say against the page, so far: errors and violated policies."""
        found = []
        for event in self._browser.events:
            if event.get("sessionId") != self._session:
                continue
            if event["method"] == "Runtime.exceptionThrown":
                found.append(event["params"]["exceptionDetails"])
            if event["method"] == "Log.entryAdded" and event["params"]["entry"]["level"] == "error":
                found.append(event["params"]["entry"])
        return found

    def picture(self, path, whole=False):
        import base64
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)["data"]
        with open(path, "wb") as out:
            out.write(base64.b64decode(data))

    def close(self):
        self._browser.call("Target.disposeBrowserContext", browserContextId=self._context)
