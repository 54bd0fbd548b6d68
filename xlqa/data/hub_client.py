"""The hub's client: where the hub and its cache are, calls that are retried, and what their errors mean, in one line.

The client raises its own errors, and those of requests, httpx or httpx2, depending on its version. They are told
apart by what all of them have: the response, the system's error, the names of their classes.
"""

from __future__ import annotations

import errno
import logging
import re
import ssl
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from xlqa.data.download import retry_after
from xlqa.errors import XlqaError
from xlqa.util.text import first_line

logger = logging.getLogger(__name__)

T = TypeVar("T")

RETRIES = 5
"""How often a call is retried while it makes no progress; the waits double from `FIRST_WAIT` to `LONGEST_WAIT` seconds."""

UNREACHED_RETRIES = 1
"""How often a hub that cannot be reached at all is tried again."""

FIRST_WAIT = 1.0
LONGEST_WAIT = 30.0
LONGEST_ASKED = 300.0
"""Seconds that the hub may ask to wait; if it asks for more, the call fails at once."""

UNREACHED = {
    "ConnectError", "ConnectTimeout", "ConnectTimeoutError", "NewConnectionError", "NameResolutionError", "ProxyError",
    "gaierror", "ConnectionRefusedError",
}  # fmt: skip
BROKEN = {
    "ConnectionError", "NetworkError", "ProtocolError", "RemoteProtocolError", "ChunkedEncodingError", "IncompleteRead",
    "ContentDecodingError", "DecodingError", "Timeout", "TimeoutException", "TimeoutError", "SSLError",
}  # fmt: skip
"""Class names, of an error or of its base classes, in requests, urllib3, httpx, httpx2 and Python itself."""

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
NOT_WRITABLE = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR)


@dataclass(frozen=True, slots=True)
class Failure:
    """One failed call.

    Attributes:
        reason: what happened, in one line without a full stop; fix: what the user can do, "" where the caller adds it.
        retries: how often the call may be retried.
        wait: seconds that the hub asks to wait; None where it does not.
        unreached: whether the hub was not reached, so that a copy of the cache is a way out.
        unknown: whether the hub has no model of this name, or not for this user.
    """

    reason: str
    fix: str = ""
    retries: int = 0
    wait: float | None = None
    unreached: bool = False
    unknown: bool = False


OFFLINE = Failure("is not in the cache, and HF_HUB_OFFLINE forbids downloading", unreached=True)


def hub_address() -> str:
    """Where the hub is: HF_ENDPOINT, else huggingface.co."""
    from huggingface_hub import constants

    return str(constants.ENDPOINT).rstrip("/")


def hub_folder() -> Path:
    """The hub's own cache folder."""
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE)


def quiet_client() -> Any:
    """The package huggingface_hub; its warnings are off, because what comes of them is printed in one line."""
    import huggingface_hub
    from huggingface_hub.utils import logging as client_logging

    if client_logging.get_verbosity() == logging.WARNING:
        client_logging.set_verbosity_error()
    return huggingface_hub


def has_token() -> bool:
    """Whether the client sends a token: HF_TOKEN, or the one that `hf auth login` saved."""
    import huggingface_hub

    return bool(huggingface_hub.get_token())


class HubError(XlqaError):
    """A call to the hub that failed for good."""

    def __init__(self, failure: Failure, tries: int) -> None:
        self.failure = failure
        counted = f" ({tries} tries)" if tries > 1 else ""
        super().__init__(failure.reason + counted + (f": {failure.fix}" if failure.fix else ""))


def retrying(call: Callable[[], T], name: str, progress: Callable[[], int] = lambda: 0, patient: bool = True) -> T:
    """The result of `call`, which is retried where that can help.

    Args:
        name: of the model, or `datasets/` and that of a data set, for messages.
        progress: bytes that are here; a call that fails later than the one before it starts counting again.
        patient: False: the call is tried once.

    Raises:
        HubError: the call failed for good.
    """
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        raise HubError(OFFLINE, 1)
    failed, wait, tries = 0, FIRST_WAIT, 0
    here = progress()
    while True:
        try:
            with warnings.catch_warnings():
                # About disks that look too small, for example: the error that follows is printed.
                warnings.filterwarnings("ignore", category=UserWarning, module="huggingface_hub")
                return call()
        except Exception as error:  # which classes there are depends on the client's version
            failure = diagnose(error, name)
            before, here, tries = here, progress(), tries + 1
            failed, wait = (1, FIRST_WAIT) if here > before else (failed + 1, wait)
            if not patient or failed > failure.retries or (failure.wait or 0) > LONGEST_ASKED:
                raise HubError(failure, tries) from error
            pause = wait if failure.wait is None else failure.wait
            logger.warning("%s: %s: trying again in %g s.", name, failure.reason, pause)
            time.sleep(pause)
            wait = min(2 * wait, LONGEST_WAIT)


