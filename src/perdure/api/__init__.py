"""The HTTP API over a runtime: routes per resource and problems. No business rule lives here.

`create_app` gives the ASGI application. What holds of every answer:

- Every path but the health checks and the description of the API needs the admin key; without it
  nothing else is told, not even whether a path exists.
- Requests of pages of other origins are refused, and without a key those to names that are not
  loopback's.
- The OpenAPI document is made of what the code goes by: what is answered is declared in it.
- What is not understood is refused, never ignored: unknown query parameters and body fields,
  and another content type.
- Every error is `application/problem+json` (RFC 9457) and is made in `problems`, with a code of
  the one table there; an unexpected exception is logged and shown as nothing but a number.
- Bodies, pages, waits and nesting have limits.
- A client that leaves changes nothing: what it started goes on.
"""

from perdure.api.app import App, create_app

__all__ = ["App", "create_app"]
