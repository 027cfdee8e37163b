"""The real server by HTTP: no route leads to a file of the machine, and other sites' pages get no connection."""

import http.client

import pytest

PLACES = ("/etc/passwd", "/app.py", "/.git/config", "/data/logs/server.log", "/runs/mine/config.json", "/.streamlit/config.toml")
WAYS = ("{}", "/static{}", "/media{}", "/app/static{}", "/component/x{}", "/_stcore/bidi-components/x{}", "/_stcore{}", "/static/../../..{}",
        "/static/%2e%2e/%2e%2e/%2e%2e/%2e%2e{}", "/media/..%2f..%2f..%2f..{}", "/static/..%5c..%5c..{}", "/..%c0%af..{}", "//etc/..{}",
        "/static//{}", "/component/..%2f..{}", "/?checkpoint=../../..{}", "/errors?of={}")
SECRETS = (b"root:", b"import streamlit", b"[core]", b'"process": "server"', b'"network"', b"maxUploadSize", b"[theme")


@pytest.fixture(scope="module")
def port(shared_server, tmp_path_factory):
    return shared_server("tests/browser/faulty_app.py", RESNET_VIZ_LOGS=str(tmp_path_factory.mktemp("logs"))).port


def ask(port: int, path: str, **headers: str) -> tuple[int, bytes]:
    """(status, body); the path goes out as it is written."""
    connection = http.client.HTTPConnection("localhost", port, timeout=20)
    connection.putrequest("GET", path, skip_host="Host" in headers)
    for name, value in headers.items():
        connection.putheader(name.replace("_", "-"), value)
    connection.endheaders()
    answer = connection.getresponse()
    body = b"" if answer.status == 101 else answer.read()
    connection.close()
    return answer.status, body


def test_no_route_leads_to_a_file_of_the_machine(port):
    front = ask(port, "/")[1]  # unknown addresses show the page, which then says that there is no such page
    for place in PLACES:
        for way in WAYS:
            status, body = ask(port, way.format(place))
            assert status in (400, 403, 404) or body == front, (way, place, status)
            assert not any(secret in body for secret in SECRETS), (way, place)


UPGRADE = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec_WebSocket_Version": "13", "Sec_WebSocket_Key": "AAAAAAAAAAAAAAAAAAAAAA=="}


def test_other_sites_get_no_connection(port):
    assert ask(port, "/_stcore/stream", **UPGRADE, Origin=f"http://localhost:{port}")[0] == 101
    for origin in ("http://evil.example", "null", f"http://localhost.evil.example:{port}", "https://192.0.2.7"):
        assert ask(port, "/_stcore/stream", **UPGRADE, Origin=origin)[0] == 403
    assert ask(port, "/", Host=f"rebound.example:{port}")[0] == 403
    assert ask(port, "/", Host=f"127.0.0.1:{port}")[0] == 200


def test_an_upload_needs_a_session_and_its_token(port):
    connection = http.client.HTTPConnection("localhost", port, timeout=20)
    connection.request("PUT", "/_stcore/upload_file/no-session/no-file", b"x" * 100, {"Content-Type": "multipart/form-data; boundary=x"})
    answer = connection.getresponse()
    assert answer.status in (400, 403) and b"x" * 50 not in answer.read()
    connection.close()


def test_it_listens_on_this_machine_alone(port):
    import psutil

    heard = {one.laddr.ip for one in psutil.net_connections("inet") if one.status == psutil.CONN_LISTEN and one.laddr.port == port}
    assert heard <= {"127.0.0.1", "::1"} and heard