def diagnose(error: BaseException, name: str) -> Failure:
    """What an error of the client means."""
    chain = list(_chain(error))
    kinds = {kind.__name__ for link in chain for kind in type(link).__mro__}
    if "OfflineModeIsEnabled" in kinds:
        return OFFLINE
    response = next((r for link in chain if (r := getattr(link, "response", None)) is not None), None)
    if response is not None:
        return _answered(response, name)
    certificate = next((link for link in chain if isinstance(link, ssl.SSLCertVerificationError)), None)
    if certificate is not None:
        return Failure(
            f"the certificate of {urlsplit(hub_address()).netloc} is not valid ({certificate.verify_message})",
            "where a proxy replaces certificates, set REQUESTS_CA_BUNDLE and SSL_CERT_FILE to a file with its certificate",
        )
    system = next((link for link in chain if isinstance(link, OSError) and link.strerror), None)
    if system is not None and system.errno in FULL:
        return Failure(f"the disk of {hub_folder()} is full", "free space, or set HF_HOME to a folder on another disk")
    if system is not None and system.errno in NOT_WRITABLE:
        return Failure(f"{hub_folder()} cannot be written ({system.strerror})", "set HF_HOME to another folder")
    why = system.strerror if system is not None else first_line(error)
    if kinds & UNREACHED:
        return Failure(f"the hub ({hub_address()}) does not answer ({why})", retries=UNREACHED_RETRIES, unreached=True)
    if kinds & BROKEN or "Consistency check failed" in str(error):
        return Failure(f"the connection to the hub broke ({first_line(chain[-1])})", "try again later", RETRIES)
    if "HFValidationError" in kinds:
        return Failure("is neither a folder nor a name of the hub (NAME or OWNER/NAME)", unknown=True)
    return Failure(f"the hub's client failed ({first_line(error)})")


def _answered(response: Any, name: str) -> Failure:
    """What an HTTP status and its headers mean."""
    kind = "data set" if name.startswith("datasets/") else "model"
    status, code = int(response.status_code), response.headers.get("X-Error-Code", "")
    if status in (408, 425, 429) or status >= 500:
        wait = _asked_wait(response)
        asks = f" and asks to wait {wait:,.0f} s" if wait else ""
        more = ", or set HF_TOKEN: users have higher limits" if status == 429 and not has_token() else ""
        return Failure(f"the hub answers HTTP {status}{asks}", f"try again later{more}", RETRIES, wait)
    token = has_token()
    if code == "GatedRepo":
        has = ", to which your token has no access yet" if token else ""
        return Failure(
            f"is a gated {kind}{has}",
            f"accept its terms at {hub_address()}/{name}, then set HF_TOKEN to a token of that account",
        )
    if status == 401 and token and "credentials" in response.headers.get("X-Error-Message", "").lower():
        return Failure("the hub does not accept your token", "set HF_TOKEN to a valid one, or remove it")
    if code == "RepoNotFound" or (status in (401, 404) and code not in ("EntryNotFound", "RevisionNotFound")):
        what = f"{kind} of this name that your token may read" if token else f"public {kind} of this name"
        return Failure(f"the hub has no {what} (HTTP {status})", unknown=True)
    if status == 403:
        return Failure("the hub forbids the download (HTTP 403)", f"set HF_TOKEN to a token that may read this {kind}")
    return Failure(f"the hub answers HTTP {status} {code}".rstrip())


def _asked_wait(response: Any) -> float | None:
    """Seconds to wait by `Retry-After`, or by the hub's own `RateLimit: …;t=SECONDS`."""
    asked = retry_after(response.headers.get("Retry-After", ""))
    limit = re.search(r";\s*t=(\d+)", response.headers.get("RateLimit", ""))
    return float(limit[1]) if asked is None and limit else asked


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error and those that led to it."""
    seen: set[int] = set()
    following: BaseException | None = error
    while following is not None and id(following) not in seen:
        seen.add(id(following))
        yield following
        inner = next((arg for arg in following.args if isinstance(arg, BaseException)), None)
        following = following.__cause__ or following.__context__ or inner
