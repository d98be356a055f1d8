"""Headers of every answer: a strict content policy, no sniffing, no framing, no caching of pages."""

from flask import Flask, Response, g, request

from nps.core import ids


def csp_nonce() -> str:
    """The nonce of this answer's one style element; asking for it puts it into the policy."""
    if "csp_nonce" not in g:
        g.csp_nonce = ids.new_token(16)
    nonce: str = g.csp_nonce
    return nonce


def allow_form_to(origin: str) -> None:
    """Let a form on this page end at another origin (a hosted checkout)."""
    g.form_targets = [*g.get("form_targets", []), origin]


def policy() -> str:
    """The Content-Security-Policy of this answer."""
    nonce = f" 'nonce-{g.csp_nonce}'" if "csp_nonce" in g else ""
    targets = " ".join(["'self'", *g.get("form_targets", [])])
    return (
        "default-src 'none'; script-src 'self'; "
        f"style-src 'self'{nonce}; font-src 'self'; img-src 'self' data:; connect-src 'self'; frame-src 'self'; manifest-src 'self'; "
        f"form-action {targets}; frame-ancestors {g.get('frame_ancestors', chr(39) + 'none' + chr(39))}; base-uri 'none'"
    )


def install(app: Flask) -> None:
    """Set the headers unless a view has set them itself."""
    secure = app.extensions["settings"].secure

    @app.after_request
    def _headers(response: Response) -> Response:
        headers = response.headers
        headers.setdefault("Content-Security-Policy", policy())
        headers.setdefault("X-Content-Type-Options", "nosniff")
        headers.setdefault("Referrer-Policy", g.get("referrer_policy", "same-origin"))
        headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
        if request.endpoint != "static":
            headers.setdefault("Cache-Control", "no-store")
        if g.get("noindex"):
            headers.setdefault("X-Robots-Tag", "noindex, nofollow")
        if secure:
            headers.setdefault("Strict-Transport-Security", "max-age=63072000; includeSubDomains")
        return response

    app.jinja_env.globals["csp_nonce"] = csp_nonce
