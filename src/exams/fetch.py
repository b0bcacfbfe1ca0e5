"""Fetches a file over the network and takes it into the folder of its quarter."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from ipaddress import ip_address
from pathlib import Path
from ssl import SSLCertVerificationError
from tempfile import TemporaryDirectory
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import Retry
from urllib3.exceptions import HTTPError, ProtocolError

from exams.deliver import deliver
from exams.errors import ExamsError
from exams.kaggle import download_from_kaggle
from exams.places import Places
from exams.progress import track
from exams.quarters import check_quarter

TIMEOUTS = (10, 60)  # seconds to wait for a connection, and for each piece of an answer
RETRIES = Retry(
    connect=3,
    read=1,
    status=4,
    other=0,  # a certificate does not get better
    status_forcelist=(429, 500, 502, 503, 504),
    backoff_factor=0.5,  # 0, 1, 2, 4 seconds
    respect_retry_after_header=False,  # it may say hours
    raise_on_status=False,
)
REDIRECTS = 5
SLOWEST = 1_000  # bytes a second; a server that sends less, after MINIMUM seconds, is given up
MINIMUM = 60.0
_PIECE = 1 << 18
_AGAIN = "Try again later; what was there before is as it was."
_LONGEST = 200  # bytes of a name


def fetch(url: str, quarter: str, places: Places, largest: int) -> list[str]:
    """Fetch `url` into the folder of `quarter`; return the sentences of `deliver`.

    `url` is https://, http:// to this computer alone, or kaggle://owner/dataset[/file]. The
    file lies in the private folder until it is whole. Raise E025 for an address that will not
    do, E026 for a server that does not give the file, E027 for more than `largest` bytes, E028
    and E029 as download_from_kaggle.
    """
    check_quarter(quarter)
    draft = TemporaryDirectory(prefix=".fetch-", dir=places.private)
    with draft as folder:
        if url.startswith("kaggle://"):
            file = download_from_kaggle(url, Path(folder))
            _check_size(file.stat().st_size, largest, file.name)
        else:
            file = download(url, Path(folder), largest)
        return deliver([file], quarter, places, largest)


def download(url: str, folder: Path, largest: int) -> Path:
    """Download `url` into `folder`; return the file, under the name that it has there."""
    address = _checked(url)
    with requests.Session() as session:
        for scheme in ("https://", "http://"):
            session.mount(scheme, HTTPAdapter(max_retries=RETRIES))
        session.headers["Accept-Encoding"] = "identity"  # the bytes as they are kept there
        for _ in range(REDIRECTS + 1):
            host = _host(urlsplit(url))
            with _explained(host), _asked(session, url) as answer:
                if not answer.is_redirect:
                    if answer.status_code != requests.codes.ok:
                        raise _refusal(host, answer.status_code)
                    name = _name(answer.headers.get("Content-Disposition"), address.path)
                    return _save(answer, folder / name, largest)
                url = _redirected(url, answer.headers["location"])
    raise ExamsError("E025", f"{host} redirects without end.", "Try the address in a browser.")


def _asked(session: requests.Session, url: str) -> requests.Response:
    try:
        return session.get(url, stream=True, allow_redirects=False, timeout=TIMEOUTS)
    except requests.RequestException:
        raise
    except ValueError:  # requests looks at where a redirect leads to, even if it does not follow
        raise _unsafe(redirected=True) from None


def _save(answer: requests.Response, file: Path, largest: int) -> Path:
    length = answer.headers.get("Content-Length", "")
    expected = int(length) if length.isdecimal() else None
    _check_size(expected or 0, largest, file.name)
    size = 0
    with file.open("wb") as out:
        for piece in track(_pieces(answer), expected, file.name, "B", len):
            size += len(piece)
            _check_size(size, largest, file.name)
            out.write(piece)
    return file


def _pieces(answer: requests.Response) -> Iterator[bytes]:
    """Yield what the server sends as it comes; raise E026 if that would take for ever."""
    begin, size = time.monotonic(), 0
    while piece := answer.raw.read1(_PIECE):
        yield piece
        size += len(piece)
        seconds = time.monotonic() - begin
        if seconds > MINIMUM and size < SLOWEST * seconds:
            host = _host(urlsplit(answer.url))
            what = f"{host} is too slow: it has sent {size:,} bytes in {seconds:.0f} s."
            raise ExamsError("E026", what, _AGAIN)


def _check_size(size: int, largest: int, name: str) -> None:
    if size > largest:
        what = f"{name} is larger than {largest:,} bytes."
        raise ExamsError("E027", what, "If that is right, raise `largest_file` in env.yaml.")


def _checked(url: str, *, redirected: bool = False) -> SplitResult:
    """Return the parts of an address that may be asked; raise E025 for any other."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port  # raises ValueError if it is none
    except ValueError:
        parts, host = urlsplit(""), ""
    secure = parts.scheme == "https"
    if not host or not (secure or (parts.scheme == "http" and _is_here(host) and not redirected)):
        raise _unsafe(redirected=redirected)
    return parts


