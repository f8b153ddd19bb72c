"""A form may only be sent from one of our own pages.

The session cookie is SameSite=Strict already. This is the second fence, for browsers and subdomains
that the first one does not hold: what a browser says about where a request comes from.
"""

from urllib.parse import urlsplit

from starlette.requests import Request

from hilum.domain.errors import NotPermitted


def require_same_origin(request: Request) -> None:
    """Let a form through that one of our own pages sent.

    Sec-Fetch-Site (W3C Fetch Metadata) decides where a browser sends it, otherwise Origin
    (RFC 6454), which every browser sends with a POST. Hosts are compared and schemes are not: a
    proxy that ends TLS passes the host on and changes the scheme.

    Raises:
        NotPermitted: The request comes from elsewhere, or does not say where from.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        allowed = site in ("same-origin", "none")
    else:
        origin = urlsplit(request.headers.get("origin", "")).netloc
        allowed = bool(origin) and origin == request.headers.get("host")
    if not allowed:
        raise NotPermitted("this form can only be sent from Hilum's own pages")
