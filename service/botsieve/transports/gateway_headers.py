"""What a gateway that is not nginx shows of a request: one list for forward-auth and gRPC.

Law of the file: only the absence of these proves anything about the client; every other header a gateway may have kept back.
"""

from __future__ import annotations

# What every gateway passes on as the client sent it.  Accept-Encoding is not among it: Go proxies add one of their own.
SHOWN = frozenset(
    b"accept accept-language cookie origin referer sec-ch-ua sec-ch-ua-mobile sec-ch-ua-platform sec-fetch-dest sec-fetch-mode "
    b"sec-fetch-site sec-fetch-user sec-purpose upgrade-insecure-requests user-agent x-requested-with".split()
)