def _unsafe(*, redirected: bool) -> ExamsError:
    wrong = "The server redirects to an address that" if redirected else "The address"
    remedy = "Write https://..., or kaggle://owner/dataset; http:// only to this computer."
    return ExamsError("E025", f"{wrong} is not safe to fetch from.", remedy)


def _redirected(url: str, location: str) -> str:
    """Return where a server redirects to; raise E025 if that may not be asked."""
    try:
        target = urljoin(url, location)
    except ValueError:
        target = ""
    _checked(target, redirected=True)
    return target


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _host(address: SplitResult) -> str:
    """Return host and port, without a password."""
    return address.netloc.rpartition("@")[2]


def _name(disposition: str | None, path: str) -> str:
    """Return a name without folders and leading dots: the server's, else that in the address."""
    header = Message()
    header["Content-Disposition"] = disposition or ""
    name = header.get_filename() or unquote(path)
    name = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    name = "".join(c if c.isprintable() and c not in ':*?"<>|' else "_" for c in name)
    end = name.encode("utf-8", "replace")[-_LONGEST:].decode("utf-8", "ignore")  # keeps .csv.gz
    return end.lstrip(". ").rstrip() or "download"


def _refusal(host: str, status: int) -> ExamsError:
    match status:
        case 401 | 403 | 407:
            what = "does not let you have this file"
        case 404 | 410:
            what = "has no such file"
        case _:
            what = "does not give this file"
    return ExamsError("E026", f"{host} {what} (HTTP {status}).", "Check the address in a browser.")


@contextmanager
def _explained(host: str) -> Iterator[None]:
    """Say in words why a server could not be asked, or did not answer to the end."""
    try:
        yield
    except (requests.RequestException, HTTPError) as error:
        what, remedy = _why(error)
        raise ExamsError("E026", f"{host} {what}.", remedy) from error


def _why(error: Exception) -> tuple[str, str]:
    text = repr(error)  # urllib3 wraps the cause, at times only in words
    for certificate in _causes(error):
        if isinstance(certificate, SSLCertVerificationError):
            remedy = "Check the address. REQUESTS_CA_BUNDLE may name the office's own authority."
            return f"cannot prove who it is: {certificate.verify_message.rstrip('.')}", remedy
    if isinstance(error, requests.exceptions.SSLError):
        return "does not speak TLS as it should", "Check the address."
    if "NameResolutionError" in text:
        return "is not known: there is no such name", "Check the address and the network."
    if isinstance(error, requests.Timeout) or "timed out" in text:
        return "did not go on answering", _AGAIN
    if isinstance(error, ProtocolError):
        return "broke off in the middle of the file", _AGAIN
    return "cannot be reached", "Check the address and the network."


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield `error` and all that led to it."""
    while error is not None:
        yield error
        inner = [a for a in (*error.args, getattr(error, "reason", None)) if a is not error]
        found = next((a for a in inner if isinstance(a, BaseException)), None)
        error = found or error.__cause__ or error.__context__
