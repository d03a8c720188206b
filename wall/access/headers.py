"""The headers of every answer, which tell browsers what its pages may do. Pure.

Scripts and styles come from the wall's own files alone, never from the text of a page, so a script in the name of a
camera or in an event is not executed (Content Security Policy, level 3).
"""

from __future__ import annotations

_COMMON = (
    "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
POLICY = f"{_COMMON}; script-src 'self'"
NETWORK_POLICY = f"{_COMMON}; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self' blob:"
"""Of the page that runs the network in the browser. A worker has the policy of its own file, so files have it, too."""
_PERMISSIONS = "camera=({}), microphone=(), geolocation=(), display-capture=(), usb=(), payment=()"
CAMERA_PAGE = "/camera"
FILES = "/static/"
NETWORK = "/network/"


def headers_for(path: str) -> dict[str, str]:
    """Return the headers of an answer for `path`; what the answer says itself has precedence over Cache-Control."""
    is_camera = path == CAMERA_PAGE
    runs_network = is_camera or path.startswith((FILES, NETWORK))
    return {
        "Content-Security-Policy": NETWORK_POLICY if runs_network else POLICY,
        "Permissions-Policy": _PERMISSIONS.format("self" if is_camera else ""),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        # Pages of other websites can neither show its pictures nor hold a reference to its windows; with both, threads
        # of WebAssembly may share memory.
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Embedder-Policy": "require-corp",
        "Cross-Origin-Resource-Policy": "same-origin",
        # Pictures and tracks of people stay out of the caches of browsers and proxies; files are asked for again, and
        # not sent if they are the same.
        "Cache-Control": "no-cache" if path.startswith((FILES, NETWORK)) or path in {"/", CAMERA_PAGE} else "no-store",
    }
