"""RFC 3161 time stamps from the server that TSA_URL names, in bounded time."""

from __future__ import annotations

import urllib.error
import urllib.request
from http.client import HTTPException

from asn1crypto import tsp
from pyhanko.sign.timestamps import TimeStamper

from portal.notices.signing.errors import TimeStampError

TIMEOUT_SECONDS = 10.0
MOST_BYTES = 256 * 1024


class HttpTimeStamper(TimeStamper):
    """Asks a time stamp server over HTTP."""

    def __init__(self, url: str, timeout: float = TIMEOUT_SECONDS) -> None:
        """`timeout` in seconds, for each step of the conversation."""
        super().__init__()  # type: ignore[no-untyped-call]
        self._url, self._timeout = url, timeout

    async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
        """The server's answer. Raises `TimeStampError`."""
        request = urllib.request.Request(  # noqa: S310 - http or https: the setting is checked
            self._url,
            data=req.dump(),
            headers={
                "Content-Type": "application/timestamp-query",
                "Accept": "application/timestamp-reply",
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=self._timeout) as answer:  # noqa: S310
                kind = answer.headers.get_content_type()
                body = answer.read(MOST_BYTES + 1)
        except urllib.error.HTTPError as error:
            error.close()
            raise TimeStampError(f"the time stamp server answered {error.code}") from None
        except (OSError, HTTPException) as error:
            raise TimeStampError(
                f"the time stamp server does not answer ({type(error).__name__})"
            ) from None
        if kind != "application/timestamp-reply" or len(body) > MOST_BYTES:
            raise TimeStampError("the time stamp server's answer is no time stamp")
        return tsp.TimeStampResp.load(body)
