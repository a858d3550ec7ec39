"""Requests as they are put together: whatever is in them, they are one request to one host."""

import h11
import httptools
from hypothesis import given
from hypothesis import strategies as st

from perdure.calls.outgoing import Outgoing, mask_of, outgoing
from perdure.model.exceptions import FailedError
from perdure.ports.calls import Basic, Bearer, HttpRequest

TEXTS = st.text(
    st.sampled_from("aZ0 :/?#[]@!$&'()*+,;=%\\\"<>{}|^`~\r\n\t\0\x7fäß€\u2028"), max_size=8
)
TAME = st.text(st.sampled_from("aZ0 :/?#[]@!$&'()*+,;=%\\\"<>{}|^`~ß€"), max_size=8)
TOKENS = st.text(st.sampled_from("aZ0._~+/="), min_size=1, max_size=8)


def requests(
    texts: st.SearchStrategy[str], names: st.SearchStrategy[str]
) -> st.SearchStrategy[HttpRequest]:
    """Requests with these texts all over."""
    return st.builds(
        HttpRequest,
        method=st.sampled_from(["get", "POST", "delete"]) | names,
        uri=texts.map("http://example.com/{}".format) | texts.map("http://{}/".format),
        headers=st.dictionaries(names, texts, max_size=2),
        query=st.dictionaries(texts, texts | st.lists(texts, max_size=2), max_size=2),
        body=texts | st.dictionaries(texts, texts, max_size=1),
        authentication=st.none()
        | st.builds(Basic, username=names, password=texts)
        | st.builds(Bearer, token=names),
    )


REQUESTS = requests(TAME, TOKENS) | requests(TEXTS, TEXTS)


class Received:
    """What a server makes of bytes."""

    def __init__(self, data: bytes) -> None:
        self.targets: list[bytes] = []
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = b""
        self.complete = 0
        self._parser = httptools.HttpRequestParser(self)
        self._parser.feed_data(data)
        self.method = self._parser.get_method()

    def on_url(self, url: bytes) -> None:
        self.targets.append(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name, value))

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.complete += 1


def made(request: HttpRequest) -> Outgoing | None:
    """The request in full; None where it cannot be sent."""
    try:
        return outgoing(request, "exec-1:/do/0/a")
    except FailedError as error:
        assert error.failure.status == 400  # noqa: PT017 - not all requests have to fail
        return None


def written(sent: Outgoing) -> bytes:
    """The bytes of a request, as httpcore writes them."""
    client = h11.Connection(our_role=h11.CLIENT)
    headers = [(name.encode(), value.encode()) for name, value in sent.headers.items()]
    head = h11.Request(
        method=sent.method,
        target=sent.target.wire.target,
        headers=[(b"host", sent.target.authority.encode()), *headers],
    )
    data = client.send(head) or b""
    if sent.body:
        data += client.send(h11.Data(data=sent.body)) or b""
    return data + (client.send(h11.EndOfMessage()) or b"")


@given(REQUESTS)
def test_a_request_is_one_request(request: HttpRequest) -> None:
    sent = made(request)
    if sent is None or sent.method not in ("GET", "POST", "DELETE"):
        return
    received = Received(written(sent))
    assert received.complete == 1
    assert received.targets == [sent.target.wire.target]
    assert len(received.headers) == len(sent.headers) + 1
    assert received.body == (sent.body or b"")
    assert received.headers[0] == (b"host", sent.target.authority.encode())
    assert sent.target.wire.host.decode() == sent.target.host


@given(REQUESTS)
def test_credentials_show_in_no_description(request: HttpRequest) -> None:
    sent = made(request)
    if sent is None or not isinstance(request.authentication, Bearer):
        return
    token = request.authentication.token
    if len(token) >= 3:
        assert token not in mask_of(request).hide(sent.what)
